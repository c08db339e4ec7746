// Attributes and subscripts of values.
#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"

namespace model::jinja {
namespace {

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// All of Python's, so that none is mistaken for a missing key; call_method says which it can do.
bool is_text_method(std::string_view name) {
  return one_of(
      name, {"capitalize",   "casefold",   "center",    "count",       "encode",    "endswith",     "expandtabs",   "find",
             "format",       "format_map", "index",     "isalnum",     "isalpha",   "isascii",      "isdecimal",    "isdigit",
             "isidentifier", "islower",    "isnumeric", "isprintable", "isspace",   "istitle",      "isupper",      "join",
             "ljust",        "lower",      "lstrip",    "maketrans",   "partition", "removeprefix", "removesuffix", "replace",
             "rfind",        "rindex",     "rjust",     "rpartition",  "rsplit",    "rstrip",       "split",        "splitlines",
             "startswith",   "strip",      "swapcase",  "title",       "translate", "upper",        "zfill"});
}
bool is_dict_method(std::string_view name) { return one_of(name, {"copy", "fromkeys", "get", "items", "keys", "values"}); }
bool is_list_method(std::string_view name) { return one_of(name, {"copy", "count", "index"}); }

bool changes(const Value& object, std::string_view name) {
  if (object.is(Kind::dict)) return one_of(name, {"clear", "pop", "popitem", "setdefault", "update"});
  return object.is(Kind::list) && one_of(name, {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"});
}

Value loop_attribute(const Value& object, const std::string& name) {
  const auto& loop = object.as<LoopData>();
  const auto size = static_cast<int64_t>(loop.items.size()), index = static_cast<int64_t>(loop.index);
  if (name == "index0") return Value::integer(index);
  if (name == "index") return Value::integer(index + 1);
  if (name == "first") return Value::boolean(index == 0);
  if (name == "last") return Value::boolean(index + 1 == size);
  if (name == "length") return Value::integer(size);
  if (name == "revindex") return Value::integer(size - index);
  if (name == "revindex0") return Value::integer(size - index - 1);
  if (name == "depth") return Value::integer(1);
  if (name == "depth0") return Value::integer(0);
  if (name == "previtem") return index > 0 ? loop.items[loop.index - 1] : Value::undefined("there is no previous item");
  if (name == "nextitem") return index + 1 < size ? loop.items[loop.index + 1] : Value::undefined("there is no next item");
  throw Problem(fmt::format("loop.{} is outside the supported part of Jinja", name));
}

Value missing(const Value& object, const std::string& name) {
  return Value::undefined(fmt::format("the {} has no attribute \"{}\"", type_name(object), name));
}

Value method(const Value& self, const std::string& name) {
  auto data = std::make_shared<MethodData>();
  data->self = self;
  data->name = name;
  return Value::of(Kind::method, std::move(data));
}

}  // namespace

bool has_method(const Value& object, const std::string& name) {
  switch (object.kind()) {
    case Kind::text: return is_text_method(name);
    case Kind::dict: return is_dict_method(name);
    case Kind::list: return is_list_method(name);
    case Kind::tuple:
    case Kind::range: return name == "count" || name == "index";
    case Kind::loop: return name == "cycle" || name == "changed";
    default: return false;
  }
}

Value attribute_of(const Value& object, const std::string& name) {
  if (object.is(Kind::undefined)) throw Problem(object.text());
  if (name.starts_with("__")) throw Problem(fmt::format("the attribute {} is outside the supported part of Jinja", name));
  if (changes(object, name))
    return Value::undefined(fmt::format("{}.{} changes a value, which templates may not do", type_name(object), name));
  if (has_method(object, name)) return method(object, name);
  switch (object.kind()) {
    case Kind::dict: {
      const Value* found = find_key(object, name);
      return found == nullptr ? missing(object, name) : *found;
    }
    case Kind::space:
      for (const auto& [key, value] : object.as<SpaceData>().attributes)
        if (key == name) return value;
      return missing(object, name);
    case Kind::loop: return loop_attribute(object, name);
    case Kind::none:
    case Kind::text:
    case Kind::list:
    case Kind::tuple: return missing(object, name);
    default:
      throw Problem(fmt::format("the attribute {} of a {} is outside the supported part of Jinja", name, type_name(object)));
  }
}

Value subscript_of(const Value& object, const Value& key) {
  Value found = object.is(Kind::space) ? Value() : item_of(object, key);
  if (!found.is(Kind::undefined) || !key.is(Kind::text)) return found;
  // A key with an undefined value was found all the same.
  if (object.is(Kind::dict) &&
      (find_key(object, key.text()) != nullptr || (!has_method(object, key.text()) && !changes(object, key.text()))))
    return found;
  return attribute_of(object, key.text());
}

}  // namespace model::jinja
