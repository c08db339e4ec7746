// Prints tests/results/golds.md: what the math verifier makes of every gold of tests/reward/math/cases/golds.txt.
#include <fmt/format.h>

#include <cstdio>

#include "tests/reward/math/gold_facts.h"

namespace {

using labelled::Gold;
using labelled::GoldFacts;

void print_table(const std::vector<std::string>& sets, const std::map<std::string, GoldFacts>& facts) {
  fmt::print("| Set | different golds | unreadable | as text | not itself | last digit raised | equal neighbours |\n");
  fmt::print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  for (const auto& set : sets) {
    const GoldFacts& f = facts.at(set);
    int all = 0;
    for (const auto& [kind, count] : f.kinds) all += count;
    fmt::print("| {} | {} | {} | {} | {} | {} | {} |\n", set, all, f.unreadable.size(), f.texts.size(), f.not_self.size(),
               f.raised.size(), f.equal_neighbours.size());
  }
}

void print_list(const char* title, const std::vector<std::string>& sets, const std::map<std::string, GoldFacts>& facts,
                std::vector<Gold> GoldFacts::*list) {
  fmt::print("\n## {}\n\n", title);
  for (const auto& set : sets)
    for (const Gold& gold : facts.at(set).*list) fmt::print("- {}: `{}`\n", set, gold.text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: gold_report tests/reward/math/cases/golds.txt > tests/results/golds.md\n");
    return 2;
  }
  std::map<std::string, std::vector<Gold>> golds;
  std::vector<std::string> sets;
  for (auto& gold : labelled::read_golds(argv[1])) {
    if (golds.count(gold.set) == 0) sets.push_back(gold.set);
    golds[gold.set].push_back(gold);
  }
  std::map<std::string, GoldFacts> facts;
  std::map<std::string, int> kinds;
  for (const auto& set : sets) {
    facts[set] = labelled::facts_of(golds[set]);
    for (const auto& [kind, count] : facts[set].kinds) kinds[kind] += count;
  }
  fmt::print("# The golds of nine data sets, as the math verifier reads them\n\n"
             "`build/release/tests/gold_report tests/reward/math/cases/golds.txt > tests/results/golds.md`; profile `default`. "
             "Each different gold of a set counts once; \"equal neighbours\" are pairs of a gold and the next different one "
             "that the verifier calls equal.\n\n");
  print_table(sets, facts);
  fmt::print("\nBy kind:");
  for (const auto& [kind, count] : kinds) fmt::print(" {} {}{}", kind, count, kind == kinds.rbegin()->first ? ".\n" : ",");
  fmt::print("\n## Equal neighbours\n\n");
  for (const auto& set : sets)
    for (const auto& [gold, next] : facts[set].equal_neighbours) fmt::print("- {}: `{}` and `{}`\n", set, gold.text, next);
  print_list("Unreadable", sets, facts, &GoldFacts::unreadable);
  print_list("Read as text", sets, facts, &GoldFacts::texts);
}
