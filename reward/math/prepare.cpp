// Rewriting before the comparison: what has one meaning but several spellings.
#include <algorithm>
#include <optional>

#include "reward/math/comparer.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

constexpr size_t most_elements = 400;   // of a matrix that arithmetic is done on
constexpr int64_t most_visits = 40000;  // of nodes in a walk over what the arithmetic made

bool takes_an_angle(const Node& node) {
  return node.kind == Kind::function && (node.text == "sin" || node.text == "cos" || node.text == "tan" || node.text == "cot" ||
                                         node.text == "sec" || node.text == "csc");
}

Index push(Tree& tree, Node node) {
  tree.nodes.push_back(std::move(node));
  return static_cast<Index>(tree.nodes.size()) - 1;
}

void count_visits(const Tree& tree, Index at, int64_t& left) {
  if (--left < 0) throw LimitReached{};
  for (const auto child : tree[at].children) count_visits(tree, child, left);
}

// A determinant has each cell in several products, and s M has s in each element: they are shared nodes, but every walk meets
// them again, so a nest of them would grow as a power of its depth.
Index bounded(const Tree& tree, Index at) {
  int64_t left = most_visits;
  count_visits(tree, at, left);
  return at;
}

Index radians(Tree& tree, Index degrees) {
  const auto pi = add(tree, Kind::pi, {});
  return add(tree, Kind::quotient, {add(tree, Kind::product, {degrees, pi}), add_integer(tree, 180)});
}

bool is_matrix(const Tree& tree, Index at) { return tree[at].kind == Kind::matrix; }

// -M, M/s, s M t and sums of matrices of one shape, element by element. `node` is no node of the tree yet.
std::optional<Node> matrix_arithmetic(Tree& tree, const Node& node) {
  const auto matrices = std::count_if(node.children.begin(), node.children.end(), [&](Index c) { return is_matrix(tree, c); });
  const bool all = matrices == static_cast<int64_t>(node.children.size());
  const bool scaled = (node.kind == Kind::product && matrices == 1) ||
                      (node.kind == Kind::quotient && matrices == 1 && is_matrix(tree, node.children[0]));
  if (!scaled && !(all && (node.kind == Kind::sum || node.kind == Kind::negation))) return std::nullopt;
  const auto first = std::find_if(node.children.begin(), node.children.end(), [&](Index c) { return is_matrix(tree, c); });
  Node result = tree[*first];
  if (result.children.size() > most_elements) return std::nullopt;
  for (const auto child : node.children) {
    if (!is_matrix(tree, child)) continue;
    if (tree[child].number != result.number || tree[child].children.size() != result.children.size()) return std::nullopt;
  }
  for (size_t i = 0; i < result.children.size(); ++i) {
    auto parts = node.children;
    for (auto& part : parts)
      if (is_matrix(tree, part)) part = tree[part].children[i];
    result.children[i] = add(tree, node.kind, std::move(parts));
  }
  return result;
}

// By the first row; up to 4 rows.
Index determinant(Tree& tree, const std::vector<Index>& cells, size_t rows) {
  if (rows == 1) return cells[0];
  std::vector<Index> terms;
  for (size_t skipped = 0; skipped < rows; ++skipped) {
    std::vector<Index> minor;
    for (size_t i = rows; i < cells.size(); ++i)
      if (i % rows != skipped) minor.push_back(cells[i]);
    const auto term = add(tree, Kind::product, {cells[skipped], determinant(tree, minor, rows - 1)});
    terms.push_back(skipped % 2 == 0 ? term : add(tree, Kind::negation, {term}));
  }
  return add(tree, Kind::sum, std::move(terms));
}

// det of a matrix, and the length of a vector written with bars.
std::optional<Index> function_of_matrix(Tree& tree, const Node& node) {
  if (node.kind != Kind::function || node.children.size() != 1) return std::nullopt;
  const Node argument = tree[node.children[0]];
  const auto count = static_cast<int64_t>(argument.children.size());
  if (argument.kind == Kind::matrix && node.text == "det" && argument.number <= 4 && argument.number * argument.number == count)
    return determinant(tree, argument.children, static_cast<size_t>(argument.number));
  const bool line_of_matrix = argument.kind == Kind::matrix && (argument.number == 1 || argument.number == count);
  const bool line = argument.kind == Kind::tuple || line_of_matrix;
  if (!line || count < 2 || (node.text != "norm" && node.text != "abs")) return std::nullopt;
  std::vector<Index> squares;
  for (const auto part : argument.children) squares.push_back(add(tree, Kind::power, {part, add_integer(tree, 2)}));
  return add(tree, Kind::root, {add(tree, Kind::sum, std::move(squares)), add_integer(tree, 2)});
}

bool is_name(const Node& node) { return node.kind == Kind::symbol || node.kind == Kind::call || node.kind == Kind::choice; }

// x = 1/3 approx 0.33 says x = 1/3: the rounded tail is dropped after a number. Other approx are read as =.
void drop_rounded_tail(const Tree& tree, Node& node, std::vector<std::string>& signs) {
  for (size_t i = 0; i < signs.size(); ++i) {
    if (signs[i] != "approx") continue;
    if (free_symbols(tree, node.children[i]).empty()) {
      signs.resize(i), node.children.resize(i + 1);
      return;
    }
    signs[i].assign(1, '=');  // not = "=": GCC 12 warns of an overlap that is none
  }
}

// 3 = x is written as x = 3. Nothing but a value is left of 1/3 approx 0.33.
Index prepared_relation(Tree& tree, Node node) {
  auto signs = signs_of(node);
  drop_rounded_tail(tree, node, signs);
  if (signs.empty()) return node.children[0];
  if (signs.size() == 1 && signs[0] == "=" && !is_name(tree[node.children[0]]) && is_name(tree[node.children[1]]))
    std::swap(node.children[0], node.children[1]);
  node.text.clear();
  for (const auto& sign : signs) node.text += (node.text.empty() ? "" : " ") + sign;
  return push(tree, std::move(node));
}

Index prepare(Tree& tree, Index at, bool in_angle) {
  Node copy = tree[at];
  const bool inside = in_angle || takes_an_angle(copy);
  for (auto& child : copy.children) child = prepare(tree, child, inside);
  if (copy.kind == Kind::degrees && in_angle) return radians(tree, copy.children[0]);
  if ((copy.kind == Kind::conjunction || copy.kind == Kind::disjunction) && copy.children.size() == 1) return copy.children[0];
  if (copy.kind == Kind::relation) return prepared_relation(tree, std::move(copy));
  if (const auto value = function_of_matrix(tree, copy)) return bounded(tree, *value);
  if (auto matrix = matrix_arithmetic(tree, copy)) return bounded(tree, push(tree, std::move(*matrix)));
  if (copy.children == tree[at].children && copy.text == tree[at].text) return at;
  return push(tree, std::move(copy));
}

}  // namespace

std::vector<std::string> signs_of(const Node& relation) {
  std::vector<std::string> signs(1);
  for (const char c : relation.text) {
    if (c == ' ') signs.emplace_back();
    else signs.back() += c;
  }
  return signs;
}

Index prepared(Tree& tree, Index at) { return prepare(tree, at, false); }

}  // namespace reward::math
