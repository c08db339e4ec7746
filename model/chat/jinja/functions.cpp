// Global functions, and str.format.
#include <algorithm>
#include <array>
#include <charconv>

#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"
#include "model/chat/jinja/text_format.h"

namespace model::jinja {
namespace {

constexpr int64_t most_range = 100'000;  // as Jinja's sandbox

Value range(const Arguments& a) {
  if (!a.named.empty() || a.positional.empty() || a.positional.size() > 3) throw Problem("range takes one to three numbers");
  std::array<int64_t, 3> n{0, 0, 1};
  for (size_t i = 0; i < a.positional.size(); ++i) n[a.positional.size() == 1 ? 1 : i] = whole_of("range", a.positional[i]);
  const auto [from, to, step] = n;
  if (step == 0) throw Problem("range cannot have step 0");
  Values values;
  Wide at = from;
  for (; step > 0 ? at < to : at > to; at += step) {
    if (static_cast<int64_t>(values.size()) == most_range) throw Problem(fmt::format("range is longer than {}", most_range));
    values.push_back(Value::integer(static_cast<int64_t>(at)));
  }
  return Value::sequence(Kind::range, std::move(values));
}

void add_pairs(Pairs& pairs, const Value& from) {
  if (from.is(Kind::dict)) {
    for (const auto& [key, value] : from.pairs()) put(pairs, key, value);
    return;
  }
  for (const Value& item : iterate(from)) {
    const Values two = iterate(item);
    if (two.size() != 2) throw Problem("dict takes a dict or a list of pairs");
    put(pairs, two[0], two[1]);
  }
}

Pairs pairs_of(const char* what, const Arguments& a) {
  if (a.positional.size() > 1) throw Problem(fmt::format("{} takes at most one value beside named ones", what));
  Pairs pairs;
  for (const Value& from : a.positional) add_pairs(pairs, from);
  for (const auto& [name, value] : a.named) put(pairs, Value::text(name), value);
  return pairs;
}

Value make_namespace(const Arguments& a) {
  auto space = std::make_shared<SpaceData>();
  for (auto& [key, value] : pairs_of("namespace", a)) {
    const std::string& name = text_of("namespace", key);
    if (name.starts_with("_")) throw Problem(fmt::format("the attribute {} of a namespace begins with an underscore", name));
    space->attributes.emplace_back(name, value);
  }
  return Value::of(Kind::space, std::move(space));
}

}  // namespace

bool is_function(const std::string& name) {
  return name == "raise_exception" || name == "strftime_now" || name == "range" || name == "namespace" || name == "dict";
}

Value call_function(const std::string& name, const Arguments& a, const std::tm& now) {
  if (name == "raise_exception") throw Problem(to_text(*bind(name, a, {"message"}, 1)[0]));
  if (name == "strftime_now") return Value::text(format_time(text_of(name, *bind(name, a, {"format"}, 1)[0]), now));
  if (name == "range") return range(a);
  if (name == "namespace") return make_namespace(a);
  return Value::dict(pairs_of("dict", a));
}

std::string format_time(const std::string& format, const std::tm& t) {
  static constexpr const char* days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  static constexpr const char* months[] = {"January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December"};
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const bool bare = i + 1 < format.size() && format[i + 1] == '-';  // %-d: without the leading zero
    i += bare ? 2 : 1;
    const char c = i < format.size() ? format[i] : '\0';
    const auto number = [&](int n, int digits) { out += bare ? fmt::format("{}", n) : fmt::format("{:0{}}", n, digits); };
    switch (c) {
      case 'a': out += std::string(days[t.tm_wday]).substr(0, 3); break;
      case 'A': out += days[t.tm_wday]; break;
      case 'b': out += std::string(months[t.tm_mon]).substr(0, 3); break;
      case 'B': out += months[t.tm_mon]; break;
      case 'd': number(t.tm_mday, 2); break;
      case 'e': out += fmt::format("{:2}", t.tm_mday); break;
      case 'H': number(t.tm_hour, 2); break;
      case 'I': number((t.tm_hour + 11) % 12 + 1, 2); break;
      case 'j': number(t.tm_yday + 1, 3); break;
      case 'm': number(t.tm_mon + 1, 2); break;
      case 'M': number(t.tm_min, 2); break;
      case 'p': out += t.tm_hour < 12 ? "AM" : "PM"; break;
      case 'S': number(t.tm_sec, 2); break;
      case 'y': number(t.tm_year % 100, 2); break;
      case 'Y': out += fmt::format("{}", t.tm_year + 1900); break;
      case 'Z': break;  // datetime.now() has no zone
      case 'z': break;
      case '%': out += '%'; break;
      default:
        throw Problem(fmt::format("strftime_now: the directive %{} is outside the supported part of Jinja", c == '\0' ? ' ' : c));
    }
  }
  return out;
}

Value format_text(const Value& self, const Arguments& a) {
  const std::string& text = self.text();
  std::string out;
  size_t automatic = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      out += c, ++i;
      continue;
    }
    if (c == '}') throw Problem("format: a single }");
    if (c != '{') {
      out += c;
      continue;
    }
    const size_t end = text.find('}', i);
    if (end == std::string::npos) throw Problem("format: a single {");
    const std::string field = text.substr(i + 1, end - i - 1);
    if (field.find_first_of(":!.[{") != std::string::npos)
      throw Problem(fmt::format("format: the field {{{}}} is outside the supported part of Jinja", field));
    const bool digits = !field.empty() && field.find_first_not_of("0123456789") == std::string::npos;
    if (field.empty() || digits) {
      size_t index = automatic;
      if (digits && std::from_chars(field.data(), field.data() + field.size(), index).ec != std::errc())
        index = a.positional.size();
      if (field.empty()) ++automatic;
      if (index >= a.positional.size()) throw Problem(fmt::format("format: there is no argument for {{{}}}", field));
      out += to_text(a.positional[index]);
    } else {
      const auto named = std::find_if(a.named.begin(), a.named.end(), [&](const auto& n) { return n.first == field; });
      if (named == a.named.end()) throw Problem(fmt::format("format: there is no argument {}", field));
      out += to_text(named->second);
    }
    check_weight(static_cast<int64_t>(out.size()));
    i = end;
  }
  return Value::text(std::move(out));
}

}  // namespace model::jinja
