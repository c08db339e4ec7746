// One comparison at work: both trees in one arena, the conventions and the work left.
//
// compare() looks at the kinds of both sides and hands them to the member for that pair; members call compare() again for
// parts. `a` is always from the answer and `b` from the gold. Throws LimitReached.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reward/math/compare.h"
#include "reward/math/exact.h"
#include "reward/math/tree.h"
#include "reward/math/work.h"

namespace reward::math {

class Comparer {
 public:
  Comparer(Tree both, const Conventions& rules, const Limits& limits)
      : tree(std::move(both)), conventions(rules), work(limits) {}

  Comparison compare(Index a, Index b);
  Comparison values(Index a, Index b);  // formulas that stand for one number each, or for one expression

  // compare_sets.cpp: the members of a list, a set, "x = 1 or x = 2", \pm a; nothing for other kinds.
  struct Items {
    std::vector<Index> members;
    bool is_set = false;  // members count once
  };
  std::optional<Items> items_of(Index at);
  Comparison match(const std::vector<Index>& a, const std::vector<Index>& b, const char* reason);    // in any order
  Comparison in_order(const std::vector<Index>& a, const std::vector<Index>& b, const char* reason);

  // solve.cpp: the set of values of the only unknown in an equation of degree 1 or 2.
  std::optional<Index> solutions(Index equation);

  Kind kind(Index at) const { return tree[at].kind; }

  Tree tree;
  const Conventions& conventions;
  Work work;

 private:
  // compare_values.cpp
  std::optional<Comparison> as_written(Index a, Index b);
  bool decimals_agree(Index a, Index b, const Exact& x, const Exact& y);
  std::optional<Comparison> infinities(Index a, Index b);
  Comparison symbolic(Index a, Index b);

  // compare_text.cpp
  Comparison texts(Index a, Index b) const;
  Comparison quantities(Index a, Index b);
  Comparison percents(Index a, Index b);
  Comparison angles(Index a, Index b);

  // compare_sets.cpp
  Comparison collections(Index a, Index b);
  std::vector<Index> distinct(const std::vector<Index>& members);
  Comparison tuples(Index a, Index b);
  Comparison matrices(Index a, Index b);
  Comparison ratios(Index a, Index b);
  Comparison regions(Index a, Index b);
  Comparison regions_by_parts(Index a, Index b);

  // compare_relations.cpp
  Comparison statements(Index a, Index b);
  std::optional<Index> shortened(Index chain);
  Comparison two_statements(Index a, Index b);
  Comparison statement_and_value(Index statement, Index value, bool swapped);
  Comparison equations(Index a, Index b);
  Comparison inequalities(Index a, Index b);
  Comparison turned(Index a, Index b, bool swapped) { return swapped ? compare(b, a) : compare(a, b); }
};

bool is_statement(Kind kind);
bool is_region(Kind kind);  // subsets of the line other than finite sets
std::vector<std::string> signs_of(const Node& relation);
// The tree as the comparison wants it: angles in functions in radians, arithmetic on matrices done, no approx, a lone name
// on the left. Throws LimitReached.
Index prepared(Tree& tree, Index at);

}  // namespace reward::math
