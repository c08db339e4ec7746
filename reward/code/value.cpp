#include "reward/code/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace reward::code {
namespace {

using Kind = Value::Kind;
constexpr int deepest = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool all_hex(std::string_view digits) {
  return std::all_of(digits.begin(), digits.end(), [](char c) { return hex_digit(c) >= 0; });
}

std::optional<std::string> read_bytes(std::string_view digits) {
  if (digits.size() % 2 != 0 || !all_hex(digits)) return std::nullopt;
  std::string out;
  out.reserve(digits.size() / 2);
  for (size_t i = 0; i < digits.size(); i += 2)
    out += static_cast<char>(hex_digit(digits[i]) * 16 + hex_digit(digits[i + 1]));
  return out;
}

std::optional<double> read_double(std::string_view digits) {
  if (digits.size() != 16 || !all_hex(digits)) return std::nullopt;
  uint64_t bits = 0;
  for (const char c : digits) bits = bits * 16 + static_cast<uint64_t>(hex_digit(c));
  return std::bit_cast<double>(bits);
}

std::optional<std::string> read_integer(std::string_view digits) {
  const bool negative = digits.substr(0, 1) == "-";
  if (negative) digits.remove_prefix(1);
  if (digits.empty() || !all_hex(digits)) return std::nullopt;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return (negative && digits != "0" ? "-" : "") + std::string(digits);
}

// Reads from the front of `text`, which then starts after the value.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }

  std::optional<Value> read(int depth) {
    if (text_.empty() || depth > deepest) return std::nullopt;
    const char tag = text_[0];
    text_.remove_prefix(1);
    switch (tag) {
      case 'N': return Value{};
      case 'T': return boolean(true);
      case 'F': return boolean(false);
      case '(': return container(Kind::tuple, ')', depth);
      case '[': return container(Kind::list, ']', depth);
      case '{': return container(Kind::set, '}', depth);
      case '<': return container(Kind::frozenset, '>', depth);
      case 'd': return container(Kind::dict, ';', depth);
      default: return digits(tag);
    }
  }

 private:
  std::optional<Value> container(Kind kind, char closing, int depth) {
    Value value;
    value.kind = kind;
    while (!text_.empty() && text_[0] != closing) {
      auto item = read(depth + 1);
      if (!item) return std::nullopt;
      value.items.push_back(std::move(*item));
    }
    if (text_.empty() || (kind == Kind::dict && value.items.size() % 2 != 0)) return std::nullopt;
    text_.remove_prefix(1);
    return value;
  }

  std::optional<Value> digits(char tag) {
    const auto end = text_.find(';');
    if (end == std::string_view::npos) return std::nullopt;
    const auto run = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    if (tag == 'f' || tag == 'c') return floating(tag, run);
    Value value;
    std::optional<std::string> text;
    switch (tag) {
      case 'i': value.kind = Kind::integer; text = read_integer(run); break;
      case 's': value.kind = Kind::text; text = read_bytes(run); break;
      case 'b': value.kind = Kind::bytes; text = read_bytes(run); break;
      case 'o': value.kind = Kind::object; text = read_bytes(run); break;
      case 'u': value.kind = Kind::unreadable; text = read_bytes(run); break;
      case 'e': value.kind = Kind::raised; text = read_bytes(run); break;
      default: break;
    }
    if (!text) return std::nullopt;
    value.text = std::move(*text);
    return value;
  }

  static std::optional<Value> floating(char tag, std::string_view run) {
    const auto re = read_double(run.substr(0, 16));
    if (!re || run.size() != (tag == 'f' ? 16u : 32u)) return std::nullopt;
    Value value = real(*re);
    if (tag == 'f') return value;
    const auto im = read_double(run.substr(16));
    if (!im) return std::nullopt;
    value.kind = Kind::complex;
    value.im = *im;
    return value;
  }

  std::string_view text_;
};

// A whole double as hex digits: 53 bits, then zeros.
std::string hex_of(double whole) {
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(whole), &exponent);  // [0.5, 1) * 2^exponent
  auto mantissa = static_cast<uint64_t>(std::ldexp(fraction, 53));
  exponent -= 53;
  if (exponent < 0) mantissa >>= -exponent, exponent = 0;  // exact: the value is whole
  return fmt::format("{}{:x}{}", whole < 0 ? "-" : "", mantissa << (exponent % 4),
                     std::string(static_cast<size_t>(exponent / 4), '0'));
}

// Text that is the same for two values exactly if they are equal. `never` is set if the value equals nothing.
class Key {
 public:
  std::string text;
  bool never = false;

  void add(const Value& value) {
    switch (value.kind) {
      case Kind::none: text += 'N'; break;
      case Kind::boolean: text += value.truth ? "n1;" : "n0;"; break;
      case Kind::integer: text += 'n' + value.text + ';'; break;
      case Kind::real: add_real(value.re); break;
      case Kind::complex: add_complex(value); break;
      case Kind::text: text += fmt::format("s{}:", value.text.size()) + value.text; break;
      case Kind::bytes: text += fmt::format("b{}:", value.text.size()) + value.text; break;
      case Kind::tuple: add_all(value.items, '(', ')'); break;
      case Kind::list: add_all(value.items, '[', ']'); break;
      case Kind::set:
      case Kind::frozenset: add_sorted(value.items, 1, '{', '}'); break;
      case Kind::dict: add_sorted(value.items, 2, 'd', ';'); break;
      case Kind::object:
      case Kind::unreadable:
      case Kind::raised: never = true; break;
    }
  }

 private:
  void add_real(double number) {
    if (std::isnan(number)) never = true;
    else if (std::isinf(number)) text += number < 0 ? "n-inf;" : "ninf;";
    else if (number == 0) text += "n0;";
    else if (number == std::trunc(number)) text += 'n' + hex_of(number) + ';';
    else text += fmt::format("r{:x};", std::bit_cast<uint64_t>(number));
  }

  void add_complex(const Value& value) {
    if (value.im == 0) return add_real(value.re);
    text += 'c';
    add_real(value.re);
    add_real(value.im);
  }

  void add_all(const std::vector<Value>& items, char opening, char closing) {
    text += opening;
    for (const auto& item : items) add(item);
    text += closing;
  }

  // `step` values make one element.
  void add_sorted(const std::vector<Value>& items, size_t step, char opening, char closing) {
    std::vector<std::string> elements;
    for (size_t i = 0; i < items.size(); i += step) {
      Key element;
      for (size_t j = i; j < i + step; ++j) element.add(items[j]);
      never |= element.never;
      elements.push_back(std::move(element.text));
    }
    std::sort(elements.begin(), elements.end());
    text += opening;
    for (const auto& element : elements) text += element;
    text += closing;
  }
};

// Hex digits without a sign, no leading zeros.
int compare_digits(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

bool less_integers(std::string_view a, std::string_view b) {
  const bool a_negative = a[0] == '-', b_negative = b[0] == '-';
  if (a_negative != b_negative) return a_negative;
  return a_negative ? compare_digits(b.substr(1), a.substr(1)) < 0 : compare_digits(a, b) < 0;
}

}  // namespace

bool Value::is_number() const { return kind == Kind::boolean || kind == Kind::integer || kind == Kind::real; }

Value boolean(bool truth) {
  Value value;
  value.kind = Kind::boolean;
  value.truth = truth;
  return value;
}

Value integer(int64_t number) {
  Value value;
  value.kind = Kind::integer;
  const auto size = number < 0 ? ~static_cast<uint64_t>(number) + 1 : static_cast<uint64_t>(number);
  value.text = fmt::format("{}{:x}", number < 0 ? "-" : "", size);
  return value;
}

Value real(double number) {
  Value value;
  value.kind = Kind::real;
  value.re = number;
  return value;
}

std::optional<Value> read_value(std::string_view text) {
  Reader reader(text);
  auto value = reader.read(0);
  if (!value || !reader.done()) return std::nullopt;
  return value;
}

bool equal(const Value& a, const Value& b) {
  Key a_key, b_key;
  a_key.add(a);
  b_key.add(b);
  return !a_key.never && !b_key.never && a_key.text == b_key.text;
}

std::optional<bool> less(const Value& a, const Value& b) {
  if (a.kind == Kind::integer && b.kind == Kind::integer) return less_integers(a.text, b.text);
  if (a.is_number() && b.is_number()) {
    const auto x = as_double(a), y = as_double(b);
    if (!x || !y || std::isnan(*x) || std::isnan(*y)) return std::nullopt;
    return *x < *y;
  }
  if (a.kind != b.kind) return std::nullopt;
  // UTF-8 sorts as its code points do.
  if (a.kind == Kind::text || a.kind == Kind::bytes) return a.text < b.text;
  if (!a.is_sequence()) return std::nullopt;
  const size_t both = std::min(a.items.size(), b.items.size());
  for (size_t i = 0; i < both; ++i)
    if (!equal(a.items[i], b.items[i])) return less(a.items[i], b.items[i]);
  return a.items.size() < b.items.size();
}

bool truthy(const Value& value) {
  switch (value.kind) {
    case Kind::boolean: return value.truth;
    case Kind::object: return true;
    case Kind::integer: return value.text != "0";
    case Kind::real:
    case Kind::complex: return value.re != 0 || value.im != 0;
    case Kind::text:
    case Kind::bytes: return !value.text.empty();
    default: return value.is_container() && !value.items.empty();
  }
}

std::optional<double> as_double(const Value& value) {
  if (value.kind == Kind::boolean) return value.truth ? 1.0 : 0.0;
  if (value.kind == Kind::real) return value.re;
  if (value.kind != Kind::integer) return std::nullopt;
  std::string_view digits = value.text;
  const bool negative = digits[0] == '-';
  if (negative) digits.remove_prefix(1);
  if (digits.size() > 13) return std::nullopt;  // 52 bits
  double number = 0;
  for (const char c : digits) number = number * 16 + hex_digit(c);
  return negative ? -number : number;
}

}  // namespace reward::code
