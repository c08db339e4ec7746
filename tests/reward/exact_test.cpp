#include "tests/reward/support.h"

using reward::Status;

TEST_CASE("exact wants the gold in the answer tags, letter for letter", "[exact]") {
  auto exact = make("exact");
  const auto value = [&](const char* text) { return score_one(*exact, item(text, "1")).value; };
  REQUIRE(value("<think>7+5=2;2+9=1</think><answer>1</answer>") == 1.0);
  REQUIRE(value("<think></think><answer> 1\n</answer>") == 1.0);
  REQUIRE(value("<think>1</think><answer>2</answer>") == 0.0);
  REQUIRE(value("<answer>1.0</answer>") == 0.0);
  REQUIRE(value("<answer>01</answer>") == 0.0);
  REQUIRE(value("<answer>1</answer><answer>2</answer>") == 0.0);
  REQUIRE(value("<think>a</think><answer>1") == 0.0);
}

TEST_CASE("exact tells a missing answer from a wrong one", "[exact]") {
  auto exact = make("exact");
  REQUIRE(score_one(*exact, item("1", "1")).status == Status::no_answer);
  REQUIRE(score_one(*exact, item("<answer></answer>", "1")).status == Status::no_answer);
  REQUIRE(score_one(*exact, item("<answer>1</answer><think>x</think>", "1")).status == Status::no_answer);
  REQUIRE(score_one(*exact, item("<answer>2</answer>", "1")).status == Status::scored);
  REQUIRE(score_one(*exact, item("<answer>2</answer>", "1")).extracted == "2");
}

TEST_CASE("exact without a gold gives no value, even to an empty answer", "[exact]") {
  auto exact = make("exact");
  REQUIRE(score_one(*exact, item("<answer></answer>", " ")).status == Status::not_applicable);
  REQUIRE_FALSE(exact->check_answer("\n").empty());
  REQUIRE(exact->check_answer("x").empty());
}

TEST_CASE("exact can read another tag, or the whole completion", "[exact]") {
  auto tagged = make("exact", {{"tag", "final"}});
  REQUIRE(score_one(*tagged, item("<answer>2</answer><final>1</final>", "1")).value == 1.0);
  auto whole = make("exact", {{"whole", "true"}});
  REQUIRE(score_one(*whole, item(" 1\n", "1")).value == 1.0);
  REQUIRE(score_one(*whole, item("<answer>1</answer>", "1")).value == 0.0);
  REQUIRE(score_one(*whole, item("  ", "1")).status == Status::no_answer);
  REQUIRE_THROWS_AS(make("exact", {{"tag", "<answer>"}}), reward::Error);
}
