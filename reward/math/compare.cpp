#include "reward/math/compare.h"

#include "reward/math/comparer.h"
#include "reward/math/number_types.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

constexpr int64_t most_depth = 400;  // of a tree: the parser's depth counts brackets, each of which makes a few nodes

bool too_large(const Tree& tree, const Limits& limits) { return static_cast<int64_t>(tree.nodes.size()) > limits.nodes; }

Comparison compare_as_written(const Tree& both, Index a, Index b) {
  return {same(both, a, b) ? Equality::equal : Equality::different, "text"};
}

}  // namespace

Comparison compare(const Tree& answer, const Tree& gold, const Conventions& conventions, const Limits& limits) {
  clean_up_at_thread_end();
  if (too_large(answer, limits) || too_large(gold, limits)) return {Equality::limit, "too_many_nodes"};
  const auto deep_a = checked_depth(answer), deep_b = checked_depth(gold);
  if (deep_a < 0 || deep_b < 0) return {Equality::undecided, "malformed"};
  if (deep_a > most_depth || deep_b > most_depth) return {Equality::limit, "too_deep"};
  Tree both;
  const auto a = append(both, answer), b = append(both, gold);
  if (conventions.strings_only) return compare_as_written(both, a, b);
  if (same(both, a, b)) return {Equality::equal, "same"};
  try {
    const auto prepared_a = prepared(both, a), prepared_b = prepared(both, b);
    return Comparer(std::move(both), conventions, limits).compare(prepared_a, prepared_b);
  } catch (const LimitReached&) {
    return {Equality::limit, "work"};
  }
}

bool is_statement(Kind kind) { return kind == Kind::relation || kind == Kind::conjunction || kind == Kind::disjunction; }

bool is_region(Kind kind) {
  return kind == Kind::interval || kind == Kind::set_union || kind == Kind::set_intersection || kind == Kind::set_difference ||
         kind == Kind::number_set;
}

Comparison Comparer::compare(Index a, Index b) {
  work.spend(10);
  if (same(tree, a, b)) return {Equality::equal, "same"};
  const auto either = [&](auto test) { return test(kind(a)) || test(kind(b)); };
  const auto one_is = [&](Kind wanted) { return kind(a) == wanted || kind(b) == wanted; };
  if (either(is_statement)) return statements(a, b);
  if (one_is(Kind::quantity)) return quantities(a, b);
  if (items_of(a) || items_of(b)) return collections(a, b);
  if (one_is(Kind::text) || one_is(Kind::choice)) return texts(a, b);
  if (either(is_region)) return regions(a, b);
  if (one_is(Kind::tuple)) return tuples(a, b);
  if (one_is(Kind::matrix)) return matrices(a, b);
  if (one_is(Kind::ratio)) return ratios(a, b);
  if (one_is(Kind::based)) {  // 204_5 is 54, but an answer in another base than the gold's is another answer
    const auto base = [&](Index at) { return kind(at) == Kind::based ? tree[at].number : 10; };
    if (base(a) != base(b)) return {Equality::different, "base"};
  }
  if (one_is(Kind::percent)) return percents(a, b);
  return angles(a, b);
}

}  // namespace reward::math
