// The prompts of a stage, run by run of problems. The next ones are drawn, put into the template and tokenised on a thread of
// their own while a step trains. Which problems they are is the caller's to say, so a resumed run goes on as the run that never
// stopped would have.
#pragma once

#include <functional>
#include <future>
#include <vector>

#include "rl/collect.h"

namespace rl {

class PromptFeed {
 public:
  using Make = std::function<Prompt(int64_t index)>;  // of the index-th problem of the stage; called on another thread

  explicit PromptFeed(Make make) : make_(std::move(make)) {}
  ~PromptFeed();

  // Of problems [first, first + count): those begun, or made now. An exception of `make` comes out here.
  std::vector<Prompt> take(int64_t first, int64_t count);
  void begin(int64_t first, int64_t count);  // at most one run of problems at a time

 private:
  std::vector<Prompt> make(int64_t first, int64_t count) const;

  Make make_;
  int64_t begun_first_ = -1, begun_count_ = 0;
  std::future<std::vector<Prompt>> next_;
};

}  // namespace rl
