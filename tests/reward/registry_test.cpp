#include "tests/reward/support.h"

using Catch::Matchers::Contains;

TEST_CASE("every built-in passes its own self-test, with every choice of its options", "[registry]") {
  for (const auto& name : reward::builtin_names())
    if (!needs_sandbox(name)) CHECK(make(name)->self_test() == "");
  for (const char* extraction : {"strict", "marked", "lenient", "whole"})
    for (const char* profile : {"default", "math_verify", "hendrycks", "prm800k", "gsm8k"})
      CHECK(make("math", {{"extraction", extraction}, {"profile", profile}})->self_test() == "");
  CHECK(make("exact", {{"whole", "true"}})->self_test() == "");
  CHECK(make("exact", {{"tag", "final"}})->self_test() == "");
  CHECK(make("countdown", {{"use_all", "false"}})->self_test() == "");
  for (const char* mode : {"strict", "loose"})
    for (const char* prefill : {"auto", "", "<think>"})
      for (const char* empty : {"true", "false"})
        CHECK(make("format", {{"mode", mode}, {"prefill", prefill}, {"allow_empty_think", empty}})->self_test() == "");
  for (const char* prefill : {"auto", "", "<think>"}) CHECK(make("tag_count", {{"prefill", prefill}})->self_test() == "");
  for (const char* name : {"cosine", "length_kimi"})
    for (const char* of : {"math", "exact", "countdown", "choice"}) CHECK(make(name, {{"of", of}})->self_test() == "");
  CHECK(make("cosine", {{"max_tokens", "1"}, {"right_short", "0.1"}, {"wrong_long", "3"}})->self_test() == "");
  CHECK(make("overlong", {{"max_tokens", "7"}, {"cache_tokens", "7"}, {"factor", "0.5"}})->self_test() == "");
  for (const char* n : {"1", "2", "20"}) CHECK(make("repetition", {{"n", n}, {"max_penalty", "-0.5"}})->self_test() == "");
  CHECK(make("repetition", {{"max_penalty", "0"}})->self_test() == "");
  for (const char* script : {"latin", "han,kana", "cyrillic, latin"})
    CHECK(make("language", {{"script", script}, {"least", "1"}})->self_test() == "");
  CHECK(make("random", {{"seed", "5"}, {"share", "0"}})->self_test() == "");
  CHECK(make("constant", {{"value", "-2.5"}})->self_test() == "");
}

TEST_CASE("a number that is none, or out of its bounds, is an error that says the bounds", "[registry]") {
  REQUIRE_THROWS_WITH(make("overlong", {{"max_tokens", "many"}}), Contains("max_tokens is \"many\"") && Contains("whole number from 1"));
  REQUIRE_THROWS_WITH(make("overlong", {{"max_tokens", "100"}}), Contains("cache_tokens is \"4096\"") && Contains("from 1 to 100"));
  for (const char* bad : {"", "0", "-3", "1.5", "1e3", "9999999999999999999999", " 8", "8 ", "+8", "0x8"})
    CHECK_THROWS_AS(make("cosine", {{"max_tokens", bad}}), reward::Error);
  for (const char* bad : {"nan", "inf", "1.5", "-0.1", "1,0"}) CHECK_THROWS_AS(make("random", {{"share", bad}}), reward::Error);
  REQUIRE_THROWS_WITH(make("language", {{"script", "latin,klingon"}}), Contains("klingon") && Contains("latin"));
  REQUIRE_THROWS_WITH(make("language", {{"script", ""}}), Contains("\"\""));
}

TEST_CASE("options of the reward that judges are checked by it", "[registry]") {
  CHECK(make("cosine", {{"of", "exact"}, {"of_whole", "true"}})->self_test() == "");
  REQUIRE_THROWS_WITH(make("cosine", {{"of", "exact"}, {"of_hole", "true"}}), Contains("\"exact\"") && Contains("Did you mean whole?"));
  REQUIRE_THROWS_WITH(make("length_kimi", {{"of", "maths"}}), Contains("Did you mean math?"));
  REQUIRE_THROWS_WITH(make("length_kimi", {{"of", "cosine"}}), Contains("option of is \"cosine\"") && Contains("such as math"));
  REQUIRE_THROWS_WITH(make("cosine", {{"whole", "true"}}), Contains("unknown option whole"));
}

TEST_CASE("an unknown reward, option or choice is an error that names the nearest", "[registry]") {
  REQUIRE_THROWS_WITH(make("maths"), Contains("\"maths\"") && Contains("Did you mean math?"));
  REQUIRE_THROWS_WITH(make("count_down"), Contains("Did you mean countdown?"));
  REQUIRE_THROWS_WITH(make("math", {{"profil", "default"}}), Contains("\"math\"") && Contains("Did you mean profile?"));
  REQUIRE_THROWS_WITH(make("format", {{"mode", "hard"}}), Contains("\"hard\"") && Contains("strict, loose"));
  REQUIRE_THROWS_WITH(make("exact", {{"whole", "1"}}), Contains("true, false"));
  REQUIRE_THROWS_WITH(make("exact", {{"whole", "true"}, {"whole", "false"}}), Contains("twice"));
  REQUIRE_THROWS_AS(make(""), reward::Error);
  REQUIRE_THROWS_AS(make(std::string(1 << 20, 'm')), reward::Error);
}

TEST_CASE("weights, time-outs and kinds are checked", "[registry]") {
  reward::Settings settings;
  settings.name = "math";
  settings.weight = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_WITH(reward::make_reward(settings), Contains("weight"));
  settings.weight = 1;
  settings.timeout_ms = 0;
  REQUIRE_THROWS_WITH(reward::make_reward(settings), Contains("timeout_ms is 0"));
  settings.timeout_ms = 1;
  settings.kind = "htp";
  REQUIRE_THROWS_WITH(reward::make_reward(settings), Contains("kind is \"htp\""));
  settings.kind = "builtin";
  settings.role = "summ";
  REQUIRE_THROWS_WITH(reward::make_reward(settings), Contains("sum, gate, metric"));
  settings.role = "sum";
  settings.on_error = "ignore";
  REQUIRE_THROWS_WITH(reward::make_reward(settings), Contains("drop_sample, zero, abort"));
}

TEST_CASE("the listing names every reward and option", "[registry]") {
  const auto listing = reward::describe_builtins();
  for (const auto& name : reward::builtin_names()) CHECK_THAT(listing, Contains(name));
  for (const char* option : {"extraction", "profile", "tag", "whole", "use_all", "mode", "allow_empty_think", "prefill"})
    CHECK_THAT(listing, Contains(option));
}

TEST_CASE("statuses have the names that the metrics use", "[registry]") {
  using reward::Status;
  REQUIRE(std::string(name_of(Status::scored)) == "scored");
  REQUIRE(std::string(name_of(Status::no_answer)) == "no_answer");
  REQUIRE(std::string(name_of(Status::not_applicable)) == "not_applicable");
  REQUIRE(std::string(name_of(Status::timeout)) == "timeout");
  REQUIRE(std::string(name_of(Status::infra_error)) == "infra_error");
}
