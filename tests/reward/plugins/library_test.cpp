#include <unistd.h>

#include <filesystem>

#include "reward/plugins/plugins.h"
#include "tests/reward/plugins/support.h"

using Catch::Matchers::Contains;
using reward::Status;
using Strings = std::vector<std::string>;

namespace {

// Beside the test program, where CMake puts them.
std::string library(const std::string& name) {
  return (std::filesystem::canonical("/proc/self/exe").parent_path() / "libraries" / name).string();
}

reward::Settings settings_of(const std::string& name, const std::string& isolate = "none") {
  reward::Settings settings;
  settings.name = name;
  settings.kind = "library";
  settings.file = library(name + ".so");
  settings.isolate = isolate;
  settings.timeout_ms = 60000;
  return settings;
}

std::unique_ptr<reward::Reward> load(const reward::Settings& settings) {
  return reward::make_library_reward(settings, {library("reward_host")});
}

}  // namespace

TEST_CASE("the example in C scores the last word, in this process and in a child", "[library]") {
  for (const char* isolate : {"none", "process"}) {
    const auto last_word = load(settings_of("last_word", isolate));
    REQUIRE(last_word->self_test() == "");
    const auto got = last_word->score(group_of({"so it is 42", "it is 42.", "", "42 \n", "142"}), within(60s));
    CHECK(told(got) == Strings{"1.0", "0.0", "0.0", "1.0", "0.0"});
    CHECK(got[1].extracted == "42.");
  }
  CHECK(load(settings_of("last_word"))->version() == "library");
  const auto last_word = load(settings_of("last_word", "process"));
  last_word->self_test();
  CHECK(last_word->version() == "library last_word 1, protocol 1");
}

TEST_CASE("a library gets its options, and its texts are copied", "[library]") {
  for (const char* isolate : {"none", "process"}) {
    auto settings = settings_of("faulty", isolate);
    settings.options = {{"buffer", "512"}};
    const auto faulty = load(settings);
    const auto got = faulty->score(group_of({"four", "seven77"}), within(60s));
    CHECK(told(got) == Strings{"4.0", "7.0"});
    CHECK(got[0].detail == R"({"buffer":"512"})");
    CHECK(got[0].extracted == "42");
    using Components = std::vector<std::pair<std::string, double>>;
    CHECK(got[0].components == Components{{"length", 2.5}});  // what is not a number is left out
  }
}

TEST_CASE("a library's results are checked one by one", "[library]") {
  for (const char* isolate : {"none", "process"}) {
    const auto items = group_of({"[nan]", "[unset]", "[skip]", "[error]", "four"});
    const auto got = load(settings_of("faulty", isolate))->score(items, within(60s));
    CHECK(got[0].status == Status::infra_error);
    CHECK(got[1].status == Status::infra_error);
    CHECK(got[2].status == Status::not_applicable);
    CHECK(got[3].status == Status::infra_error);
    CHECK(told(got[4]) == "4.0");
    CHECK_THAT(got[0].detail, Contains("nan"));
  }
}

TEST_CASE("a library that reports a failure scores nothing", "[library]") {
  const auto got = load(settings_of("faulty"))->score(group_of({"four", "[fail]"}), within(60s));
  CHECK(told(got) == Strings{"infra_error plugin_error", "infra_error plugin_error"});
  CHECK_THAT(got[0].detail, Contains("returned 5: told to fail"));
}

TEST_CASE("a crash and a print of an isolated library cost one completion and none", "[library]") {
  const auto faulty = load(settings_of("faulty", "process"));
  const auto got = faulty->score(group_of({"four", "[crash]", "[print]"}), within(60s));
  CHECK(told(got) == Strings{"4.0", "infra_error poison", "7.0"});
}

TEST_CASE("a call past its deadline is not begun", "[library]") {
  CHECK(told(load(settings_of("faulty"))->score(group_of({"four"}), within(-1s))) == Strings{"timeout deadline"});
}

TEST_CASE("a file that is no plug-in, of another interface or that refuses its config says so", "[library]") {
  auto refusing = settings_of("faulty");
  refusing.options = {{"refuse", "yes"}};
  const std::vector<std::pair<reward::Settings, std::string>> cases = {
      {settings_of("nowhere"), "cannot be loaded"},
      {settings_of("no_plugin"), "exports no ponder_reward_plugin_v1"},
      {settings_of("faulty_abi"), "has interface 9"},
      {refusing, "refused its config {\"refuse\":\"yes\"}: told to refuse"},
  };
  for (const auto& [settings, why] : cases) {
    CHECK_THAT(load(settings)->self_test(), Contains(why));
    auto isolated = settings;
    isolated.isolate = "process";
    CHECK_THAT(load(isolated)->self_test(), Contains(why));
  }
}
