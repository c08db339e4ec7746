#include <algorithm>

#include "reward/reward.h"
#include "reward/sandbox/sandbox.h"
#include "tests/support/catch.h"

using namespace reward::sandbox;
using Catch::Matchers::Contains;

TEST_CASE("every wall is tried and has words", "[sandbox]") {
  const auto walls = probe_walls();
  for (const char* name : {"mount namespace", "pid namespace", "network namespace", "user namespace", "private root",
                           "cgroup memory", "cgroup pids", "seccomp", "landlock", "rlimits", "unprivileged uid",
                               "empty environment"}) {
    INFO(name);
    const auto wall = std::find_if(walls.begin(), walls.end(), [&](const Wall& one) { return one.name == name; });
    REQUIRE(wall != walls.end());
    REQUIRE(!wall->detail.empty());
  }
}

TEST_CASE("where the kernel gives namespaces, the walls that are our own doing stand", "[sandbox]") {
  const auto walls = probe_walls();
  const auto stands = [&](const std::string& name) {
    return std::any_of(walls.begin(), walls.end(), [&](const Wall& wall) { return wall.name == name && wall.stands; });
  };
  if (!stands("mount namespace") || !stands("pid namespace")) return;
  for (const char* name : {"private root", "unprivileged uid", "capabilities dropped", "no new privileges", "seccomp", "rlimits",
                           "empty environment"}) {
    INFO(name << "\n" << describe_walls(walls));
    CHECK(stands(name));
  }
  for (const auto& wall : walls) CHECK_THAT(wall.detail, !Contains("did not hold"));
}

TEST_CASE("the table of walls has a line for each, and shows which are missing", "[sandbox]") {
  const std::string table = describe_walls({{"seccomp", true, true, "fine"}, {"landlock", false, false, "no kernel support"}});
  REQUIRE_THAT(table, Contains("seccomp                yes      yes       fine\n"));
  REQUIRE_THAT(table, Contains("landlock               NO       no        no kernel support\n"));
}

TEST_CASE("missing walls are refused by name, with the reason and the way out", "[sandbox]") {
  const std::vector<Wall> walls = {{"mount namespace", true, true, ""},
                                   {"network namespace", false, true, "Operation not permitted"},
                                   {"seccomp", false, true, "Invalid argument"},
                                   {"landlock", false, false, "old kernel"}};
  try {
    require_walls(walls, {});
    FAIL("no error");
  } catch (const reward::Error& error) {
    REQUIRE_THAT(error.what(), Contains("network namespace: Operation not permitted"));
    REQUIRE_THAT(error.what(), Contains("seccomp: Invalid argument"));
    REQUIRE_THAT(error.what(), Contains("allow_missing = [\"network namespace\", \"seccomp\"]"));
    REQUIRE_THAT(error.what(), !Contains("landlock"));
  }
  REQUIRE_THROWS_AS(require_walls(walls, {"seccomp"}), reward::Error);
  REQUIRE_NOTHROW(require_walls(walls, {"seccomp", "network namespace"}));
}

TEST_CASE("only walls that can be done without may be waived", "[sandbox]") {
  REQUIRE_THROWS_WITH(Sandbox(1, {"private root"}), Contains("allow_missing names \"private root\""));
  REQUIRE_THROWS_WITH(Sandbox(0), Contains("0 workers"));
}
