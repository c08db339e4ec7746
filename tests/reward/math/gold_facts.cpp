#include "tests/reward/math/gold_facts.h"

namespace labelled {
namespace {

using reward::math::Extraction;
using reward::math::Status;
using reward::math::Verifier;

bool has_letter(const std::string& text, size_t from) {
  for (size_t i = from; i < text.size(); ++i)
    if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')) return true;
  return false;
}

}  // namespace

std::string kind_of(const std::string& tree) {
  if (tree.empty()) return "unreadable";
  if (tree[0] == '"') return "text";
  if (tree[0] == '(') return tree.substr(1, tree.find_first_of(" )", 1) - 1);
  if (tree[0] < '0' || tree[0] > '9') return tree == "pi" || tree == "infinity" || tree == "empty_set" ? tree : "symbol";
  if (tree.find('_') != std::string::npos) return "based";
  return tree.find('.') != std::string::npos || has_letter(tree, 1) ? "decimal" : "integer";
}

GoldFacts facts_of(const std::vector<Gold>& golds) {
  GoldFacts facts;
  const Verifier verifier("default", Extraction::whole);
  for (size_t i = 0; i < golds.size(); ++i) {
    const Gold& gold = golds[i];
    if (!verifier.gold_problem(gold.text).empty()) {
      facts.unreadable.push_back(gold);
      ++facts.kinds["unreadable"];
      continue;
    }
    const auto self = verifier.compare(gold.text, gold.text);
    const std::string kind = kind_of(self.gold);
    ++facts.kinds[kind];
    if (kind == "text") facts.texts.push_back(gold);
    if (self.status != Status::match) facts.not_self.push_back(gold);
    const std::string raised = last_digit_raised(gold.text);
    if (!raised.empty() && verifier.compare(raised, gold.text).status == Status::match) facts.raised.emplace_back(gold, raised);
    if (i + 1 < golds.size() && golds[i + 1].set == gold.set &&
        verifier.compare(golds[i + 1].text, gold.text).status == Status::match)
      facts.equal_neighbours.emplace_back(gold, golds[i + 1].text);
  }
  return facts;
}

}  // namespace labelled
