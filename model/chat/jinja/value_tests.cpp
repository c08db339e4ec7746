// Tests: value is name(arguments).
#include <map>

#include "model/chat/jinja/filters.h"
#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"

namespace model::jinja {
namespace {

using Test = bool (*)(const Value& value, const Value& other);

bool known_test(const std::string& name);

bool is_odd(const Value& v, const Value&) { return equal(modulo(v, Value::integer(2)), Value::integer(1)); }
bool is_even(const Value& v, const Value&) { return equal(modulo(v, Value::integer(2)), Value::integer(0)); }
bool divides(const Value& v, const Value& n) { return equal(modulo(v, n), Value::integer(0)); }

bool iterable(const Value& v, const Value&) {
  switch (v.kind()) {
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::space:
    case Kind::macro:
    case Kind::method:
    case Kind::function: return false;
    default: return true;
  }
}

// Jinja's undefined has a length and an index operator, so it counts.
bool sequence(const Value& v, const Value&) {
  return v.is(Kind::undefined) || v.is(Kind::text) || v.is_sequence() || v.is(Kind::dict);
}

bool callable(const Value& v, const Value&) {
  return v.is(Kind::macro) || v.is(Kind::method) || v.is(Kind::function) || v.is(Kind::loop) || v.is(Kind::undefined);
}

bool same(const Value& v, const Value& other) {
  if (v.kind() != other.kind()) return false;
  switch (v.kind()) {
    case Kind::none: return true;
    case Kind::boolean: return v.truth() == other.truth();
    default: throw Problem("the test sameas on other values than true, false and none is outside the supported part of Jinja");
  }
}

const std::map<std::string, Test>& plain_tests() {
  static const std::map<std::string, Test> table = {
      {"defined", [](const Value& v, const Value&) { return !v.is(Kind::undefined); }},
      {"undefined", [](const Value& v, const Value&) { return v.is(Kind::undefined); }},
      {"none", [](const Value& v, const Value&) { return v.is(Kind::none); }},
      {"boolean", [](const Value& v, const Value&) { return v.is(Kind::boolean); }},
      {"true", [](const Value& v, const Value&) { return v.is(Kind::boolean) && v.truth(); }},
      {"false", [](const Value& v, const Value&) { return v.is(Kind::boolean) && !v.truth(); }},
      {"integer", [](const Value& v, const Value&) { return v.is(Kind::integer); }},
      {"float", [](const Value& v, const Value&) { return v.is(Kind::real); }},
      {"number", [](const Value& v, const Value&) { return v.is_number(); }},
      {"string", [](const Value& v, const Value&) { return v.is(Kind::text); }},
      {"mapping", [](const Value& v, const Value&) { return v.is(Kind::dict); }},
      {"iterable", iterable},
      {"sequence", sequence},
      {"callable", callable},
      {"lower", [](const Value& v, const Value&) { return is_lower(to_text(v)); }},
      {"upper", [](const Value& v, const Value&) { return is_upper(to_text(v)); }},
      {"escaped", [](const Value& v, const Value&) { return v.is(Kind::text) && v.safe(); }},
      {"odd", is_odd},
      {"even", is_even},
      {"filter",
       [](const Value& v, const Value&) { return v.is(Kind::text) && (value_filter(v.text()) || sequence_filter(v.text())); }},
      {"test", [](const Value& v, const Value&) { return v.is(Kind::text) && known_test(v.text()); }}};
  return table;
}

const std::map<std::string, Test>& tests_with_another() {
  static const Test equals = [](const Value& v, const Value& o) { return equal(v, o); };
  static const Test differs = [](const Value& v, const Value& o) { return !equal(v, o); };
  static const Test smaller = [](const Value& v, const Value& o) { return less(v, o); };
  static const Test at_most = [](const Value& v, const Value& o) { return less(v, o, true); };
  static const Test larger = [](const Value& v, const Value& o) { return less(o, v); };
  static const Test at_least = [](const Value& v, const Value& o) { return less(o, v, true); };
  static const std::map<std::string, Test> table = {
      {"eq", equals},   {"==", equals},   {"equalto", equals},   {"ne", differs},      {"!=", differs}, {"lt", smaller},
      {"<", smaller},   {"lessthan", smaller}, {"le", at_most},  {"<=", at_most},      {"gt", larger},  {">", larger},
      {"greaterthan", larger}, {"ge", at_least}, {">=", at_least}, {"divisibleby", divides}, {"sameas", same},
      {"in", [](const Value& v, const Value& o) { return contains(o, v); }}};
  return table;
}

bool known_test(const std::string& name) { return plain_tests().contains(name) || tests_with_another().contains(name); }

}  // namespace

bool apply_test(const std::string& name, const Value& value, const Arguments& arguments) {
  if (const auto plain = plain_tests().find(name); plain != plain_tests().end()) {
    bind("the test " + name, arguments, {});
    return plain->second(value, value);
  }
  const auto found = tests_with_another().find(name);
  if (found == tests_with_another().end())
    throw Problem(fmt::format("the test \"{}\" is outside the supported part of Jinja", name));
  return found->second(value, *bind("the test " + name, arguments, {"other"}, 1)[0]);
}

}  // namespace model::jinja
