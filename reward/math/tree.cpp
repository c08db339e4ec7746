#include "reward/math/tree.h"

namespace reward::math {
namespace {

// The head of a node with children; leaves have none.
const char* head_of(Kind kind) {
  switch (kind) {
    case Kind::sum: return "sum";
    case Kind::product: return "product";
    case Kind::quotient: return "quotient";
    case Kind::power: return "power";
    case Kind::negation: return "negation";
    case Kind::root: return "root";
    case Kind::factorial: return "factorial";
    case Kind::plus_minus: return "plus_minus";
    case Kind::percent: return "percent";
    case Kind::degrees: return "degrees";
    case Kind::call: return "call";
    case Kind::finite_sum: return "finite_sum";
    case Kind::finite_product: return "finite_product";
    case Kind::tuple: return "tuple";
    case Kind::list: return "list";
    case Kind::set: return "set";
    case Kind::interval: return "interval";
    case Kind::set_union: return "union";
    case Kind::set_intersection: return "intersection";
    case Kind::set_difference: return "difference";
    case Kind::matrix: return "matrix";
    case Kind::ratio: return "ratio";
    case Kind::relation: return "relation";
    case Kind::conjunction: return "and";
    case Kind::disjunction: return "or";
    case Kind::quantity: return "quantity";
    default: return "";
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

const char* brackets_of(const Node& interval) {
  const char* const names[] = {"()", "[)", "(]", "[]"};
  return names[interval.number & 3];
}

// Spelling of a leaf; empty if the node has children.
std::string leaf(const Node& node) {
  switch (node.kind) {
    case Kind::integer:
    case Kind::symbol: return node.text;
    case Kind::decimal: return node.number == 0 ? node.text : node.text + "e" + std::to_string(node.number);
    case Kind::based: return node.text + "_" + std::to_string(node.number);
    case Kind::pi: return "pi";
    case Kind::euler: return "euler";
    case Kind::imaginary: return "imaginary";
    case Kind::infinity: return "infinity";
    case Kind::empty_set: return "empty_set";
    case Kind::number_set: return "(number_set " + node.text + ")";
    case Kind::text: return quoted(node.text);
    case Kind::choice: return "(choice " + node.text + ")";
    default: return "";
  }
}

// What stands between the head and the children.
std::string details(const Node& node) {
  switch (node.kind) {
    case Kind::plus_minus: return node.number < 0 ? " -" : "";
    case Kind::call:
    case Kind::relation: return " " + node.text;
    case Kind::quantity: return " " + quoted(node.text);
    case Kind::interval: return std::string(" \"") + brackets_of(node) + "\"";
    case Kind::matrix: return " " + std::to_string(node.number);
    default: return "";
  }
}

void write(const Tree& tree, Index index, std::string& out) {  // as deep as the tree
  const Node& node = tree[index];
  if (const auto spelling = leaf(node); !spelling.empty()) {
    out += spelling;
    return;
  }
  out += '(';
  out += node.kind == Kind::function ? node.text : head_of(node.kind);
  out += details(node);
  for (const Index child : node.children) {
    out += ' ';
    write(tree, child, out);
  }
  out += ')';
}

}  // namespace

std::string to_string(const Tree& tree) {
  std::string out;
  if (tree.root >= 0) write(tree, tree.root, out);
  return out;
}

}  // namespace reward::math
