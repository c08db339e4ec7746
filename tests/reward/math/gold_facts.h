// What the verifier makes of the golds of whole data sets: kinds, unreadable ones, neighbours that are equal.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/reward/math/labelled.h"

namespace labelled {

struct GoldFacts {
  std::map<std::string, int> kinds;                           // of the root, or "unreadable"
  std::vector<Gold> unreadable, texts, not_self;              // not_self: does not match itself
  std::vector<std::pair<Gold, std::string>> equal_neighbours; // a gold and the next different one of its set
  std::vector<std::pair<Gold, std::string>> raised;           // matches although its last digit was raised by one
};

GoldFacts facts_of(const std::vector<Gold>& golds);

// The kind of a tree from its text: "integer", "decimal", "based", "symbol", "text", "choice", "tuple", ...
std::string kind_of(const std::string& tree);

}  // namespace labelled
