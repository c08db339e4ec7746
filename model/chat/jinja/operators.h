// Python's operators on values. All throw Problem for types that Python refuses, with the types named.
#pragma once

#include <string>

#include "model/chat/jinja/value.h"

namespace model::jinja {

bool truth(const Value& value);
bool equal(const Value& a, const Value& b);
bool less(const Value& a, const Value& b, bool or_equal = false);  // numbers, text, lists and tuples
bool contains(const Value& container, const Value& item);

Value add(const Value& a, const Value& b);
Value subtract(const Value& a, const Value& b);
Value multiply(const Value& a, const Value& b);
Value divide(const Value& a, const Value& b);        // always a float
Value floor_divide(const Value& a, const Value& b);  // toward minus infinity
Value modulo(const Value& a, const Value& b);        // of numbers, with the sign of b
Value power(const Value& a, const Value& b);
Value negate(const Value& a);

int64_t length(const Value& value);
// obj[key]: nothing found gives undefined. Attributes are not looked for.
Value item_of(const Value& object, const Value& key);
// obj[from:to:step]; none: left out.
Value slice(const Value& object, const Value& from, const Value& to, const Value& step);

std::string to_text(const Value& value);  // str(): what {{ value }} prints
std::string repr(const Value& value);

// json.dumps as transformers' tojson calls it: text beyond ASCII as it is. `indent`: none, a number of spaces or text.
struct JsonStyle {
  Value indent = Value::none();
  std::string item_separator, key_separator;  // empty: json.dumps' own
  bool ascii = false, sort_keys = false;
};
std::string to_json(const Value& value, const JsonStyle& style);

}  // namespace model::jinja
