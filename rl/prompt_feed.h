// The prompts of a stage, step by step. The next step's are drawn, put into the template and tokenised on a thread of
// their own while this step trains. Which problems a step gets follows from its number alone, so a resumed run goes on as
// the run that never stopped would have.
#pragma once

#include <functional>
#include <future>
#include <vector>

#include "rl/collect.h"

namespace rl {

class PromptFeed {
 public:
  using Make = std::function<Prompt(int64_t index)>;  // of the index-th problem of the stage; called on another thread

  PromptFeed(int64_t prompts_per_step, Make make) : prompts_per_step_(prompts_per_step), make_(std::move(make)) {}
  ~PromptFeed();

  // Problems [step * prompts_per_step, (step + 1) * prompts_per_step): those begun, or made now. An exception of `make`
  // comes out here.
  std::vector<Prompt> take(int64_t step);
  void begin(int64_t step);  // at most one step at a time

 private:
  std::vector<Prompt> make(int64_t step) const;

  int64_t prompts_per_step_;
  Make make_;
  int64_t begun_ = -1;
  std::future<std::vector<Prompt>> next_;
};

}  // namespace rl
