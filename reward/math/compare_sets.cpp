// Lists, sets, tuples, matrices, ratios, and subsets of the line.
#include <algorithm>
#include <map>

#include "reward/math/comparer.h"
#include "reward/math/regions.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

Comparison verdict(bool equal, const char* reason) { return {equal ? Equality::equal : Equality::different, reason}; }

bool is_equation(const Tree& tree, Index at) { return tree[at].kind == Kind::relation && tree[at].text == "="; }

// The tree with every \pm read as + (sign 1) or as - (sign -1). In \pm\pm 1 only the outer one varies.
Index with_sign(Tree& tree, Index at, int64_t sign) {
  if (!has(tree, at, {Kind::plus_minus})) return at;
  Node copy = tree[at];
  for (auto& child : copy.children) {
    const bool varies = copy.kind != Kind::plus_minus || child != tree[at].children.back();
    child = with_sign(tree, child, varies ? sign : 1);
  }
  if (copy.kind != Kind::plus_minus) {
    tree.nodes.push_back(std::move(copy));
    return static_cast<Index>(tree.nodes.size()) - 1;
  }
  const bool minus = (copy.number < 0 ? -sign : sign) < 0;
  auto last = copy.children.back();
  if (minus) last = add(tree, Kind::negation, {last});
  return copy.children.size() == 1 ? last : add(tree, Kind::sum, {copy.children[0], last});
}

// Perfect matching by augmenting paths; edges are asked for once each and only when needed.
class Matching {
 public:
  Matching(Comparer& comparer, const std::vector<Index>& a, const std::vector<Index>& b)
      : comparer_(comparer), a_(a), b_(b), known_(a.size() * b.size(), -1), partner_(b.size(), -1) {}

  // undecided edges count where `doubtful`.
  bool perfect(bool doubtful) {
    doubtful_ = doubtful;
    std::fill(partner_.begin(), partner_.end(), -1);
    for (size_t i = 0; i < a_.size(); ++i) {
      seen_.assign(b_.size(), false);
      if (!augment(i)) return false;
    }
    return true;
  }

 private:
  bool edge(size_t i, size_t j) {
    auto& known = known_[i * b_.size() + j];
    if (known < 0) known = static_cast<int8_t>(comparer_.compare(a_[i], b_[j]).equality);
    const auto equality = static_cast<Equality>(known);
    return equality == Equality::equal || (doubtful_ && equality != Equality::different);
  }

  bool augment(size_t i) {
    for (size_t k = 0; k < b_.size(); ++k) {
      const size_t j = (i + k) % b_.size();  // the same place first
      comparer_.work.spend(1);
      if (seen_[j] || !edge(i, j)) continue;
      seen_[j] = true;
      if (partner_[j] < 0 || augment(static_cast<size_t>(partner_[j]))) return partner_[j] = static_cast<int64_t>(i), true;
    }
    return false;
  }

  Comparer& comparer_;
  const std::vector<Index>&a_, &b_;
  std::vector<int8_t> known_;
  std::vector<int64_t> partner_;
  std::vector<bool> seen_;
  bool doubtful_ = false;
};

// x = 1, y = 2 in the order of the names: the values; nothing if these are no assignments to different symbols.
std::optional<std::vector<Index>> assigned_values(const Tree& tree, const std::vector<Index>& members) {
  std::map<std::string, Index> values;
  for (const auto member : members) {
    if (!is_equation(tree, member) || tree[tree[member].children[0]].kind != Kind::symbol) return std::nullopt;
    if (!values.emplace(tree[tree[member].children[0]].text, tree[member].children[1]).second) return std::nullopt;
  }
  std::vector<Index> result;
  for (const auto& [name, value] : values) result.push_back(value);
  return result;
}

}  // namespace

std::optional<Comparer::Items> Comparer::items_of(Index at) {
  work.spend(5);
  const Node node = tree[at];
  const bool statements = node.kind == Kind::conjunction || node.kind == Kind::disjunction;
  if (node.kind == Kind::empty_set) return Items{{}, true};
  if (node.kind == Kind::list || node.kind == Kind::set || statements) {
    Items items{{}, node.kind == Kind::set || node.kind == Kind::disjunction};
    for (const auto child : node.children) {
      const bool nested = kind(child) != Kind::set && kind(child) != Kind::empty_set;
      const auto inner = nested ? items_of(child) : std::nullopt;
      if (inner) items.members.insert(items.members.end(), inner->members.begin(), inner->members.end());
      else items.members.push_back(child);
    }
    const auto equation = [&](Index member) { return is_equation(tree, member); };
    if (statements && !std::all_of(items.members.begin(), items.members.end(), equation)) return std::nullopt;
    return items;
  }
  if (has(tree, at, {Kind::plus_minus})) return Items{{with_sign(tree, at, 1), with_sign(tree, at, -1)}, true};
  const bool names_members = node.kind == Kind::relation && (node.text == "=" || node.text == "in");
  if (!names_members || kind(node.children[0]) != Kind::symbol) return std::nullopt;
  const auto right = node.children[1];
  if (kind(right) != Kind::set && kind(right) != Kind::list) return std::nullopt;
  Items items = *items_of(right);
  items.is_set = true;
  for (auto& member : items.members) member = add(tree, Kind::relation, {node.children[0], member}, "=");
  return items;
}

Comparison Comparer::match(const std::vector<Index>& a, const std::vector<Index>& b, const char* reason) {
  if (a.size() != b.size()) return verdict(false, reason);
  work.spend(static_cast<int64_t>(a.size() * b.size() / 4));  // before so many edges get memory
  Matching matching(*this, a, b);
  if (matching.perfect(false)) return verdict(true, reason);
  if (matching.perfect(true)) return {Equality::undecided, reason};
  return verdict(false, reason);
}

Comparison Comparer::in_order(const std::vector<Index>& a, const std::vector<Index>& b, const char* reason) {
  if (a.size() != b.size()) return verdict(false, reason);
  bool doubtful = false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto equality = compare(a[i], b[i]).equality;
    if (equality == Equality::different) return verdict(false, reason);
    doubtful |= equality != Equality::equal;
  }
  if (doubtful) return {Equality::undecided, reason};
  return verdict(true, reason);
}

std::vector<Index> Comparer::distinct(const std::vector<Index>& members) {
  std::vector<Index> kept;
  for (const auto member : members) {
    const auto again = [&](Index other) { return compare(member, other).equality == Equality::equal; };
    if (std::none_of(kept.begin(), kept.end(), again)) kept.push_back(member);
  }
  return kept;
}

Comparison Comparer::collections(Index a, Index b) {
  auto x = items_of(a), y = items_of(b);
  if (!x && kind(a) == Kind::relation)
    if (const auto solved = solutions(a)) x = items_of(*solved);
  if (!y && kind(b) == Kind::relation)
    if (const auto solved = solutions(b)) y = items_of(*solved);
  if (x && y) {
    const bool one_is_or = (kind(a) == Kind::disjunction) != (kind(b) == Kind::disjunction);
    if (one_is_or && assigned_values(tree, x->members)) return verdict(false, "set");  // x = 5 or y = 6 is not both
    if (x->is_set || y->is_set) x->members = distinct(x->members), y->members = distinct(y->members);
    return match(x->members, y->members, "set");
  }
  const auto& items = x ? *x : *y;
  const auto other = x ? b : a;
  if (is_region(kind(other))) return regions(a, b);
  if (kind(other) == Kind::tuple) {
    const auto parts = tree[other].children;
    auto members = items.members;
    if (kind(x ? a : b) == Kind::disjunction) return verdict(false, "tuple");  // x = 2 or y = 3 is no point
    if (const auto assigned = assigned_values(tree, members)) members = *assigned;
    else if (!conventions.unordered_tuples) return verdict(false, "kind");
    const auto in_any_order = conventions.unordered_tuples;
    const auto &left = x ? members : parts, &right = x ? parts : members;
    return in_any_order ? match(left, right, "tuple") : in_order(left, right, "tuple");
  }
  const auto members = items.is_set ? distinct(items.members) : items.members;
  if (members.size() != 1) return verdict(false, "kind");
  return x ? compare(members[0], b) : compare(a, members[0]);
}

Comparison Comparer::tuples(Index a, Index b) {
  const auto parts = [&](Index at) -> std::optional<std::vector<Index>> {
    const auto& node = tree[at];
    const auto count = static_cast<int64_t>(node.children.size());
    const bool line = node.kind == Kind::matrix && (node.number == 1 || node.number == count);
    if (node.kind == Kind::tuple || line) return node.children;
    return std::nullopt;
  };
  const auto x = parts(a), y = parts(b);
  if (x && y) return conventions.unordered_tuples ? match(*x, *y, "tuple") : in_order(*x, *y, "tuple");
  const auto& some = x ? *x : *y;
  if (some.size() != 1) return verdict(false, "kind");
  const auto only = some[0];
  return x ? compare(only, b) : compare(a, only);
}

Comparison Comparer::matrices(Index a, Index b) {
  const Node x = tree[a], y = tree[b];
  if (x.kind == Kind::matrix && y.kind == Kind::matrix)
    return x.number == y.number ? in_order(x.children, y.children, "matrix") : verdict(false, "matrix");
  const auto& matrix = x.kind == Kind::matrix ? x : y;
  if (matrix.children.size() != 1) return verdict(false, "kind");
  return x.kind == Kind::matrix ? compare(x.children[0], b) : compare(a, y.children[0]);
}

// 2:4 equals 1:2, by products across; two parts also equal a number.
Comparison Comparer::ratios(Index a, Index b) {
  const Node x = tree[a], y = tree[b];
  const auto quotient = [&](const Node& ratio) { return add(tree, Kind::quotient, ratio.children); };
  if (x.kind != Kind::ratio || y.kind != Kind::ratio) {
    const auto& ratio = x.kind == Kind::ratio ? x : y;
    if (ratio.children.size() != 2) return verdict(false, "kind");
    const auto value = quotient(ratio);
    return x.kind == Kind::ratio ? compare(value, b) : compare(a, value);
  }
  if (x.children.size() != y.children.size()) return verdict(false, "ratio");
  if (!conventions.reduce_fractions) return in_order(x.children, y.children, "ratio");
  std::vector<Index> left, right;
  for (size_t i = 1; i < x.children.size(); ++i) {
    left.push_back(add(tree, Kind::quotient, {x.children[i], x.children[0]}));
    right.push_back(add(tree, Kind::quotient, {y.children[i], y.children[0]}));
  }
  return in_order(left, right, "ratio");
}

Comparison Comparer::regions(Index a, Index b) {
  if (!conventions.interval_is_tuple && (kind(a) == Kind::tuple || kind(b) == Kind::tuple)) return verdict(false, "kind");
  if (const auto equal = same_region(*this, a, b)) return verdict(*equal, "interval");
  return regions_by_parts(a, b);
}

// For ends with symbols: the same parts.
Comparison Comparer::regions_by_parts(Index a, Index b) {
  const Node x = tree[a], y = tree[b];
  const auto is_interval = [](const Node& n) {
    return n.kind == Kind::interval || (n.kind == Kind::tuple && n.children.size() == 2);
  };
  if (is_interval(x) && is_interval(y)) {
    const auto ends = [](const Node& n) { return n.kind == Kind::interval ? n.number & 3 : 0; };
    if (!conventions.ignore_interval_ends && ends(x) != ends(y)) return verdict(false, "interval");
    return in_order(x.children, y.children, "interval");
  }
  if (x.kind == y.kind && (x.kind == Kind::set_union || x.kind == Kind::set_intersection))
    return match(x.children, y.children, "interval");
  if (x.kind == y.kind && x.kind == Kind::set_difference) return in_order(x.children, y.children, "interval");
  if (x.kind == Kind::number_set || y.kind == Kind::number_set) return verdict(false, "kind");
  if (is_region(x.kind) && is_region(y.kind)) return {Equality::undecided, "interval"};
  return verdict(false, "kind");
}

}  // namespace reward::math
