#include "rl/sampling/prompt_feed.h"

#include "kernels/trace.h"
#include "kernels/watchdog.h"

namespace rl {

PromptFeed::~PromptFeed() {
  if (next_.valid()) next_.wait();
}

std::vector<Prompt> PromptFeed::make(const std::vector<PromptDraw>& draws) const {
  const kernels::Span span("prompts", nullptr, "prompts", static_cast<int64_t>(draws.size()));
  std::vector<Prompt> prompts;
  for (const PromptDraw& draw : draws) prompts.push_back(make_(draw));
  return prompts;
}

void PromptFeed::begin(std::vector<PromptDraw> draws) {
  if (next_.valid()) next_.wait();
  begun_ = std::move(draws);
  next_ = std::async(std::launch::async, [this] {
    kernels::name_trace_lane("prompts");
    return make(begun_);
  });
}

std::vector<Prompt> PromptFeed::take(const std::vector<PromptDraw>& draws) {
  if (next_.valid() && begun_ == draws) {
    const kernels::Wait wait("the next step's prompts");
    return next_.get();
  }
  return make(draws);
}

}  // namespace rl
