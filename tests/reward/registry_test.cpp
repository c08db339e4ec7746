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
    for (const char* prefill : {"", "<think>"})
      for (const char* empty : {"true", "false"})
        CHECK(make("format", {{"mode", mode}, {"prefill", prefill}, {"allow_empty_think", empty}})->self_test() == "");
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
  REQUIRE_THROWS_WITH(reward::make_builtin(settings), Contains("weight"));
  settings.weight = 1;
  settings.timeout_ms = 0;
  REQUIRE_THROWS_WITH(reward::make_builtin(settings), Contains("timeout_ms is 0"));
  settings.timeout_ms = 1;
  settings.kind = "http";
  REQUIRE_THROWS_WITH(reward::make_builtin(settings), Contains("kind is \"http\""));
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
