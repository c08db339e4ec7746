// Small things done with trees: add nodes, copy, look for kinds and symbols, equal as written.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "reward/math/tree.h"

namespace reward::math {

// New nodes at the end of `tree`. References into tree.nodes do not outlive them.
Index add(Tree& tree, Kind kind, std::vector<Index> children, std::string text = "", int64_t number = 0);
Index add_integer(Tree& tree, int64_t value);  // a negation for negative values
Index add_difference(Tree& tree, Index a, Index b);
// A copy of all of `from`; gives the index of its root in `to`.
Index append(Tree& to, const Tree& from);
// The subtree with every free symbol `name` replaced by `value`; parts without it are shared.
Index substitute(Tree& tree, Index at, const std::string& name, Index value);

bool same(const Tree& tree, Index a, Index b);  // the same nodes, as written
bool has(const Tree& tree, Index at, std::initializer_list<Kind> kinds);
// The free names in value positions, sorted, each once: symbols, choice letters, units; not the index of a sum.
std::vector<std::string> free_symbols(const Tree& tree, Index at);
bool is_free_of(const Tree& tree, Index at, const std::string& name);
// The name under which a leaf counts as a variable, or "": a symbol, a choice letter, the unit of a quantity.
std::string variable_name(const Node& node);

// The number of nodes below each other on the longest path from the root; -1 if an index or a number of children there is
// wrong or a node has two parents (walks would grow exponentially). Nodes that the root does not reach do not count.
int64_t checked_depth(const Tree& tree);

}  // namespace reward::math
