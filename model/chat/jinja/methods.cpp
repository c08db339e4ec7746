// Methods of text, lists, dicts and loops.
#include <algorithm>
#include <map>

#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"
#include "model/chat/jinja/text_format.h"

namespace model::jinja {
namespace {

using Method = Value (*)(const Value& self, const Arguments& arguments);

bool given_value(const std::optional<Value>& v) { return v && !v->is(Kind::none); }

template <bool left, bool right>
Value strip_method(const Value& self, const Arguments& a) {
  const auto given = bind("strip", a, {"chars"});
  std::optional<std::string_view> characters;
  if (given_value(given[0])) characters = text_of("strip", *given[0]);
  return Value::text(std::string(strip(self.text(), left, right, characters)), self.safe());
}

template <std::string (*change)(std::string_view)>
Value changed(const Value& self, const Arguments& a) {
  bind("the method", a, {});
  return Value::text(change(self.text()), self.safe());
}

template <bool (*test)(std::string_view)>
Value tested(const Value& self, const Arguments& a) {
  bind("the method", a, {});
  return Value::boolean(test(self.text()));
}

bool all_space(std::string_view text) {
  const auto characters = characters_of(text);
  return !text.empty() &&
         std::all_of(characters.begin(), characters.end(), [](std::string_view c) { return is_space(code_point(c)); });
}

Value list_of(const std::vector<std::string>& texts, bool safe = false) {
  Values values;
  for (const auto& t : texts) values.push_back(Value::text(t, safe));
  return Value::sequence(Kind::list, std::move(values));
}

template <bool from_right>
Value split_method(const Value& self, const Arguments& a) {
  const auto given = bind("split", a, {"sep", "maxsplit"});
  std::optional<std::string_view> separator;
  if (given_value(given[0])) separator = text_of("split", *given[0]);
  if (separator && separator->empty()) throw Problem("split: the separator is empty");
  const int64_t most = given[1] ? whole_of("split", *given[1]) : -1;
  return list_of((from_right ? rsplit : split)(self.text(), separator, most), self.safe());
}

Value splitlines(const Value& self, const Arguments& a) {
  const auto given = bind("splitlines", a, {"keepends"});
  return list_of(split_lines(self.text(), given[0] && truth(*given[0])), self.safe());
}

template <bool at_end>
Value starts_or_ends(const Value& self, const Arguments& a) {
  const char* what = at_end ? "endswith" : "startswith";
  const auto given = bind(what, a, {"affix"}, 1);
  const auto fits = [&](const Value& v) {
    const std::string& affix = text_of(what, v);
    return at_end ? self.text().ends_with(affix) : self.text().starts_with(affix);
  };
  if (!given[0]->is(Kind::tuple)) return Value::boolean(fits(*given[0]));
  return Value::boolean(std::any_of(given[0]->values().begin(), given[0]->values().end(), fits));
}

Value replace_method(const Value& self, const Arguments& a) {
  const auto given = bind("replace", a, {"old", "new", "count"}, 2);
  const std::string &from = text_of("replace", *given[0]), &to = text_of("replace", *given[1]);
  const int64_t most = given[2] ? whole_of("replace", *given[2]) : -1;
  int64_t found = from.empty() ? length_of(self.text()) + 1 : 0;
  if (!from.empty())
    for (size_t at = 0; (at = self.text().find(from, at)) != std::string::npos; at += from.size()) ++found;
  if (most >= 0) found = std::min(found, most);
  if (!to.empty() && found > heaviest / static_cast<int64_t>(to.size())) check_weight(heaviest + 1);
  return Value::text(replace(self.text(), from, to, most));
}

// Where the text begins, in code points; -1: nowhere.
template <bool last, bool must>
Value find_method(const Value& self, const Arguments& a) {
  const auto given = bind("find", a, {"sub"}, 1);
  const std::string& wanted = text_of("find", *given[0]);
  const size_t at = last ? self.text().rfind(wanted) : self.text().find(wanted);
  if (at != std::string::npos) return Value::integer(length_of(std::string_view(self.text()).substr(0, at)));
  if (must) throw Problem("index: the text is not found");
  return Value::integer(-1);
}

Value count_method(const Value& self, const Arguments& a) {
  const auto given = bind("count", a, {"sub"}, 1);
  int64_t n = 0;
  if (!self.is(Kind::text)) {
    for (const Value& v : self.values()) n += equal(v, *given[0]);
    return Value::integer(n);
  }
  const std::string& wanted = text_of("count", *given[0]);
  if (wanted.empty()) return Value::integer(length_of(self.text()) + 1);
  for (size_t at = 0; (at = self.text().find(wanted, at)) != std::string::npos; at += wanted.size()) ++n;
  return Value::integer(n);
}

Value join_method(const Value& self, const Arguments& a) {
  const auto given = bind("join", a, {"iterable"}, 1);
  std::string out;
  bool any = false;
  for (const Value& v : iterate(*given[0])) {
    if (any) out += self.text();
    out += text_of("join", v);
    check_weight(static_cast<int64_t>(out.size()));
    any = true;
  }
  return Value::text(std::move(out));
}

Value removeprefix(const Value& self, const Arguments& a) {
  const std::string& prefix = text_of("removeprefix", *bind("removeprefix", a, {"prefix"}, 1)[0]);
  return self.text().starts_with(prefix) ? Value::text(self.text().substr(prefix.size())) : self;
}

Value removesuffix(const Value& self, const Arguments& a) {
  const std::string& suffix = text_of("removesuffix", *bind("removesuffix", a, {"suffix"}, 1)[0]);
  return self.text().ends_with(suffix) ? Value::text(self.text().substr(0, self.text().size() - suffix.size())) : self;
}

Value partition(const Value& self, const Arguments& a) {
  const std::string& separator = text_of("partition", *bind("partition", a, {"sep"}, 1)[0]);
  if (separator.empty()) throw Problem("partition: the separator is empty");
  const size_t at = self.text().find(separator);
  const bool found = at != std::string::npos;
  return Value::sequence(Kind::tuple, {Value::text(self.text().substr(0, at)), Value::text(found ? separator : ""),
                                       Value::text(found ? self.text().substr(at + separator.size()) : "")});
}

const std::map<std::string, Method>& text_methods() {
  static const std::map<std::string, Method> table = {
      {"strip", strip_method<true, true>}, {"lstrip", strip_method<true, false>}, {"rstrip", strip_method<false, true>},
      {"upper", changed<upper>}, {"lower", changed<lower>}, {"capitalize", changed<capitalize>}, {"title", changed<title>},
      {"split", split_method<false>}, {"rsplit", split_method<true>}, {"splitlines", splitlines},
      {"startswith", starts_or_ends<false>}, {"endswith", starts_or_ends<true>}, {"replace", replace_method},
      {"find", find_method<false, false>}, {"rfind", find_method<true, false>}, {"index", find_method<false, true>},
      {"rindex", find_method<true, true>}, {"count", count_method}, {"join", join_method}, {"removeprefix", removeprefix},
      {"removesuffix", removesuffix}, {"partition", partition}, {"format", format_text}, {"isdigit", tested<all_digits>},
      {"isdecimal", tested<all_digits>}, {"isalpha", tested<all_letters>}, {"isalnum", tested<all_alphanumeric>},
      {"isspace", tested<all_space>}, {"isupper", tested<is_upper>}, {"islower", tested<is_lower>}};
  return table;
}

// Methods that keep the mark of |safe, or return no text.
bool keeps_mark(const std::string& name) {
  for (const std::string_view fine : {"strip", "lstrip", "rstrip", "upper", "lower", "capitalize", "title", "split", "rsplit",
                                      "splitlines", "startswith", "endswith", "find", "rfind", "index", "rindex", "count"})
    if (name == fine) return true;
  return name.starts_with("is");
}

Value call_text_method(const Value& self, const std::string& name, const Arguments& a) {
  const auto found = text_methods().find(name);
  if (found == text_methods().end())
    throw Problem(fmt::format("the method {} of text is outside the supported part of Jinja", name));
  if (self.safe() && !keeps_mark(name))
    throw Problem(fmt::format("the method {} of text that |safe marked is outside the supported part of Jinja", name));
  return found->second(self, a);
}

Value call_dict_method(const Value& self, const std::string& name, const Arguments& a) {
  if (name == "get") {
    if (!a.named.empty()) throw Problem("get takes no named arguments");
    const auto given = bind("get", a, {"key", "default"}, 1);
    const Value* found = find_key(self, *given[0]);
    return found != nullptr ? *found : given[1] ? *given[1] : Value::none();
  }
  if (name == "fromkeys") throw Problem("the method fromkeys of a dict is outside the supported part of Jinja");
  bind(name, a, {});
  if (name == "copy") return self;
  Values values;
  for (const auto& [key, value] : self.pairs())
    values.push_back(name == "keys" ? key : name == "values" ? value : Value::sequence(Kind::tuple, {key, value}));
  return Value::sequence(Kind::view, std::move(values));
}

Value call_list_method(const Value& self, const std::string& name, const Arguments& a) {
  if (name == "count") return count_method(self, a);
  if (name == "copy") return bind("copy", a, {}), self;
  const auto given = bind("index", a, {"value"}, 1);
  for (size_t i = 0; i < self.values().size(); ++i)
    if (equal(self.values()[i], *given[0])) return Value::integer(static_cast<int64_t>(i));
  throw Problem("index: the value is not in the list");
}

}  // namespace

Value call_method(const Value& self, const std::string& name, const Arguments& a) {
  switch (self.kind()) {
    case Kind::text: return call_text_method(self, name, a);
    case Kind::dict: return call_dict_method(self, name, a);
    case Kind::loop:
      if (name != "cycle") throw Problem(fmt::format("loop.{} is outside the supported part of Jinja", name));
      if (a.positional.empty() || !a.named.empty()) throw Problem("loop.cycle needs values");
      return a.positional[self.as<LoopData>().index % a.positional.size()];
    default: return call_list_method(self, name, a);
  }
}

}  // namespace model::jinja
