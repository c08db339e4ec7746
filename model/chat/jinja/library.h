// What a template can call: filters, tests, methods and attributes of values, and global functions. The behaviour is Jinja's
// (3.1) and Python's; what is left out is a Problem that names it.
#pragma once

#include <ctime>
#include <string>

#include "model/chat/jinja/arguments.h"
#include "model/chat/jinja/budget.h"
#include "model/chat/jinja/value.h"

namespace model::jinja {

// value | name(arguments)
Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget);
// value is name(arguments)
bool apply_test(const std::string& name, const Value& value, const Arguments& arguments);

// object.name, as Jinja looks it up: Python's attributes first, and then keys. Undefined when there is none; methods that
// change a value are undefined, as in transformers' sandbox.
Value attribute_of(const Value& object, const std::string& name);
// object[key]: keys and indices first, and then attributes.
Value subscript_of(const Value& object, const Value& key);
// object.name(arguments) for text, lists, dicts and loops.
Value call_method(const Value& self, const std::string& name, const Arguments& arguments);
// Is there a method of that name that call_method knows or refuses?
bool has_method(const Value& object, const std::string& name);

// raise_exception, strftime_now, range, namespace and dict; false for any other name.
bool is_function(const std::string& name);
// `now`: what strftime_now shows.
Value call_function(const std::string& name, const Arguments& arguments, const std::tm& now);

// strftime with English names. Throws Problem for directives that are not in "%aAbBdeHIjmMpSyYZz%-".
std::string format_time(const std::string& format, const std::tm& time);

}  // namespace model::jinja
