// Every different gold of nine data sets, from cases/golds.txt.
#include <algorithm>
#include <fstream>
#include <set>

#include "tests/reward/math/gold_facts.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace {

using labelled::Gold;

std::string path(const char* name) { return testing::source_dir() + "/tests/reward/math/" + name; }

const std::vector<Gold>& golds() {
  static const auto all = labelled::read_golds(path("cases/golds.txt"));
  return all;
}

const labelled::GoldFacts& facts() {
  static const auto all = labelled::facts_of(golds());
  return all;
}

// Lines of golden/equal_golds.txt: what a person has looked at and calls equal, or not readable.
std::set<std::string> known(const std::string& heading) {
  std::ifstream in(path("golden/equal_golds.txt"));
  std::set<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# ")) inside = line == "# " + heading;
    else if (inside && !line.empty()) lines.insert(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("every gold of the data sets can be read, but for the known ones", "[math][golds]") {
  CHECK(golds().size() > 7000);
  const auto expected = known("unreadable");
  for (const Gold& gold : facts().unreadable) CHECK(expected.count(gold.set + "\t" + gold.text) == 1);
}

TEST_CASE("every gold of the data sets matches itself", "[math][golds]") {
  for (const Gold& gold : facts().not_self) FAIL_CHECK(gold.set << ": " << gold.text);
}

TEST_CASE("a gold matches the next different one only where a person calls them equal", "[math][golds]") {
  const auto expected = known("equal neighbours");
  for (const auto& [gold, next] : facts().equal_neighbours) {
    INFO(gold.set << ": " << gold.text << " and " << next);
    CHECK(expected.count(gold.set + "\t" + gold.text + "\t" + next) == 1);
  }
}

TEST_CASE("no gold accepts itself with the last digit raised by one", "[math][golds]") {
  for (const auto& [gold, raised] : facts().raised) FAIL_CHECK(gold.set << ": " << gold.text << " accepts " << raised);
}
