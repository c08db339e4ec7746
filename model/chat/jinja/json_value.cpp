#include "model/chat/jinja/json_value.h"

#include <nlohmann/json.hpp>

#include "model/chat/jinja/python_text.h"

namespace model::jinja {
namespace {

using Json = nlohmann::ordered_json;

Value text(const std::string& s) {
  if (!is_utf8(s)) throw Problem("a text is not UTF-8");
  return Value::text(s);
}

Value converted(const Json& json, int depth) {
  if (depth > deepest) throw Problem("the input nests too deep");
  switch (json.type()) {
    case Json::value_t::null: return Value::none();
    case Json::value_t::boolean: return Value::boolean(json.get<bool>());
    case Json::value_t::number_integer: return Value::integer(json.get<int64_t>());
    case Json::value_t::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) throw Problem("a whole number has more than 64 bits");
      return Value::integer(json.get<int64_t>());
    case Json::value_t::number_float: return Value::real(json.get<double>());
    case Json::value_t::string: return text(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      Values values;
      for (const auto& item : json) values.push_back(converted(item, depth + 1));
      return Value::sequence(Kind::list, std::move(values));
    }
    case Json::value_t::object: {
      Pairs pairs;
      for (const auto& [key, item] : json.items()) pairs.emplace_back(text(key), converted(item, depth + 1));
      return Value::dict(std::move(pairs));
    }
    default: throw Problem("the input holds bytes that are no JSON");
  }
}

}  // namespace

Value from_json(const Json& json) { return converted(json, 0); }

}  // namespace model::jinja
