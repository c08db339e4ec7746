#include "reward/math/exact.h"

#include <algorithm>
#include <cmath>

#include "reward/math/exact_functions.h"

namespace reward::math {
namespace {

using State = Exact::State;

Exact with(State state) { return {state, Rational()}; }

Exact parse_digits(const std::string& digits, int64_t base, Work& work) {
  if (base < 2 || base > 36 || digits.empty()) return with(State::undefined);
  for (const char c : digits) {
    const int64_t digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
    if (digit >= base) return with(State::undefined);
  }
  const auto bits = static_cast<int64_t>(static_cast<double>(digits.size()) * std::log2(static_cast<double>(base)));
  if (bits > work.result_bits()) return with(State::too_big);
  work.spend_bits(bits);
  Exact result = with(State::value);
  if (fmpz_set_str(result.value.num(), digits.c_str(), static_cast<int>(base)) != 0) return with(State::undefined);
  return result;
}

// 0.50 with scale 3 is 50 * 10^(3 - 2).
Exact parse_decimal(const Node& node, Work& work) {
  std::string digits;
  int64_t scale = node.number, behind = 0;
  bool point = false;
  for (const char c : node.text) {
    if (c == '.') point = true;
    else digits += c, behind += point;
  }
  auto result = parse_digits(digits, 10, work);
  if (!result.ok()) return result;
  const int64_t limit = work.result_bits() / 4;
  if (scale > limit || scale < -limit || behind > limit) return with(State::too_big);
  scale -= behind;
  const auto power = exact_power(Rational(10), Rational(scale), work);
  if (!power.ok()) return power;
  fmpq_mul(result.value, result.value, power.value);
  return result;
}

class Evaluator {
 public:
  Evaluator(const Tree& tree, Work& work, const Bindings& bindings) : tree_(tree), work_(work), bindings_(bindings) {}

  Exact evaluate(Index at) {
    work_.spend(2);
    const auto& node = tree_[at];
    switch (node.kind) {
      case Kind::integer: return parse_digits(node.text, 10, work_);
      case Kind::decimal: return parse_decimal(node, work_);
      case Kind::based: return parse_digits(node.text, node.number, work_);
      case Kind::symbol:
      case Kind::choice: return bound(node);
      case Kind::sum:
      case Kind::product: return fold(node);
      case Kind::finite_sum:
      case Kind::finite_product: return expand(node);
      case Kind::quotient:
      case Kind::power:
      case Kind::root: return binary(node);
      case Kind::negation:
      case Kind::percent:
      case Kind::factorial: return unary(node);
      case Kind::function: return function(node);
      default: return with(State::none);
    }
  }

 private:
  Exact bound(const Node& node) const {
    const auto* value = find(bindings_, node.text);
    return value ? Exact{State::value, *value} : with(State::none);
  }

  // Keeps going after a term without a value: an undefined one further on makes the whole undefined.
  Exact fold(const Node& node) {
    Exact result{State::value, Rational(node.kind == Kind::sum ? 0 : 1)};
    for (const auto child : node.children) {
      if (!accumulate(node.kind == Kind::sum, result, evaluate(child))) return with(State::undefined);
    }
    return result;
  }

  bool accumulate(bool sum, Exact& result, const Exact& next) {
    if (next.state == State::undefined) return false;
    if (!result.ok()) return true;
    if (!next.ok()) return result.state = next.state, true;
    work_.spend_bits(result.value.bits() + next.value.bits());
    if (sum) fmpq_add(result.value, result.value, next.value);
    else fmpq_mul(result.value, result.value, next.value);
    if (result.value.bits() > work_.result_bits()) result.state = State::too_big;
    return true;
  }

  Exact expand(const Node& node) {
    int64_t first = 0, last = 0;
    if (!whole_bounds(tree_, node, work_, bindings_, first, last)) return with(State::none);
    const bool sum = node.kind == Kind::finite_sum;
    Exact result{State::value, Rational(sum ? 0 : 1)};
    bindings_.push_back({tree_[node.children[0]].text, Rational()});
    for (int64_t i = first; i <= last && result.ok(); ++i) {
      bindings_.back().value = Rational(i);
      if (!accumulate(sum, result, evaluate(node.children[3]))) result.state = State::undefined;
    }
    bindings_.pop_back();
    return result;
  }

  Exact binary(const Node& node) {
    auto a = evaluate(node.children[0]);
    const auto b = evaluate(node.children[1]);
    if (a.state == State::undefined || b.state == State::undefined) return with(State::undefined);
    if (node.kind == Kind::quotient && b.ok() && b.value.is_zero()) return with(State::undefined);
    if (node.kind == Kind::root && b.ok() && b.value.is_zero()) return with(State::undefined);
    if (!a.ok()) return a;
    if (!b.ok()) return b;
    work_.spend_bits(a.value.bits() + b.value.bits());
    if (node.kind == Kind::power) return exact_power(a.value, b.value, work_);
    if (node.kind == Kind::root) {
      Rational inverse;
      fmpq_inv(inverse, b.value);
      return exact_power(a.value, inverse, work_);
    }
    fmpq_div(a.value, a.value, b.value);
    if (a.value.bits() > work_.result_bits()) a.state = State::too_big;
    return a;
  }

  Exact unary(const Node& node) {
    auto a = evaluate(node.children[0]);
    if (!a.ok()) return a;
    if (node.kind == Kind::negation) fmpq_neg(a.value, a.value);
    if (node.kind == Kind::percent) fmpq_div_fmpz(a.value, a.value, Integer(100));
    return node.kind == Kind::factorial ? exact_factorial(a.value, work_) : a;
  }

  Exact function(const Node& node) {
    std::vector<Rational> arguments;
    State state = State::value;
    for (const auto child : node.children) {
      auto a = evaluate(child);
      if (a.state == State::undefined) return a;
      if (!a.ok()) state = a.state;
      arguments.push_back(std::move(a.value));
    }
    return state == State::value ? exact_function(node.text, arguments, work_) : with(state);
  }

  const Tree& tree_;
  Work& work_;
  Bindings bindings_;
};

}  // namespace

const Rational* find(const Bindings& bindings, const std::string& name) {
  const auto it = std::find_if(bindings.rbegin(), bindings.rend(), [&](const Binding& b) { return b.name == name; });
  return it == bindings.rend() ? nullptr : &it->value;
}

Exact exact_value(const Tree& tree, Index at, Work& work, const Bindings& bindings) {
  return Evaluator(tree, work, bindings).evaluate(at);
}

bool whole_bounds(const Tree& tree, const Node& sum, Work& work, const Bindings& bindings, int64_t& first, int64_t& last) {
  const auto low = exact_value(tree, sum.children[1], work, bindings), high = exact_value(tree, sum.children[2], work, bindings);
  if (!low.ok() || !high.ok() || !low.value.is_integer() || !high.value.is_integer()) return false;
  if (fmpz_bits(low.value.num()) > 60 || fmpz_bits(high.value.num()) > 60) return false;
  first = fmpz_get_si(low.value.num()), last = fmpz_get_si(high.value.num());
  return last - first < most_terms;
}

}  // namespace reward::math
