#include "rl/prompt_feed.h"

#include "kernels/trace.h"

namespace rl {

PromptFeed::~PromptFeed() {
  if (next_.valid()) next_.wait();
}

std::vector<Prompt> PromptFeed::make(int64_t step) const {
  const kernels::Span span("prompts", nullptr, "prompts", prompts_per_step_);
  std::vector<Prompt> prompts;
  for (int64_t i = 0; i < prompts_per_step_; ++i) prompts.push_back(make_(step * prompts_per_step_ + i));
  return prompts;
}

void PromptFeed::begin(int64_t step) {
  if (next_.valid()) next_.wait();
  begun_ = step;
  next_ = std::async(std::launch::async, [this, step] {
    kernels::name_trace_lane("prompts");
    return make(step);
  });
}

std::vector<Prompt> PromptFeed::take(int64_t step) {
  if (next_.valid() && begun_ == step) return next_.get();
  return make(step);
}

}  // namespace rl
