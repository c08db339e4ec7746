#include "model/chat/jinja/operators.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "model/chat/jinja/python_text.h"

namespace model::jinja {
namespace {

[[noreturn]] void refuse(const char* operation, const Value& a, const Value& b) {
  for (const Value* v : {&a, &b})
    if (v->is(Kind::undefined)) throw Problem(v->text());
  throw Problem(fmt::format("{} does not work between {} and {}", operation, type_name(a), type_name(b)));
}

Value whole(const char* operation, Wide result) {
  if (result > INT64_MAX || result < INT64_MIN) throw Problem(fmt::format("{} gives a number of more than 64 bits", operation));
  return Value::integer(static_cast<int64_t>(result));
}

void check_numbers(const char* operation, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) refuse(operation, a, b);
}

bool both_whole(const Value& a, const Value& b) { return a.is_whole() && b.is_whole(); }

void check_divisor(const Value& b) {
  if (b.number() == 0) throw Problem("division by zero");
}

// Python's: the remainder is exact, so the quotient is not off by one where a / b rounds to a whole number.
double floor_quotient(double x, double y) {
  const double rest = std::fmod(x, y);
  double quotient = (x - rest) / y;
  if (rest != 0 && (y < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, x / y);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

int compare(const Value& a, const Value& b) {  // -1, 0, 1; 2 where a float is not a number
  if (both_whole(a, b)) return a.whole() < b.whole() ? -1 : a.whole() > b.whole();
  const double x = a.number(), y = b.number();
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
}

bool less_run(const Values& a, const Values& b, bool or_equal) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (!equal(a[i], b[i])) return less(a[i], b[i], or_equal);
  return or_equal ? a.size() <= b.size() : a.size() < b.size();
}

Value repeated(const Value& run, int64_t times) {
  const int64_t count = std::max<int64_t>(times, 0);
  if (run.weight() > heaviest / std::max<int64_t>(count, 1)) check_weight(heaviest + 1);
  if (run.is(Kind::text)) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) out += run.text();
    return Value::text(std::move(out), run.safe());
  }
  Values values;
  for (int64_t i = 0; i < count; ++i) values.insert(values.end(), run.values().begin(), run.values().end());
  return Value::sequence(run.kind(), std::move(values));
}

bool can_repeat(const Value& v) { return v.is(Kind::text) || v.is(Kind::list) || v.is(Kind::tuple); }

}  // namespace

bool truth(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined:
    case Kind::none: return false;
    case Kind::boolean: return v.truth();
    case Kind::integer: return v.whole() != 0;
    case Kind::real: return v.number() != 0;
    case Kind::text: return !v.text().empty();
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view: return !v.values().empty();
    case Kind::dict: return !v.pairs().empty();
    default: return true;
  }
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::undefined:
    case Kind::none: return true;
    case Kind::text: return a.text() == b.text();
    case Kind::list:
    case Kind::tuple:
    case Kind::range: return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end(), equal);
    case Kind::dict:
      return a.pairs().size() == b.pairs().size() && std::all_of(a.pairs().begin(), a.pairs().end(), [&](const auto& pair) {
               const Value* other = find_key(b, pair.first);
               return other != nullptr && equal(pair.second, *other);
             });
    case Kind::view: throw Problem("views of dicts are not compared; use |list");
    default: return a.data() == b.data();
  }
}

bool less(const Value& a, const Value& b, bool or_equal) {
  if (a.is_number() && b.is_number()) {
    const int c = compare(a, b);
    return c == -1 || (or_equal && c == 0);
  }
  if (a.is(Kind::text) && b.is(Kind::text))
    return or_equal ? a.text() <= b.text() : a.text() < b.text();  // UTF-8 keeps the order
  if (a.kind() == b.kind() && (a.is(Kind::list) || a.is(Kind::tuple))) return less_run(a.values(), b.values(), or_equal);
  refuse(or_equal ? "<=" : "<", a, b);
}

bool contains(const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::text:
      if (!item.is(Kind::text)) throw Problem(fmt::format("\"in\" looks for text in text, but was given {}", type_name(item)));
      return container.text().find(item.text()) != std::string::npos;
    case Kind::dict: return find_key(container, item) != nullptr;
    case Kind::undefined: return false;
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view:
      return std::any_of(container.values().begin(), container.values().end(), [&](const Value& v) { return equal(v, item); });
    case Kind::iterator: {
      auto& run = container.as<IteratorData>();
      while (run.next < run.values.size())
        if (equal(run.values[run.next++], item)) return true;
      if (!run.problem.empty()) throw Problem(run.problem);
      return false;
    }
    default: throw Problem(fmt::format("\"in\" does not work on a {}", type_name(container)));
  }
}

Value add(const Value& a, const Value& b) {
  if (a.is(Kind::text) && b.is(Kind::text)) {
    if (!a.safe() && !b.safe()) return Value::text(a.text() + b.text());
    const auto escaped = [](const Value& v) { return v.safe() ? v.text() : escape_html(v.text()); };
    return Value::text(escaped(a) + escaped(b), true);
  }
  if (a.kind() == b.kind() && (a.is(Kind::list) || a.is(Kind::tuple))) {
    check_weight(a.weight() + b.weight());
    Values values = a.values();
    values.insert(values.end(), b.values().begin(), b.values().end());
    return Value::sequence(a.kind(), std::move(values));
  }
  check_numbers("+", a, b);
  if (both_whole(a, b)) return whole("+", static_cast<Wide>(a.whole()) + b.whole());
  return Value::real(a.number() + b.number());
}

Value subtract(const Value& a, const Value& b) {
  check_numbers("-", a, b);
  if (both_whole(a, b)) return whole("-", static_cast<Wide>(a.whole()) - b.whole());
  return Value::real(a.number() - b.number());
}

Value multiply(const Value& a, const Value& b) {
  if (can_repeat(a) && b.is_whole()) return repeated(a, b.whole());
  if (can_repeat(b) && a.is_whole()) return repeated(b, a.whole());
  check_numbers("*", a, b);
  if (both_whole(a, b)) return whole("*", static_cast<Wide>(a.whole()) * b.whole());
  return Value::real(a.number() * b.number());
}

Value divide(const Value& a, const Value& b) {
  check_numbers("/", a, b);
  check_divisor(b);
  return Value::real(a.number() / b.number());
}

Value floor_divide(const Value& a, const Value& b) {
  check_numbers("//", a, b);
  check_divisor(b);
  if (!both_whole(a, b)) return Value::real(floor_quotient(a.number(), b.number()));
  const Wide x = a.whole(), y = b.whole();
  const Wide q = x / y;
  return whole("//", x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q);
}

Value modulo(const Value& a, const Value& b) {
  if (a.is(Kind::text)) throw Problem("% on text, which formats it, is outside the supported part of Jinja");
  check_numbers("%", a, b);
  check_divisor(b);
  if (both_whole(a, b)) {
    const Wide x = a.whole(), y = b.whole(), r = x % y;
    return whole("%", r != 0 && (r < 0) != (y < 0) ? r + y : r);
  }
  const double r = std::fmod(a.number(), b.number());
  return Value::real(r != 0 && (r < 0) != (b.number() < 0) ? r + b.number() : r == 0 ? std::copysign(0.0, b.number()) : r);
}

Value power(const Value& a, const Value& b) {
  check_numbers("**", a, b);
  if (!both_whole(a, b) || b.whole() < 0) {
    if (a.number() == 0 && b.number() < 0) throw Problem("zero cannot be raised to a negative power");
    if (a.number() < 0 && b.number() != std::floor(b.number())) throw Problem("** gives a complex number");
    const double result = std::pow(a.number(), b.number());
    if (std::isinf(result) && !std::isinf(a.number()) && !std::isinf(b.number()))
      throw Problem("** gives a number too large for a float");
    return Value::real(result);
  }
  Wide result = 1;
  const Wide base = a.whole();
  if (base == 0 || base == 1 || base == -1)
    return Value::integer(b.whole() == 0 ? 1 : base == -1 && b.whole() % 2 == 0 ? 1 : a.whole());
  for (int64_t i = 0; i < b.whole(); ++i) result = whole("**", result * base).whole();
  return whole("**", result);
}

Value negate(const Value& a) {
  if (a.is(Kind::real)) return Value::real(-a.number());
  if (!a.is_whole()) refuse("-", a, a);
  return whole("-", -static_cast<Wide>(a.whole()));
}

int64_t length(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined: return 0;
    case Kind::text: return length_of(v.text());
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view: return static_cast<int64_t>(v.values().size());
    case Kind::dict: return static_cast<int64_t>(v.pairs().size());
    case Kind::loop: return static_cast<int64_t>(v.as<LoopData>().items.size());
    default: throw Problem(fmt::format("a {} has no length", type_name(v)));
  }
}

Value item_of(const Value& object, const Value& key) {
  const auto missing = [&] {
    return Value::undefined(key.is(Kind::text) ? fmt::format("the {} has no attribute \"{}\"", type_name(object), key.text())
                                               : fmt::format("the {} has no element {}", type_name(object), repr(key)));
  };
  if (object.is(Kind::undefined)) throw Problem(object.text());
  if (object.is(Kind::dict)) {
    if (key.is(Kind::list) || key.is(Kind::dict)) return missing();
    const Value* found = find_key(object, key);
    return found == nullptr ? missing() : *found;
  }
  if (!key.is_whole() || (!object.is_sequence() && !object.is(Kind::text))) return missing();
  const int64_t size = length(object), index = key.whole() < 0 ? key.whole() + size : key.whole();
  if (index < 0 || index >= size) return missing();
  if (object.is_sequence()) return object.values()[static_cast<size_t>(index)];
  const size_t begin = byte_of(object.text(), index);
  return Value::text(object.text().substr(begin, byte_of(std::string_view(object.text()).substr(begin), 1)), object.safe());
}

namespace {

// Python's slice.indices.
struct Indices {
  int64_t from, to, step;
};

Indices indices_of(const Value& from, const Value& to, const Value& step, int64_t size) {
  for (const Value* v : {&from, &to, &step})
    if (!v->is(Kind::none) && !v->is_whole()) throw Problem(fmt::format("a slice takes whole numbers, not {}", type_name(*v)));
  Indices at{0, 0, step.is(Kind::none) ? 1 : step.whole()};
  if (at.step == 0) throw Problem("a slice cannot have step 0");
  at.step = std::clamp<int64_t>(at.step, -(int64_t{1} << 40), int64_t{1} << 40);
  const int64_t low = at.step < 0 ? -1 : 0, high = at.step < 0 ? size - 1 : size;
  const auto bound = [&](const Value& v, int64_t fallback) {
    if (v.is(Kind::none)) return fallback;
    return std::clamp(v.whole() < 0 ? v.whole() + size : v.whole(), low, high);
  };
  at.from = bound(from, at.step < 0 ? high : low);
  at.to = bound(to, at.step < 0 ? low : high);
  return at;
}

}  // namespace

Value slice(const Value& object, const Value& from, const Value& to, const Value& step) {
  if (object.is(Kind::undefined)) throw Problem(object.text());
  if (!object.is_sequence() && !object.is(Kind::text))
    throw Problem(fmt::format("a {} cannot be sliced", type_name(object)));
  const Indices at = indices_of(from, to, step, length(object));
  if (object.is(Kind::text)) {
    const std::string_view text = object.text();
    if (at.step == 1) {
      if (at.to <= at.from) return Value::text("", object.safe());
      const size_t begin = byte_of(text, at.from);
      return Value::text(std::string(text.substr(begin, byte_of(text.substr(begin), at.to - at.from))), object.safe());
    }
    const auto characters = characters_of(text);
    std::string out;
    for (int64_t i = at.from; at.step < 0 ? i > at.to : i < at.to; i += at.step) out += characters[static_cast<size_t>(i)];
    return Value::text(std::move(out), object.safe());
  }
  Values values;
  for (int64_t i = at.from; at.step < 0 ? i > at.to : i < at.to; i += at.step)
    values.push_back(object.values()[static_cast<size_t>(i)]);
  return Value::sequence(object.kind(), std::move(values));
}

}  // namespace model::jinja
