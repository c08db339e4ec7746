#include "reward/code/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace reward::code {
namespace {

using Kind = Value::Kind;
using Op = Check::Op;
using Maybe = std::optional<Value>;

constexpr std::array<std::pair<const char*, Op>, 26> words = {{
    {"call", Op::call}, {"const", Op::constant}, {"eq", Op::eq}, {"ne", Op::ne}, {"lt", Op::lt}, {"le", Op::le}, {"gt", Op::gt},
    {"ge", Op::ge}, {"is", Op::is}, {"is_not", Op::is_not}, {"in", Op::in}, {"not_in", Op::not_in}, {"not", Op::negate},
    {"and", Op::both}, {"or", Op::either}, {"truth", Op::truth}, {"abs", Op::abs}, {"sub", Op::sub}, {"isclose", Op::isclose},
    {"set", Op::set}, {"frozenset", Op::frozenset}, {"sorted", Op::sorted}, {"tuple", Op::tuple}, {"list", Op::list},
    {"len", Op::len}, {"raises", Op::raises},
}};

Maybe maybe(std::optional<bool> truth) { return truth ? Maybe(boolean(*truth)) : std::nullopt; }

std::optional<bool> invert(std::optional<bool> truth) { return truth ? std::optional(!*truth) : std::nullopt; }

// True, False and None are the same object everywhere; whether other equal values are is up to the interpreter.
std::optional<bool> same_object(const Value& a, const Value& b) {
  const auto single = [](const Value& v) { return v.kind == Kind::none || v.kind == Kind::boolean; };
  if (single(a) || single(b)) return a.kind == b.kind && a.truth == b.truth;
  return std::nullopt;
}

std::optional<bool> contains(const Value& value, const Value& container) {
  if (!container.is_container() || container.kind == Kind::dict) return std::nullopt;
  return std::any_of(container.items.begin(), container.items.end(), [&](const Value& item) { return equal(item, value); });
}

bool has_nan(const Value& value) {
  return (value.kind == Kind::real && std::isnan(value.re)) ||
         std::any_of(value.items.begin(), value.items.end(), [](const Value& item) { return has_nan(item); });
}

Maybe sorted(Value value) {
  if (!value.is_container() || value.kind == Kind::dict || has_nan(value)) return std::nullopt;
  // A comparison that cannot be made is found first: the sort below may then compare without looking.
  for (size_t i = 1; i < value.items.size(); ++i)
    if (!less(value.items[0], value.items[i])) return std::nullopt;
  bool known = true;
  std::stable_sort(value.items.begin(), value.items.end(), [&](const Value& a, const Value& b) {
    const auto smaller = less(a, b);
    known &= smaller.has_value();
    return smaller.value_or(false);
  });
  value.kind = Kind::list;
  return known ? Maybe(std::move(value)) : std::nullopt;
}

bool hashable(const Value& value) {
  if (value.kind == Kind::tuple) return std::all_of(value.items.begin(), value.items.end(), hashable);
  return value.kind != Kind::list && value.kind != Kind::set && value.kind != Kind::dict;
}

Maybe as_set(Value value, Kind kind) {
  if (!value.is_container() || value.kind == Kind::dict || has_nan(value)) return std::nullopt;
  std::vector<Value> kept;
  for (auto& item : value.items) {
    if (!hashable(item)) return std::nullopt;
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const Value& other) { return equal(other, item); });
    if (!known) kept.push_back(std::move(item));
    if (kept.size() > 2000) return std::nullopt;  // quadratic
  }
  value.items = std::move(kept);
  value.kind = kind;
  return value;
}

Maybe as_sequence(Value value, Kind kind) {
  if (!value.is_sequence()) return std::nullopt;  // the order of a set is the interpreter's
  value.kind = kind;
  return value;
}

Maybe absolute(Value value) {
  if (value.kind == Kind::real) return real(std::fabs(value.re));
  if (value.kind != Kind::integer) return std::nullopt;
  if (value.text[0] == '-') value.text.erase(0, 1);
  return value;
}

Maybe difference(const Value& a, const Value& b) {
  const auto x = as_double(a), y = as_double(b);
  if (!x || !y) return std::nullopt;
  if (a.kind == Kind::real || b.kind == Kind::real) return real(*x - *y);
  return integer(static_cast<int64_t>(*x) - static_cast<int64_t>(*y));
}

// math.isclose of the Python manual: |a - b| <= max(rel * max(|a|, |b|), abs).
Maybe close(const std::vector<Value>& values) {
  std::array<double, 4> v{};
  for (size_t i = 0; i < v.size(); ++i) {
    const auto number = as_double(values.at(i));
    if (!number) return std::nullopt;
    v[i] = *number;
  }
  const auto [a, b, relative, absolute_tolerance] = v;
  if (a == b) return boolean(true);
  if (std::isinf(a) || std::isinf(b)) return boolean(false);
  const double gap = std::fabs(a - b);
  return boolean(gap <= relative * std::max(std::fabs(a), std::fabs(b)) || gap <= absolute_tolerance);
}

Maybe length(const Value& value) {
  if (!value.is_container()) return std::nullopt;  // a str counts code points: left to Python
  return integer(static_cast<int64_t>(value.items.size() / (value.kind == Kind::dict ? 2 : 1)));
}

Maybe operate(Op op, const std::vector<Value>& v) {
  switch (op) {
    case Op::eq: return boolean(equal(v[0], v[1]));
    case Op::ne: return boolean(!equal(v[0], v[1]));
    case Op::lt: return maybe(less(v[0], v[1]));
    case Op::gt: return maybe(less(v[1], v[0]));
    case Op::le: return maybe(invert(less(v[1], v[0])));
    case Op::ge: return maybe(invert(less(v[0], v[1])));
    case Op::is: return maybe(same_object(v[0], v[1]));
    case Op::is_not: return maybe(invert(same_object(v[0], v[1])));
    case Op::in: return maybe(contains(v[0], v[1]));
    case Op::not_in: return maybe(invert(contains(v[0], v[1])));
    case Op::negate: return boolean(!truthy(v[0]));
    case Op::truth: return boolean(truthy(v[0]));
    case Op::abs: return absolute(v[0]);
    case Op::sub: return difference(v[0], v[1]);
    case Op::isclose: return close(v);
    case Op::set: return as_set(v[0], Kind::set);
    case Op::frozenset: return as_set(v[0], Kind::frozenset);
    case Op::sorted: return sorted(v[0]);
    case Op::tuple: return as_sequence(v[0], Kind::tuple);
    case Op::list: return as_sequence(v[0], Kind::list);
    case Op::len: return length(v[0]);
    default: return std::nullopt;
  }
}

bool raises(const Check& check, const Value& result) {
  if (result.kind != Kind::raised) return false;
  const auto types = " " + result.text + " ";
  return std::any_of(check.kinds.begin(), check.kinds.end(),
                     [&](const std::string& kind) { return types.find(" " + kind + " ") != std::string::npos; });
}

Maybe evaluate(const Check& check, const std::vector<Value>& results);

// Python's `and` and `or` give the value of the part that settles them.
Maybe first_that(bool wanted, const std::vector<Check>& parts, const std::vector<Value>& results) {
  Maybe value;
  for (const auto& part : parts) {
    value = evaluate(part, results);
    if (!value || truthy(*value) == wanted) break;
  }
  return value;
}

Maybe evaluate(const Check& check, const std::vector<Value>& results) {
  if (check.op == Op::constant) return check.constant;
  if (check.op == Op::both || check.op == Op::either) return first_that(check.op == Op::either, check.arguments, results);
  if (check.op == Op::call) {
    const auto& value = results.at(static_cast<size_t>(check.call));
    const bool readable = value.kind != Kind::unreadable && value.kind != Kind::raised;
    return readable ? Maybe(value) : std::nullopt;
  }
  if (check.op == Op::raises) return boolean(raises(check, results.at(static_cast<size_t>(check.call))));
  std::vector<Value> values;
  for (const auto& argument : check.arguments) {
    auto value = evaluate(argument, results);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  return operate(check.op, values);
}

// What cannot cross the wall is never right.
bool uses_unreadable(const Check& check, const std::vector<Value>& results) {
  if (check.op == Op::call) {
    const auto kind = results.at(static_cast<size_t>(check.call)).kind;
    return kind == Kind::unreadable || kind == Kind::raised;
  }
  return std::any_of(check.arguments.begin(), check.arguments.end(),
                     [&](const Check& argument) { return uses_unreadable(argument, results); });
}

}  // namespace

std::optional<Op> operator_named(const std::string& word) {
  for (const auto& [name, op] : words)
    if (word == name) return op;
  return std::nullopt;
}

Settled settle(const Check& check, const std::vector<Value>& results) {
  if (uses_unreadable(check, results)) return Settled::fails;
  const auto value = evaluate(check, results);
  if (!value) return Settled::unknown;
  return truthy(*value) ? Settled::holds : Settled::fails;
}

}  // namespace reward::code
