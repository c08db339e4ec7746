// The prompts of a stage: the next ones are generated or read, put into the template and tokenised on a thread of their own while
// a step trains. Which problems they are is the caller's to say, so a resumed run goes on as the run that never stopped would
// have.
#pragma once

#include <functional>
#include <future>
#include <vector>

#include "rl/sampling/prompt_draws.h"

namespace rl {

class PromptFeed {
 public:
  using Make = std::function<Prompt(const PromptDraw& draw)>;  // called on another thread

  explicit PromptFeed(Make make) : make_(std::move(make)) {}
  ~PromptFeed();

  // Those begun, or made now. An exception of `make` comes out here.
  std::vector<Prompt> take(const std::vector<PromptDraw>& draws);
  void begin(std::vector<PromptDraw> draws);  // at most one list at a time

 private:
  std::vector<Prompt> make(const std::vector<PromptDraw>& draws) const;

  Make make_;
  std::vector<PromptDraw> begun_;
  std::future<std::vector<Prompt>> next_;
};

}  // namespace rl
