#include "reward/math/regions.h"

#include <algorithm>
#include <string>
#include <vector>

#include "reward/math/ball.h"
#include "reward/math/comparer.h"
#include "reward/math/tree_tools.h"

namespace reward::math {
namespace {

constexpr size_t most_breaks = 64;

struct Unsupported {};  // thrown and caught in this file

struct Region {
  enum class Type { nothing, everything, between, any, every, minus, sign };
  Type type = Type::nothing;
  int low = -1, high = -1;           // between: numbers of breaks; -1: infinite
  bool closed_low = false, closed_high = false;
  std::vector<int> parts;            // any, every, minus
  Index function = -1;               // sign: holds where the function has one of the signs
  std::vector<int> roots;            // breaks where the function is zero
  bool negative = false, zero = false, positive = false;
};

class Line {
 public:
  explicit Line(Comparer& comparer) : comparer_(comparer), tree_(comparer.tree) {}

  std::optional<bool> same(Index a, Index b) {
    try {
      find_unknown(a, b);
      const int x = compile(a), y = compile(b);
      sort_breaks();
      return same_cells(x, y);
    } catch (const Unsupported&) {
      return std::nullopt;
    }
  }

 private:
  void find_unknown(Index a, Index b) {
    auto names = free_symbols(tree_, a);
    for (auto& name : free_symbols(tree_, b)) names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.size() > 1) throw Unsupported{};
    if (!names.empty()) unknown_ = names[0];
  }

  int keep(Region region) {
    regions_.push_back(std::move(region));
    return static_cast<int>(regions_.size()) - 1;
  }

  bool is_constant(Index at) const { return unknown_.empty() || is_free_of(tree_, at, unknown_); }
  bool is_unknown(Index at) const { return tree_[at].kind == Kind::symbol && tree_[at].text == unknown_; }

  // 0 for a finite number, else the sign of infinity.
  int infinity(Index at) const {
    if (tree_[at].kind == Kind::infinity) return 1;
    if (tree_[at].kind == Kind::negation) return -infinity(tree_[at].children[0]);
    return 0;
  }

  int add_break(Index at) {
    if (!is_constant(at) || has(tree_, at, {Kind::infinity, Kind::imaginary})) throw Unsupported{};
    if (breaks_.size() >= most_breaks) throw Unsupported{};
    breaks_.push_back(at);
    return static_cast<int>(breaks_.size()) - 1;
  }

  Region point(Index at) {
    Region region;
    region.type = Region::Type::between;
    region.low = region.high = add_break(at), region.closed_low = region.closed_high = true;
    return region;
  }

  int compile(Index at) {
    comparer_.work.spend(10);
    const Node node = tree_[at];
    switch (node.kind) {
      case Kind::empty_set: return keep({});
      case Kind::number_set: {
        if (node.text != "R") throw Unsupported{};
        Region all;
        all.type = Region::Type::everything;
        return keep(all);
      }
      case Kind::interval: return interval(node, node.number & 3);
      case Kind::tuple: return node.children.size() == 2 ? interval(node, 0) : throw Unsupported{};
      case Kind::set: case Kind::list:
      case Kind::set_union: case Kind::disjunction: return combined(Region::Type::any, node.children);
      case Kind::set_intersection:
      case Kind::conjunction: return combined(Region::Type::every, node.children);
      case Kind::set_difference: return combined(Region::Type::minus, node.children);
      case Kind::relation: return relation(node);
      case Kind::text: case Kind::matrix: case Kind::quantity: case Kind::ratio: case Kind::choice: throw Unsupported{};
      default: return keep(point(at));
    }
  }

  int combined(Region::Type type, const std::vector<Index>& children) {
    Region region;
    region.type = type;
    for (const auto child : children) region.parts.push_back(compile(child));
    return keep(std::move(region));
  }

  int interval(const Node& node, int64_t ends) {
    const int low = infinity(node.children[0]), high = infinity(node.children[1]);
    if (low > 0 || high < 0) return keep({});
    Region region;
    region.type = Region::Type::between;
    if (low == 0) region.low = add_break(node.children[0]), region.closed_low = ends & 1;
    if (high == 0) region.high = add_break(node.children[1]), region.closed_high = ends & 2;
    return keep(std::move(region));
  }

  int relation(const Node& node) {
    const auto signs = signs_of(node);
    std::vector<int> parts;
    for (size_t i = 0; i < signs.size(); ++i) parts.push_back(pair(node.children[i], signs[i], node.children[i + 1]));
    if (parts.size() == 1) return parts[0];
    Region region;
    region.type = Region::Type::every, region.parts = std::move(parts);
    return keep(std::move(region));
  }

  int pair(Index left, const std::string& sign, Index right) {
    if (sign == "in" && is_unknown(left)) return compile(right);
    if (sign == "notin" && is_unknown(left)) {
      Region all;
      all.type = Region::Type::everything;
      Region region;
      region.type = Region::Type::minus, region.parts = {keep(all), compile(right)};
      return keep(std::move(region));
    }
    Region region;
    region.type = Region::Type::sign;
    region.negative = sign == "<" || sign == "<=" || sign == "!=";
    region.positive = sign == ">" || sign == ">=" || sign == "!=";
    region.zero = sign == "=" || sign == "<=" || sign == ">=";
    if (!region.negative && !region.positive && !region.zero) throw Unsupported{};
    if (const int side = infinity(right) - infinity(left)) {  // x < infinity holds everywhere
      region.type = (side > 0 ? region.negative : region.positive) ? Region::Type::everything : Region::Type::nothing;
      return keep(std::move(region));
    }
    if (tree_[left].kind == Kind::function && tree_[left].text == "abs" && is_constant(right) && sign != "=" && sign != "!=")
      return absolute(tree_[left].children[0], sign, right);
    region.function = add_difference(tree_, left, right);
    if (is_unknown(left) && is_constant(right)) region.roots = {add_break(right)};
    else if (is_unknown(right) && is_constant(left)) region.roots = {add_break(left)};
    else region.roots = roots(region.function);
    return keep(std::move(region));
  }

  // |u| < c: u < c and u > -c. |u| > c: u > c or u < -c.
  int absolute(Index u, const std::string& sign, Index c) {
    const bool inside = sign[0] == '<';
    const std::string opposite = (inside ? ">" : "<") + sign.substr(1);
    const auto minus_c = add(tree_, Kind::negation, {c});
    Region region;
    region.type = inside ? Region::Type::every : Region::Type::any;
    region.parts = {pair(u, sign, c), pair(u, opposite, minus_c)};
    return keep(std::move(region));
  }

  std::vector<int> roots(Index function) {
    std::vector<int> found;
    if (is_constant(function)) return found;
    const auto equation = add(tree_, Kind::relation, {function, add_integer(tree_, 0)}, "=");
    const auto solved = comparer_.solutions(equation);
    if (!solved) throw Unsupported{};
    for (const auto root : std::vector<Index>(tree_[*solved].children)) {
      if (!approximation(tree_, root, comparer_.work)) continue;  // not real
      found.push_back(add_break(root));
    }
    return found;
  }

  // Negative, zero or positive as a comes before, with or after b.
  int order(Index a, Index b) {
    const auto x = exact_value(tree_, a, comparer_.work), y = exact_value(tree_, b, comparer_.work);
    if (x.ok() && y.ok()) return fmpq_cmp(x.value, y.value);
    if (comparer_.values(a, b).equality == Equality::equal) return 0;
    const auto sign = sign_of(tree_, add_difference(tree_, a, b), comparer_.work);
    return sign ? *sign : throw Unsupported{};
  }

  // place_[i]: the rank of break i among the distinct ones, whose approximations are values_.
  void sort_breaks() {
    std::vector<Index> ranked;
    for (const auto at : breaks_) {
      size_t place = 0;
      int found = 1;
      while (place < ranked.size() && (found = order(at, ranked[place])) > 0) ++place;
      if (place == ranked.size() || found != 0) ranked.insert(ranked.begin() + static_cast<int64_t>(place), at);
    }
    for (const auto at : breaks_) {
      int place = 0;
      while (order(at, ranked[static_cast<size_t>(place)]) != 0) ++place;
      place_.push_back(place);
    }
    for (const auto at : ranked) {
      auto value = approximation(tree_, at, comparer_.work);
      if (!value) throw Unsupported{};
      values_.push_back(std::move(*value));
    }
    ranked_ = std::move(ranked);
  }

  // Cells are numbered from the left: even ones are gaps, 2 p + 1 is the break of rank p.
  int cell_of(int break_number) const { return 2 * place_[static_cast<size_t>(break_number)] + 1; }

  Rational inside_gap(int cell) const {
    const auto after = static_cast<size_t>(cell / 2);
    if (values_.empty()) return Rational(0);
    Rational sample;
    if (after == 0) return fmpq_sub(sample, values_.front(), Rational(1)), sample;
    if (after == values_.size()) return fmpq_add(sample, values_.back(), Rational(1)), sample;
    fmpq_add(sample, values_[after - 1], values_[after]);
    fmpq_div_fmpz(sample, sample, Integer(2));
    return sample;
  }

  bool holds_sign(const Region& region, int cell) {
    const auto is_here = [&](int root) { return cell_of(root) == cell; };
    if (std::any_of(region.roots.begin(), region.roots.end(), is_here)) return region.zero;
    Bindings bindings;
    auto function = region.function;
    if (cell % 2 == 0) bindings.push_back({unknown_, inside_gap(cell)});
    else if (!unknown_.empty()) function = substitute(tree_, function, unknown_, ranked_[static_cast<size_t>(cell / 2)]);
    const auto sign = sign_of(tree_, function, comparer_.work, bindings);
    if (!sign) throw Unsupported{};
    return *sign < 0 ? region.negative : *sign > 0 ? region.positive : region.zero;
  }

  bool holds(int number, int cell) {
    comparer_.work.spend(5);
    const Region region = regions_[static_cast<size_t>(number)];
    const auto part = [&](int p) { return holds(p, cell); };
    switch (region.type) {
      case Region::Type::nothing: return false;
      case Region::Type::everything: return true;
      case Region::Type::any: return std::any_of(region.parts.begin(), region.parts.end(), part);
      case Region::Type::every: return std::all_of(region.parts.begin(), region.parts.end(), part);
      case Region::Type::minus: return part(region.parts[0]) && std::none_of(region.parts.begin() + 1, region.parts.end(), part);
      case Region::Type::sign: return holds_sign(region, cell);
      case Region::Type::between: break;
    }
    const int low = region.low < 0 ? -1 : cell_of(region.low), high = region.high < 0 ? 1 << 20 : cell_of(region.high);
    return (cell > low || (cell == low && region.closed_low)) && (cell < high || (cell == high && region.closed_high));
  }

  bool same_cells(int x, int y) {
    const int cells = 2 * static_cast<int>(values_.size()) + 1;
    bool any_gap = false, same = true, same_gaps = true;
    for (int cell = 0; cell < cells; ++cell) {
      const bool in_x = holds(x, cell), in_y = holds(y, cell);
      if (cell % 2 == 0) any_gap |= in_x || in_y, same_gaps &= in_x == in_y;
      same &= in_x == in_y;
    }
    return same || (comparer_.conventions.ignore_interval_ends && any_gap && same_gaps);
  }

  Comparer& comparer_;
  Tree& tree_;
  std::string unknown_;
  std::vector<Region> regions_;
  std::vector<Index> breaks_, ranked_;
  std::vector<int> place_;
  std::vector<Rational> values_;
};

}  // namespace

std::optional<bool> same_region(Comparer& comparer, Index a, Index b) { return Line(comparer).same(a, b); }

}  // namespace reward::math
