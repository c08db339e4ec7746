#include "model/chat/jinja/value.h"

#include <fmt/core.h>

#include <algorithm>

#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"

namespace model::jinja {

void check_weight(int64_t weight) {
  if (weight > heaviest) throw Problem(fmt::format("a value grows larger than {} bytes", heaviest));
}

void Nested::holds(const Value& inner) {
  depth = std::max(depth, inner.depth() + 1);
  if (depth > deepest) throw Problem(fmt::format("values nest deeper than {} levels", deepest));
  weight += inner.weight();
  check_weight(weight);
}

Value Value::undefined(std::string why) {
  Value v(Kind::undefined);
  auto data = std::make_shared<TextData>();
  data->text = std::move(why);
  v.data_ = std::move(data);
  return v;
}

Value Value::boolean(bool b) {
  Value v(Kind::boolean);
  v.boolean_ = b;
  return v;
}

Value Value::integer(int64_t i) {
  Value v(Kind::integer);
  v.integer_ = i;
  return v;
}

Value Value::real(double d) {
  Value v(Kind::real);
  v.real_ = d;
  return v;
}

Value Value::text(std::string s, bool safe) {
  check_weight(static_cast<int64_t>(s.size()));
  Value v(Kind::text);
  auto data = std::make_shared<TextData>();
  data->text = std::move(s);
  data->safe = safe;
  v.data_ = std::move(data);
  return v;
}

Value Value::sequence(Kind kind, Values values) {
  Value v(kind);
  auto data = kind == Kind::iterator ? std::make_shared<IteratorData>() : std::make_shared<SequenceData>();
  for (const Value& x : values) data->holds(x);
  data->values = std::move(values);
  v.data_ = std::move(data);
  return v;
}

Value Value::dict(Pairs pairs) {
  Value v(Kind::dict);
  auto data = std::make_shared<DictData>();
  for (const auto& [key, x] : pairs) data->holds(key), data->holds(x);
  data->pairs = std::move(pairs);
  v.data_ = std::move(data);
  return v;
}

Value Value::of(Kind kind, std::shared_ptr<Data> data) {
  Value v(kind);
  v.data_ = std::move(data);
  return v;
}

const std::string& Value::text() const {
  static const std::string nothing = "the value is undefined";
  return data_ == nullptr ? nothing : as<TextData>().text;
}

bool Value::safe() const { return as<TextData>().safe; }
const Values& Value::values() const { return as<SequenceData>().values; }
const Pairs& Value::pairs() const { return as<DictData>().pairs; }

int Value::depth() const {
  switch (kind_) {
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view:
    case Kind::iterator: return as<SequenceData>().depth;
    case Kind::dict: return as<DictData>().depth;
    case Kind::method: return as<MethodData>().self.depth() + 1;
    default: return 0;
  }
}

int64_t Value::weight() const {
  switch (kind_) {
    case Kind::text: return static_cast<int64_t>(text().size()) + 1;
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view:
    case Kind::iterator: return as<SequenceData>().weight;
    case Kind::dict: return as<DictData>().weight;
    default: return 1;
  }
}

namespace {

void check_key(const Value& key) {
  switch (key.kind()) {
    case Kind::list:
    case Kind::dict: throw Problem(fmt::format("a {} cannot be the key of a dict", type_name(key)));
    case Kind::tuple:
      for (const Value& x : key.values()) check_key(x);
      break;
    default: break;
  }
}

}  // namespace

const Value* find_key(const Value& dict, const Value& key) {
  if (key.is(Kind::text)) return find_key(dict, key.text());
  check_key(key);
  for (const auto& [k, v] : dict.pairs())
    if (equal(k, key)) return &v;
  return nullptr;
}

const Value* find_key(const Value& dict, std::string_view key) {
  for (const auto& [k, v] : dict.pairs())
    if (k.is(Kind::text) && k.text() == key) return &v;
  return nullptr;
}

void put(Pairs& pairs, const Value& key, const Value& value) {
  check_key(key);
  for (auto& [k, v] : pairs)
    if (equal(k, key)) {
      v = value;
      return;
    }
  pairs.emplace_back(key, value);
}

Values iterate(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined: return {};
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view: return value.values();
    case Kind::iterator: {
      auto& data = value.as<IteratorData>();
      Values rest(data.values.begin() + static_cast<std::ptrdiff_t>(data.next), data.values.end());
      data.next = data.values.size();
      if (!data.problem.empty()) throw Problem(data.problem);
      return rest;
    }
    case Kind::dict: {
      Values keys;
      for (const auto& [key, x] : value.pairs()) keys.push_back(key);
      return keys;
    }
    case Kind::text: {
      Values characters;
      for (const std::string_view c : characters_of(value.text())) characters.push_back(Value::text(std::string(c)));
      return characters;
    }
    default: throw Problem(fmt::format("a {} cannot be iterated", type_name(value)));
  }
}

const char* type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined: return "Undefined";
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::real: return "float";
    case Kind::text: return "str";
    case Kind::list: return "list";
    case Kind::tuple: return "tuple";
    case Kind::range: return "range";
    case Kind::dict: return "dict";
    case Kind::view: return "view of a dict";
    case Kind::iterator: return "generator";
    case Kind::space: return "namespace";
    case Kind::loop: return "loop";
    case Kind::macro: return "macro";
    case Kind::method: return "method";
    case Kind::function: return "function";
  }
  return "value";
}

}  // namespace model::jinja
