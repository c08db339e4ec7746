// The tables behind apply_filter: filters of one value, and filters that go through a run of values.
#pragma once

#include <string>

#include "model/chat/jinja/arguments.h"
#include "model/chat/jinja/budget.h"

namespace model::jinja {

using Filter = Value (*)(const Value& value, const Arguments& arguments, Budget& budget);

Filter value_filter(const std::string& name);     // nullptr: not one of these
Filter sequence_filter(const std::string& name);  // map, select, join, sort, first, ...

// Python's argument `attribute` of filters: "a.b" or an index; the value there, undefined if there is none.
Value value_at(const Value& item, const Value& attribute);
// As a key of a sort that ignores case: lower-case text, any other value as it is.
Value without_case(const Value& value);

}  // namespace model::jinja
