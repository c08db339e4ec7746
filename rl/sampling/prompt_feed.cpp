#include "rl/sampling/prompt_feed.h"

#include "kernels/trace.h"

namespace rl {

PromptFeed::~PromptFeed() {
  if (next_.valid()) next_.wait();
}

std::vector<Prompt> PromptFeed::make(int64_t first, int64_t count) const {
  const kernels::Span span("prompts", nullptr, "prompts", count);
  std::vector<Prompt> prompts;
  for (int64_t i = 0; i < count; ++i) prompts.push_back(make_(first + i));
  return prompts;
}

void PromptFeed::begin(int64_t first, int64_t count) {
  if (next_.valid()) next_.wait();
  begun_first_ = first, begun_count_ = count;
  next_ = std::async(std::launch::async, [this, first, count] {
    kernels::name_trace_lane("prompts");
    return make(first, count);
  });
}

std::vector<Prompt> PromptFeed::take(int64_t first, int64_t count) {
  if (next_.valid() && begun_first_ == first && begun_count_ == count) return next_.get();
  return make(first, count);
}

}  // namespace rl
