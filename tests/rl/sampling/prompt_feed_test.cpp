#include "rl/sampling/prompt_feed.h"

#include <atomic>
#include <thread>

#include "kernels/error.h"
#include "tests/support/catch.h"

using rl::Prompt;
using rl::PromptDraw;

namespace {

std::vector<PromptDraw> draws(int64_t first, int64_t count) {
  std::vector<PromptDraw> all;
  for (int64_t i = first; i < first + count; ++i) all.push_back({0, i});
  return all;
}

}  // namespace

TEST_CASE("a step's prompts are the same ahead of time, late and out of order", "[sampling]") {
  std::atomic<int64_t> elsewhere{0};
  const auto caller = std::this_thread::get_id();
  const auto make = [&](const PromptDraw& draw) {
    if (std::this_thread::get_id() != caller) ++elsewhere;
    Prompt prompt;
    prompt.problem.prompt_id = draw.index;
    return prompt;
  };
  const auto ids = [](const std::vector<Prompt>& prompts) {
    std::vector<int64_t> out;
    for (const auto& p : prompts) out.push_back(p.problem.prompt_id);
    return out;
  };
  rl::PromptFeed feed(make);
  CHECK(ids(feed.take(draws(0, 3))) == std::vector<int64_t>{0, 1, 2});
  CHECK(elsewhere == 0);
  feed.begin(draws(3, 3));
  CHECK(ids(feed.take(draws(3, 3))) == std::vector<int64_t>{3, 4, 5});
  CHECK(elsewhere == 3);
  feed.begin(draws(6, 3));
  CHECK(ids(feed.take(draws(21, 3))) == std::vector<int64_t>{21, 22, 23});  // not what was begun
  CHECK(ids(feed.take(draws(6, 3))) == std::vector<int64_t>{6, 7, 8});
  feed.begin(draws(9, 3));
  CHECK(ids(feed.take(draws(9, 2))) == std::vector<int64_t>{9, 10});  // fewer than were begun
  feed.begin(draws(27, 3));                                             // begun and never taken
}

TEST_CASE("what goes wrong while prompts are made ahead comes out where they are taken", "[sampling]") {
  rl::PromptFeed feed([](const PromptDraw& draw) -> Prompt {
    if (draw.index == 3) kernels::fail_usage("row {} is bad.", draw.index);
    return {};
  });
  CHECK(feed.take(draws(0, 2)).size() == 2);
  feed.begin(draws(2, 2));
  CHECK_THROWS_AS(feed.take(draws(2, 2)), kernels::UsageError);
}
