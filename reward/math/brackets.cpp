// Groups, tuples, intervals, sets, bars, and matrices.
#include "reward/math/parser.h"

namespace reward::math {
namespace {

bool is_infinite(const std::vector<Node>& nodes, Index index) {
  const Node& node = nodes[static_cast<size_t>(index)];
  if (node.kind == Kind::infinity) return true;
  return node.kind == Kind::negation && nodes[static_cast<size_t>(node.children[0])].kind == Kind::infinity;
}

bool is_collection(const Node& node) {
  return node.kind == Kind::tuple || node.kind == Kind::interval || node.kind == Kind::list || node.kind == Kind::set;
}

// Bars that are open outside of a bracket do not close inside it.
struct Enclosed {
  explicit Enclosed(int64_t& bars) : outer(bars), kept(bars) { outer = 0; }
  ~Enclosed() { outer = kept; }
  int64_t& outer;
  int64_t kept;
};

}  // namespace

// {...}: as it is, or n over k, n choose k; with commas a set written without backslashes.
Index Parser::group() {
  const Enclosed enclosed(bars_);
  expect("{");
  const Items found = items();
  Index inner = found.items[0];
  if (found.items.size() > 1) inner = add(Kind::set, {}, found.items);
  if (take("over")) inner = add(Kind::quotient, {inner, expression(any_binding)});
  else if (take("choose")) inner = add_function("binomial", {inner, expression(any_binding)});
  expect("}");
  return inner;
}

// Round and square brackets of either side.
Index Parser::collect(Items found, bool round_open, bool round_close) {
  const auto& items = found.items;
  const bool round = round_open && round_close, square = !round_open && !round_close;
  if (items.size() == 1) {
    if (!round && !square) fail("one element between ( and ]");
    return items[0];
  }
  if (found.conjunctive || found.disjunctive) {
    if (!round) fail("words between brackets");
    return combine(found);
  }
  const bool collections = std::any_of(items.begin(), items.end(), [&](Index k) { return is_collection(node(k)); });
  if (items.size() > 2 || collections) {
    if (!round && !square) fail("more than two elements between ( and ]");
    return add(round ? Kind::tuple : Kind::list, {}, items);
  }
  const bool open_ended = is_infinite(nodes_, items[0]) || is_infinite(nodes_, items[1]);
  if (round && !open_ended) return add(Kind::tuple, {}, items);
  return add(Kind::interval, {}, items, (round_open ? 0 : 1) + (round_close ? 0 : 2));
}

Index Parser::round_bracket() {
  const Enclosed enclosed(bars_);
  expect("(");
  Items found = items();
  const bool round_close = at(")");
  if (!take(")") && !take("]")) fail("a ( is not closed");
  return collect(std::move(found), true, round_close);
}

Index Parser::square_bracket() {
  const Enclosed enclosed(bars_);
  if (ahead(1).is_sign("[")) return rows_of_brackets();
  expect("[");
  Items found = items();
  const bool round_close = at(")");
  if (!take(")") && !take("]") && !(found.items.size() == 2 && take("["))) fail("a [ is not closed");
  if (before().is_sign("[")) return collect(std::move(found), false, true);
  return collect(std::move(found), false, round_close);
}

// ]a, b[ of French texts is open.
Index Parser::outward_bracket() {
  const Enclosed enclosed(bars_);
  expect("]");
  Items found = items();
  if (found.items.size() != 2) fail("a ] that opens nothing");
  if (take("[") || take(")")) return add(Kind::interval, {}, found.items, 0);
  expect("]");
  return add(Kind::interval, {}, found.items, 2);
}

// [[1, 2], [3, 4]]
Index Parser::rows_of_brackets() {
  expect("[");
  std::vector<Index> cells;
  size_t columns = 0;
  do {
    expect("[");
    const Items row = items();
    expect("]");
    if (columns != 0 && row.items.size() != columns) fail("rows of unequal length");
    columns = row.items.size();
    cells.insert(cells.end(), row.items.begin(), row.items.end());
  } while (take(",") || take(";"));
  expect("]");
  return add(Kind::matrix, {}, std::move(cells), static_cast<int64_t>(columns));
}

// \{a, b\}. A set told by a condition, {x : x > 0}, is left to be text.
Index Parser::set_bracket() {
  const Enclosed enclosed(bars_);
  expect("\\{");
  if (take("\\}")) return add(Kind::empty_set, {});
  const Items found = items();
  for (const Index item : found.items) {
    const Node& element = node(item);
    const bool ratio = element.kind == Kind::ratio;
    if (ratio || (element.kind == Kind::relation && node(element.children[0]).kind == Kind::ratio)) fail("a condition in a set");
  }
  expect("\\}");
  return add(Kind::set, {}, found.items);
}

// |x|. Between plain bars a further bar closes.
Index Parser::bar(const char* close) {
  const bool plain = at("|");
  ++k_;
  const int64_t kept = bars_;
  bars_ = plain ? bars_ + 1 : 0;
  const Index inner = expression(any_binding);
  bars_ = kept;
  if (!take(close) && !take("|")) fail("a | is not closed");
  if (node(inner).kind == Kind::matrix) return add_function("det", {inner});
  return add_function(plain || std::string_view(close) == "rvert" ? "abs" : "norm", {inner});
}

Index Parser::rounded(const char* name, const char* close) {
  const Enclosed enclosed(bars_);
  ++k_;
  const Index inner = expression(any_binding);
  expect(close);
  return add_function(name, {inner});
}

std::vector<Index> Parser::bracket_arguments() {
  const Enclosed enclosed(bars_);
  const bool round = at("("), braces = at("\\{");
  if (!round && !braces) fail("arguments are missing");
  ++k_;
  auto found = items().items;
  expect(round ? ")" : "\\}");
  return found;
}

Index Parser::environment() {
  const Enclosed enclosed(bars_);
  const std::string name = now().text;
  const bool determinant = name == "vmatrix";
  const bool matrix = determinant || name == "pmatrix" || name == "bmatrix" || name == "matrix" || name == "Bmatrix" ||
                      name == "smallmatrix" || name == "array" || name == "psmallmatrix" || name == "bsmallmatrix";
  if (!matrix) fail("an environment that is no matrix");
  ++k_;
  std::vector<Index> cells;
  size_t columns = 0, in_row = 0;
  while (true) {
    cells.push_back(expression(any_binding));
    ++in_row;
    if (take("&")) continue;
    const bool more = take("row");
    if (columns != 0 && in_row != columns) fail("rows of unequal length");
    columns = in_row;
    in_row = 0;
    if (!more || now().type == Token::finish) break;
  }
  if (now().type != Token::finish || now().text != name) fail("an environment is not closed");
  ++k_;
  const Index result = add(Kind::matrix, {}, std::move(cells), static_cast<int64_t>(columns));
  return determinant ? add_function("det", {result}) : result;
}

}  // namespace reward::math
