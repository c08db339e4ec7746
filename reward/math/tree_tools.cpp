#include "reward/math/tree_tools.h"

#include <algorithm>
#include <utility>

namespace reward::math {
namespace {

struct Arity {
  size_t least, most;
};
constexpr size_t any_number = static_cast<size_t>(-1);

Arity function_arity(const std::string& name) {
  if (name == "log") return {1, 2};
  if (name == "gcd" || name == "lcm" || name == "max" || name == "min") return {1, any_number};
  if (name == "mod" || name == "binomial") return {2, 2};
  return {1, 1};
}

Arity arity(const Node& node) {
  switch (node.kind) {
    case Kind::sum: case Kind::product: case Kind::list: case Kind::relation: case Kind::ratio: return {2, any_number};
    case Kind::quotient: case Kind::power: case Kind::root: case Kind::interval: return {2, 2};
    case Kind::negation: case Kind::factorial: case Kind::percent: case Kind::degrees: case Kind::quantity: return {1, 1};
    case Kind::plus_minus: return {1, 2};
    case Kind::function: return function_arity(node.text);
    case Kind::finite_sum: case Kind::finite_product: return {4, 4};
    case Kind::tuple: case Kind::set: case Kind::matrix: case Kind::call: return {0, any_number};
    case Kind::set_union: case Kind::set_intersection: case Kind::set_difference: return {2, any_number};
    case Kind::conjunction: case Kind::disjunction: return {1, any_number};
    default: return {0, 0};
  }
}

// A node's own part of being well formed: what the comparison relies on without looking again.
bool well_formed(const Tree& tree, const Node& node) {
  const auto [least, most] = arity(node);
  const auto count = node.children.size();
  if (count < least || count > most) return false;
  if (node.kind == Kind::finite_sum || node.kind == Kind::finite_product)
    return node.children[0] >= 0 && node.children[0] < tree.root && tree[node.children[0]].kind == Kind::symbol;
  if (node.kind == Kind::matrix) return node.number > 0 && count > 0 && count % static_cast<size_t>(node.number) == 0;
  if (node.kind == Kind::relation)
    return std::count(node.text.begin(), node.text.end(), ' ') + 2 == static_cast<int64_t>(count) && node.text != "";
  return true;
}

void collect_symbols(const Tree& tree, Index at, std::vector<std::string>& bound, std::vector<std::string>& found) {
  const auto& node = tree[at];
  if (auto name = variable_name(node); !name.empty() && std::find(bound.begin(), bound.end(), name) == bound.end())
    found.push_back(std::move(name));
  const bool binds = node.kind == Kind::finite_sum || node.kind == Kind::finite_product;
  if (!binds) {
    for (const auto child : node.children) collect_symbols(tree, child, bound, found);
    return;
  }
  collect_symbols(tree, node.children[1], bound, found);
  collect_symbols(tree, node.children[2], bound, found);
  bound.push_back(tree[node.children[0]].text);
  collect_symbols(tree, node.children[3], bound, found);
  bound.pop_back();
}

}  // namespace

Index add(Tree& tree, Kind kind, std::vector<Index> children, std::string text, int64_t number) {
  tree.nodes.push_back({kind, std::move(text), number, std::move(children)});
  return static_cast<Index>(tree.nodes.size()) - 1;
}

Index add_integer(Tree& tree, int64_t value) {
  const auto digits = std::to_string(value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
  const auto leaf = add(tree, Kind::integer, {}, digits);
  return value < 0 ? add(tree, Kind::negation, {leaf}) : leaf;
}

Index add_difference(Tree& tree, Index a, Index b) { return add(tree, Kind::sum, {a, add(tree, Kind::negation, {b})}); }

Index append(Tree& to, const Tree& from) {
  const auto shift = static_cast<Index>(to.nodes.size());
  for (auto node : from.nodes) {
    for (auto& child : node.children) child += shift;
    to.nodes.push_back(std::move(node));
  }
  return from.root + shift;
}

Index substitute(Tree& tree, Index at, const std::string& name, Index value) {
  if (tree[at].kind == Kind::symbol && tree[at].text == name) return value;
  if (is_free_of(tree, at, name)) return at;
  Node copy = tree[at];
  const bool binds = copy.kind == Kind::finite_sum || copy.kind == Kind::finite_product;
  for (size_t i = binds ? 1 : 0; i < copy.children.size(); ++i) {
    if (binds && i == 3 && tree[copy.children[0]].text == name) continue;
    copy.children[i] = substitute(tree, copy.children[i], name, value);
  }
  tree.nodes.push_back(std::move(copy));
  return static_cast<Index>(tree.nodes.size()) - 1;
}

bool same(const Tree& tree, Index a, Index b) {
  if (a == b) return true;
  const auto &x = tree[a], &y = tree[b];
  if (x.kind != y.kind || x.number != y.number || x.text != y.text || x.children.size() != y.children.size()) return false;
  for (size_t i = 0; i < x.children.size(); ++i)
    if (!same(tree, x.children[i], y.children[i])) return false;
  return true;
}

bool has(const Tree& tree, Index at, std::initializer_list<Kind> kinds) {
  const auto& node = tree[at];
  if (std::find(kinds.begin(), kinds.end(), node.kind) != kinds.end()) return true;
  return std::any_of(node.children.begin(), node.children.end(), [&](Index child) { return has(tree, child, kinds); });
}

std::string variable_name(const Node& node) {
  if (node.kind == Kind::symbol || node.kind == Kind::choice) return node.text;
  if (node.kind == Kind::quantity) return "unit " + node.text;
  return "";
}

std::vector<std::string> free_symbols(const Tree& tree, Index at) {
  std::vector<std::string> bound, found;
  collect_symbols(tree, at, bound, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

bool is_free_of(const Tree& tree, Index at, const std::string& name) {
  const auto names = free_symbols(tree, at);
  return !std::binary_search(names.begin(), names.end(), name);
}

int64_t checked_depth(const Tree& tree) {
  if (tree.root < 0 || tree.root >= static_cast<Index>(tree.nodes.size())) return -1;
  std::vector<int64_t> depth(tree.nodes.size());  // 0: not reached from the root
  depth[static_cast<size_t>(tree.root)] = 1;
  for (Index i = tree.root; i >= 0; --i) {
    const auto here = depth[static_cast<size_t>(i)];
    if (here == 0) continue;
    if (!well_formed(tree, tree[i])) return -1;
    for (const auto child : tree[i].children) {
      if (child < 0 || child >= i || depth[static_cast<size_t>(child)] != 0) return -1;
      depth[static_cast<size_t>(child)] = here + 1;
    }
  }
  return *std::max_element(depth.begin(), depth.end());
}

}  // namespace reward::math
