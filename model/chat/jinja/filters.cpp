#include "model/chat/jinja/filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"

namespace model::jinja {
namespace {

// Text as filters take it: any value as {{ }} prints it. What |safe marked stays marked.
struct Text {
  std::string text;
  bool safe;
};
Text soft(const Value& v) { return {to_text(v), v.is(Kind::text) && v.safe()}; }

Value trim(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("trim", a, {"chars"});
  const Text t = soft(v);
  std::optional<std::string_view> characters;
  if (given[0] && !given[0]->is(Kind::none)) characters = text_of("trim", *given[0]);
  return Value::text(std::string(strip(t.text, true, true, characters)), t.safe);
}

template <std::string (*change)(std::string_view)>
Value changed(const Value& v, const Arguments& a, Budget&) {
  bind("the filter", a, {});
  const Text t = soft(v);
  return Value::text(change(t.text), t.safe);
}

Value title_filter(const Value& v, const Arguments& a, Budget&) {
  bind("title", a, {});
  return Value::text(filter_title(to_text(v)));
}

Value length_filter(const Value& v, const Arguments& a, Budget&) {
  bind("length", a, {});
  return Value::integer(length(v));
}

Value fallback(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("default", a, {"default_value", "boolean"});
  const bool use = v.is(Kind::undefined) || (given[1] && truth(*given[1]) && !truth(v));
  return !use ? v : given[0] ? *given[0] : Value::text("");
}

Value string_filter(const Value& v, const Arguments& a, Budget&) {
  bind("string", a, {});
  return v.is(Kind::text) ? v : Value::text(to_text(v));
}

Value safe_filter(const Value& v, const Arguments& a, Budget&) {
  bind("safe", a, {});
  return Value::text(to_text(v), true);
}

Value escape_filter(const Value& v, const Arguments& a, Budget&) {
  bind("escape", a, {});
  const Text t = soft(v);
  return Value::text(t.safe ? t.text : escape_html(t.text), true);
}

Value replace_filter(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("replace", a, {"old", "new", "count"}, 2);
  const int64_t most = given[2] && !given[2]->is(Kind::none) ? whole_of("replace", *given[2]) : -1;
  Arguments plain;
  plain.positional = {Value::text(to_text(*given[0])), Value::text(to_text(*given[1])), Value::integer(most)};
  return call_method(Value::text(to_text(v)), "replace", plain);
}

Value tojson(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("tojson", a, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  if (given[0]) style.ascii = truth(*given[0]);
  if (given[1]) style.indent = *given[1];
  if (given[2] && !given[2]->is(Kind::none)) {
    if (!given[2]->is_sequence() || given[2]->values().size() != 2)
      throw Problem("tojson: separators are two texts, such as (',', ':')");
    style.item_separator = text_of("tojson", given[2]->values()[0]);
    style.key_separator = text_of("tojson", given[2]->values()[1]);
    if (style.item_separator.empty() || style.key_separator.empty())
      throw Problem("tojson: an empty separator is outside the supported part of Jinja");
  }
  if (given[3]) style.sort_keys = truth(*given[3]);
  return Value::text(to_json(v, style));
}

Value indent(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("indent", a, {"width", "first", "blank"});
  const std::string& text = text_of("indent", v);
  std::string step(4, ' ');
  if (given[0] && given[0]->is(Kind::text)) {
    if (v.safe()) throw Problem("indent by a text of what |safe marked is outside the supported part of Jinja");
    step = given[0]->text();
  }
  else if (given[0]) {
    const int64_t width = std::max<int64_t>(0, whole_of("indent", *given[0]));
    check_weight(width);
    step.assign(static_cast<size_t>(width), ' ');
  }
  const bool first = given[1] && truth(*given[1]), blank = given[2] && truth(*given[2]);
  const auto lines = split_lines(text + "\n", false);
  check_weight(v.weight() + static_cast<int64_t>(lines.size()) * static_cast<int64_t>(step.size() + 1));
  std::string out = first ? step : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\n";
    if (i > 0 && (blank || !lines[i].empty())) out += step;
    out += lines[i];
  }
  return Value::text(std::move(out), v.safe());
}

// Python's int() and float() of text: white space around it, single underscores between digits.
std::optional<std::string> number_text(const std::string& text) {
  std::string t(strip(text, true, true));
  if (!t.empty() && t[0] == '+') t.erase(0, 1);
  for (size_t i = 0; i < t.size(); ++i)
    if (t[i] == '_' && (i == 0 || i + 1 == t.size() || t[i - 1] < '0' || t[i - 1] > '9' || t[i + 1] < '0' || t[i + 1] > '9'))
      return {};
  std::erase(t, '_');
  if (t.empty() || t.find('+') == 0) return {};
  return t;
}

std::optional<int64_t> parsed_whole(const std::string& text) {
  const auto t = number_text(text);
  int64_t value = 0;
  if (!t) return {};
  const auto read = std::from_chars(t->data(), t->data() + t->size(), value);
  if (read.ptr != t->data() + t->size()) return {};
  if (read.ec == std::errc::result_out_of_range) throw Problem("int gives a number of more than 64 bits");
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> parsed_real(const std::string& text) {
  const auto t = number_text(text);
  if (!t) return {};
  double value = 0;
  const auto read = std::from_chars(t->data(), t->data() + t->size(), value);
  if (read.ptr != t->data() + t->size()) return {};
  if (read.ec == std::errc::result_out_of_range) throw Problem("float gives a number that is too large or too small");
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

int64_t truncated(double d) {
  if (!(std::abs(d) < 9.2e18)) throw Problem("int gives a number of more than 64 bits");
  return static_cast<int64_t>(d);
}

Value int_filter(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("int", a, {"default", "base"});
  if (given[1] && !equal(*given[1], Value::integer(10)))
    throw Problem("int with another base than 10 is outside the supported part of Jinja");
  if (v.is(Kind::undefined)) throw Problem(v.text());
  if (v.is_whole()) return Value::integer(v.whole());
  if (v.is(Kind::real)) return Value::integer(truncated(v.number()));
  if (v.is(Kind::text)) {
    if (const auto i = parsed_whole(v.text())) return Value::integer(*i);
    if (const auto d = parsed_real(v.text())) return Value::integer(truncated(*d));
  }
  return given[0] ? *given[0] : Value::integer(0);
}

Value float_filter(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("float", a, {"default"});
  if (v.is(Kind::undefined)) throw Problem(v.text());
  if (v.is_number()) return Value::real(v.number());
  if (v.is(Kind::text))
    if (const auto d = parsed_real(v.text())) return Value::real(*d);
  return given[0] ? *given[0] : Value::real(0.0);
}

Value abs_filter(const Value& v, const Arguments& a, Budget&) {
  bind("abs", a, {});
  if (!v.is_number()) throw Problem(v.is(Kind::undefined) ? v.text() : fmt::format("abs does not work on a {}", type_name(v)));
  if (v.is(Kind::real)) return Value::real(std::abs(v.number()));
  return v.whole() < 0 ? negate(v) : Value::integer(v.whole());
}

Value round_filter(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("round", a, {"precision", "method"});
  const int64_t precision = given[0] ? whole_of("round", *given[0]) : 0;
  const std::string method = given[1] ? text_of("round", *given[1]) : "common";
  if (!v.is_number()) throw Problem(v.is(Kind::undefined) ? v.text() : fmt::format("round does not work on a {}", type_name(v)));
  if (precision < 0 || precision > 20) throw Problem("round to other than 0 to 20 places is outside the supported part of Jinja");
  if (method == "ceil" || method == "floor") {
    const double scale = std::pow(10.0, static_cast<double>(precision)), scaled = v.number() * scale;
    return Value::real(((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) + 0.0) /
                       scale);  // Python's whole number has no -0
  }
  if (method != "common") throw Problem("round: method is common, ceil or floor");
  if (v.is_whole()) return Value::integer(v.whole());
  // Python rounds the exact decimal value, ties to even, and so does formatting with a precision.
  const std::string text = fmt::format("{:.{}f}", v.number(), precision);
  double rounded = v.number();
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return Value::real(rounded);
}

Value attr(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("attr", a, {"name"}, 1);
  const std::string& name = text_of("attr", *given[0]);
  if (v.is(Kind::dict) && !has_method(v, name)) return Value::undefined(fmt::format("the dict has no attribute \"{}\"", name));
  return attribute_of(v, name);
}

}  // namespace

Filter value_filter(const std::string& name) {
  static const std::map<std::string, Filter> table = {
      {"trim", trim},         {"upper", changed<upper>},   {"lower", changed<lower>}, {"capitalize", changed<capitalize>},
      {"title", title_filter}, {"length", length_filter}, {"count", length_filter},  {"default", fallback},
      {"d", fallback},        {"string", string_filter},   {"safe", safe_filter},     {"escape", escape_filter},
      {"e", escape_filter},   {"replace", replace_filter}, {"tojson", tojson},        {"indent", indent},
      {"int", int_filter},    {"float", float_filter},     {"abs", abs_filter},       {"round", round_filter},
      {"attr", attr}};
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget) {
  budget.charge(value.weight());
  Filter filter = value_filter(name);
  if (filter == nullptr) filter = sequence_filter(name);
  if (filter == nullptr) throw Problem(fmt::format("the filter {} is outside the supported part of Jinja", name));
  Value result = filter(value, arguments, budget);
  budget.charge(result.weight());
  return result;
}

const std::string& text_of(const std::string& what, const Value& value) {
  if (value.is(Kind::text)) return value.text();
  throw Problem(value.is(Kind::undefined) ? value.text()
                                          : fmt::format("{} needs text but was given a {}", what, type_name(value)));
}

int64_t whole_of(const std::string& what, const Value& value) {
  if (value.is_whole()) return value.whole();
  throw Problem(value.is(Kind::undefined) ? value.text()
                                          : fmt::format("{} needs a whole number but was given a {}", what, type_name(value)));
}

}  // namespace model::jinja
