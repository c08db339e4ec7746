#include "tests/reward/support.h"

namespace {
double value(const std::string& text, OptionList options = {}) {
  auto format = make("format", std::move(options));
  const auto outcome = score_one(*format, item(text, ""));
  INFO(text << ": " << outcome.detail);
  REQUIRE(outcome.status == reward::Status::scored);
  return outcome.value;
}
const OptionList loose = {{"mode", "loose"}};
}  // namespace

TEST_CASE("strict format is think, then answer, and nothing else", "[format]") {
  REQUIRE(value("<think>7+5=2;2+9=1</think><answer>1</answer>") == 1.0);
  REQUIRE(value("<think>\na\n</think>\n<answer>\n1\n</answer>\n") == 1.0);
  for (const char* text :
       {"", "1", "<think>a</think>", "<answer>1</answer>", "<think></think><answer>1</answer>",
        "<think> \n</think><answer>1</answer>",
        "<think>a</think><answer></answer>", "<think>a</think><answer> </answer>", " <think>a</think><answer>1</answer>",
        "So <think>a</think><answer>1</answer>", "<think>a</think>so<answer>1</answer>", "<think>a</think><answer>1</answer>.",
        "<think>a</think><answer>1</answer><answer>1</answer>", "<think><think>a</think><answer>1</answer>",
        "<think>a</think></think><answer>1</answer>", "<think>a</think><answer>1</answer></answer>",
        "<answer>1</answer><think>a</think>", "<think>a<answer>1</answer></think>", "<think>a</think><answer>1",
        "<THINK>a</THINK><ANSWER>1</ANSWER>", "< think>a</think><answer>1</answer>", "</think><think><answer>1</answer>",
        "<think><answer></think></answer>", "<think>a</think><answer><answer>1</answer>"}) {
    INFO(text);
    CHECK(value(text) == 0.0);
  }
}

TEST_CASE("allow_empty_think forgives empty thinking, not an empty answer", "[format]") {
  const OptionList allow = {{"allow_empty_think", "true"}};
  REQUIRE(value("<think></think><answer>1</answer>", allow) == 1.0);
  REQUIRE(value("<think></think><answer></answer>", allow) == 0.0);
  REQUIRE(value("<answer>1</answer>", allow) == 0.0);
}

TEST_CASE("loose format wants each tag once and in order, with something in them, and allows text around", "[format]") {
  REQUIRE(value("So <think>a</think> it is <answer>1</answer>!", loose) == 1.0);
  for (const char* text : {"So <think></think> it is <answer>1</answer>!", "So <think>a</think> it is <answer> </answer>!",
                           "<think>a</think><answer>1</answer><answer>", "<answer>1</answer><think>a</think>",
                           "<think>a<answer>1</think></answer>", "<think>a</think>1"}) {
    INFO(text);
    CHECK(value(text, loose) == 0.0);
  }
  REQUIRE(value("So <think></think> it is <answer>1</answer>!", {{"mode", "loose"}, {"allow_empty_think", "true"}}) == 1.0);
}

TEST_CASE("prefill stands before the completion", "[format]") {
  const OptionList prefill = {{"prefill", "<think>"}};
  REQUIRE(value("a</think><answer>1</answer>", prefill) == 1.0);
  REQUIRE(value("<think>a</think><answer>1</answer>", prefill) == 0.0);  // twice
  REQUIRE(value("a</think><answer>1</answer>") == 0.0);
}

TEST_CASE("a prompt that ends in <think> has opened the thinking", "[format]") {
  auto format = make("format");
  const auto after = [&](const char* prompt, const char* text) { return score_one(*format, item(text, "", prompt)).value; };
  REQUIRE(after("Assistant: <think>", "a</think><answer>1</answer>") == 1.0);
  REQUIRE(after("Assistant: <think>\n", "a</think><answer>1</answer>") == 1.0);
  REQUIRE(after("Assistant: <think>", "</think><answer>1</answer>") == 0.0);
  REQUIRE(after("Assistant: <think>", "<think>a</think><answer>1</answer>") == 0.0);  // twice
  REQUIRE(after("Say <think> first.", "a</think><answer>1</answer>") == 0.0);
}

TEST_CASE("tag_count pays a quarter for each tag that comes once", "[format]") {
  auto count = make("tag_count");
  const auto of = [&](const char* text, const char* prompt = "") { return score_one(*count, item(text, "", prompt)).value; };
  REQUIRE(of("") == 0.0);
  REQUIRE(of("<think>a</think><answer>1</answer>") == 1.0);
  REQUIRE(of("</answer><answer></think><think>") == 1.0);           // order is not its business
  REQUIRE(of("<think>a</think>1") == 0.5);
  REQUIRE(of("<think><think>a</think><answer>1</answer>") == 0.75);  // <think> twice
  REQUIRE(of("<answer><answer></answer></answer>") == 0.0);
  REQUIRE(of("a</think>1", "Assistant: <think>") == 0.5);
}

TEST_CASE("format and exact together pay only what is well formed and right", "[format]") {
  reward::Settings exact, format;
  exact.name = "exact";
  format.name = "format";
  format.role = "gate";
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> parts;
  parts.emplace_back(exact, reward::make_reward(exact));
  parts.emplace_back(format, reward::make_reward(format));
  auto sum = reward::make_sum(std::move(parts));
  const auto total = [&](const char* text) { return score_one(*sum, item(text, "1")).value; };
  REQUIRE(total("<think>7+5=2;2+9=1</think><answer>1</answer>") == 1.0);
  REQUIRE(total("<think>7+5=2;2+9=1</think><answer>2</answer>") == 0.0);
  REQUIRE(total("<think>7+5=2;2+9=1</think><answer>1</answer>1") == 0.0);
  REQUIRE(total("<think>7+5=2;2+9=1<answer>1</answer>") == 0.0);
  REQUIRE(total("<answer>1</answer>") == 0.0);
}
