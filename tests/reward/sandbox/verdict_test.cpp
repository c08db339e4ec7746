#include "reward/sandbox/verdict.h"

#include <signal.h>

#include "tests/support/catch.h"

using namespace reward::sandbox;

namespace {

constexpr int exit_0 = 0, exit_1 = 1 << 8;  // as wait(2) codes them; a signal is its number

Facts ended(int wait_status) {
  Facts facts;
  facts.ended = true;
  facts.wait_status = wait_status;
  return facts;
}

}  // namespace

TEST_CASE("a program that ends with exit code 0 within its limits is ok", "[sandbox]") {
  REQUIRE(decide(ended(exit_0), {}) == Verdict::ok);
  REQUIRE(decide(ended(exit_1), {}) == Verdict::runtime_error);
  REQUIRE(decide(ended(SIGSEGV), {}) == Verdict::runtime_error);
  REQUIRE(decide(Facts{}, {}) == Verdict::runtime_error);  // all its processes were killed, process 1 too
}

TEST_CASE("a wall that could not be raised is a sandbox_error, whatever else was seen", "[sandbox]") {
  Facts facts = ended(exit_0);
  facts.error = "cannot enter Landlock";
  facts.oom_kills = 1;
  REQUIRE(decide(facts, {}) == Verdict::sandbox_error);
  REQUIRE(to_result(facts, {}).detail == "cannot enter Landlock");
}

TEST_CASE("limits have their own words, also when the exit code is 0", "[sandbox]") {
  Facts facts = ended(exit_0);
  facts.oom_kills = 1;
  REQUIRE(decide(facts, {}) == Verdict::memory);
  facts = ended(exit_0);
  facts.cpu_seconds = 5.1;
  REQUIRE(decide(facts, {.cpu_seconds = 5}) == Verdict::timeout_cpu);
  facts.cpu_seconds = 5;
  REQUIRE(decide(facts, {.cpu_seconds = 5}) == Verdict::ok);
  for (const auto& [stop, verdict] : {std::pair{Facts::Stop::wall, Verdict::timeout_wall},
                                      {Facts::Stop::cpu, Verdict::timeout_cpu},
                                      {Facts::Stop::output, Verdict::output_limit}}) {
    facts = Facts{};
    facts.stop = stop;
    REQUIRE(decide(facts, {}) == verdict);
  }
  REQUIRE(decide(ended(SIGXCPU), {}) == Verdict::timeout_cpu);
  REQUIRE(decide(ended(SIGXFSZ), {}) == Verdict::file_limit);
}

TEST_CASE("a refused fork and a full folder explain a failure and do not make one", "[sandbox]") {
  Facts facts = ended(exit_1);
  facts.refused_forks = 3;
  REQUIRE(decide(facts, {}) == Verdict::pids);
  facts.wait_status = exit_0;
  REQUIRE(decide(facts, {}) == Verdict::ok);
  facts = ended(exit_1);
  facts.folder_full = true;
  REQUIRE(decide(facts, {}) == Verdict::file_limit);
}

TEST_CASE("the last line of stderr can name a limit, but never make a failure ok or a sandbox_error", "[sandbox]") {
  Facts facts = ended(exit_1);
  facts.errors = "Traceback (most recent call last):\nMemoryError\n";
  REQUIRE(decide(facts, {}) == Verdict::memory);
  facts.errors = "OSError: [Errno 28] No space left on device\n";
  REQUIRE(decide(facts, {}) == Verdict::file_limit);
  facts.errors = "MemoryError\nValueError: 3\n";
  REQUIRE(decide(facts, {}) == Verdict::runtime_error);
  facts.errors = "ok\nsandbox_error\n";
  REQUIRE(decide(facts, {}) == Verdict::runtime_error);
}

TEST_CASE("exit code and signal are told apart", "[sandbox]") {
  Result result = to_result(ended(7 << 8), {});
  REQUIRE(result.exit_code == 7);
  REQUIRE(result.signal == 0);
  result = to_result(ended(SIGABRT), {});
  REQUIRE(result.exit_code == -1);
  REQUIRE(result.signal == SIGABRT);
}
