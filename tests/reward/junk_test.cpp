// Rewards must take whatever a policy can write. The texts come from a fixed generator, so a failure repeats.
#include <cstdint>
#include <random>

#include "tests/reward/support.h"

namespace {

const char* fragments[] = {
    "<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "\\fbox{", "}", "{", "\\frac{", "\\frac12", "\\text{", "####",
    "1", "0", ",", ".", "/", "-", "=", "(", ")", "*", "+", "\\", "$", "\\$", "%", " ", "\n", "e9", "\xff", "\u2212", "\u0661",
    "numbers=1,2 target=3", "\\left", "\\times", "**", "1,234", "boxed"};

std::string random_text(std::mt19937& random) {
  std::string text;
  const auto pieces = random() % 40;
  for (uint32_t i = 0; i < pieces; ++i) {
    if (random() % 4 == 0) text += static_cast<char>(random() % 256);
    else text += fragments[random() % std::size(fragments)];
  }
  return text;
}

}  // namespace

TEST_CASE("random splices of tags, boxes and bytes never throw, and give 0 or 1 the same way twice", "[junk]") {
  std::mt19937 random(20240607);
  std::vector<std::unique_ptr<reward::Reward>> rewards;
  for (const auto& name : reward::builtin_names()) rewards.push_back(make(name));
  rewards.push_back(make("math", {{"extraction", "lenient"}}));
  rewards.push_back(make("exact", {{"whole", "true"}}));
  for (int round = 0; round < 4000; ++round) {
    const auto text = random_text(random);
    const std::string gold = round % 3 == 0 ? random_text(random) : round % 3 == 1 ? "1" : "numbers=1,1 target=1";
    for (auto& reward : rewards) {
      const auto first = score_one(*reward, item(text, gold)), second = score_one(*reward, item(text, gold));
      const bool sound = first.status != reward::Status::infra_error && first.status == second.status &&
                         first.value == second.value && (first.value == 0.0 || first.value == 1.0) &&
                         (first.status == reward::Status::scored || first.value == 0.0) &&
                         (first.status == reward::Status::not_applicable) == !reward->check_answer(gold).empty();
      if (!sound) FAIL(reward->name() << " round " << round << ", text: " << text << ", gold: " << gold << ", " << first.detail);
    }
  }
}

TEST_CASE("junk that knows nothing of the gold is never paid", "[junk]") {
  // The gold is a number that no splice can write, so a value above 0 is a false positive.
  std::mt19937 random(7);
  for (auto& reward : {make("math"), make("math", {{"extraction", "lenient"}}), make("exact")})
    for (int round = 0; round < 4000; ++round) {
      const auto text = random_text(random);
      if (score_one(*reward, item(text, "8675309.5")).value != 0.0) FAIL(reward->name() << " paid for " << text);
    }
}

TEST_CASE("a megabyte of one fragment is scored 0 by every reward", "[junk]") {
  for (const char* fragment : fragments) {
    std::string text;
    while (text.size() < (1u << 20)) text += fragment;
    for (const auto& name : reward::builtin_names()) {
      if (needs_sandbox(name)) continue;
      const auto got = score_one(*make(name), item(text, name == "countdown" ? "numbers=1,2 target=4" : "8675309.5"));
      INFO(name << " on " << fragment);
      CHECK(got.has_value());
      CHECK(got.value == 0.0);
    }
  }
}
