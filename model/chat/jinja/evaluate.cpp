// Expressions.
#include <algorithm>

#include "model/chat/jinja/interpreter.h"
#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"

namespace model::jinja {
namespace {

using Op = Expression::Op;
constexpr int deepest_call = 1000;  // nested expressions, over all macros that call each other

struct Deeper {
  explicit Deeper(int& depth) : depth_(depth) {
    if (++depth_ > deepest_call) throw Problem("macros or expressions nest too deep; a macro may call itself without end");
  }
  ~Deeper() { --depth_; }
  int& depth_;
};

}  // namespace

Value Interpreter::evaluate(const Expression& e) {
  const Deeper deeper(depth_);
  budget_.charge();
  line_ = e.line;
  return compute(e);
}

Value Interpreter::compute(const Expression& e) {
  switch (e.op) {
    case Op::constant: return e.value;
    case Op::name: return name(e);
    case Op::list:
    case Op::tuple: {
      Values values;
      for (const auto& part : e.parts) values.push_back(evaluate(*part));
      return Value::sequence(e.op == Op::list ? Kind::list : Kind::tuple, std::move(values));
    }
    case Op::dict: {
      Pairs pairs;
      for (size_t i = 0; i < e.parts.size(); i += 2) {
        const Value key = evaluate(*e.parts[i]);
        put(pairs, key, evaluate(*e.parts[i + 1]));
      }
      return Value::dict(std::move(pairs));
    }
    case Op::attribute: {
      const Value object = evaluate(*e.parts[0]);
      line_ = e.line;
      return attribute_of(object, e.word);
    }
    case Op::item: {
      const Value object = evaluate(*e.parts[0]), key = evaluate(*e.parts[1]);
      line_ = e.line;
      if (object.is(Kind::text)) budget_.charge(object.weight());
      return subscript_of(object, key);
    }
    case Op::slice: return slice_of(e);
    case Op::call: return call(e);
    case Op::filter: return filtered(e, evaluate(*e.parts[0]));
    case Op::test: {
      const Value value = evaluate(*e.parts[0]);
      const Arguments arguments = arguments_of(e.arguments);
      line_ = e.line;
      if (e.arguments.positional.empty()) return Value::boolean(apply_test(e.word, value, arguments));
      budget_.charge(value.weight());
      return Value::boolean(apply_test(e.word, value, arguments));
    }
    case Op::negate: return negate(evaluate(*e.parts[0]));
    case Op::plus: {
      const Value value = evaluate(*e.parts[0]);
      if (!value.is_number())
        throw Problem(value.is(Kind::undefined) ? value.text() : fmt::format("+ does not work on a {}", type_name(value)));
      return value.is(Kind::boolean) ? Value::integer(value.whole()) : value;
    }
    case Op::logical_not: return Value::boolean(!truth(evaluate(*e.parts[0])));
    case Op::logical_and:
    case Op::logical_or: {
      Value value;
      for (const auto& part : e.parts) {
        value = evaluate(*part);
        if (truth(value) == (e.op == Op::logical_or)) return value;
      }
      return value;
    }
    case Op::compare: return compare(e);
    case Op::concat: return concat(e);
    case Op::arithmetic: return arithmetic(e);
    case Op::condition:
      if (truth(evaluate(*e.parts[0]))) return evaluate(*e.parts[1]);
      return e.parts[2] != nullptr ? evaluate(*e.parts[2]) : Value::undefined("an inline if without else gave nothing");
  }
  return {};
}

Value Interpreter::name(const Expression& e) {
  for (const Scope* s = scope_.get(); s != nullptr; s = s->outer.get())
    for (const auto& [symbol, value] : s->variables)
      if (symbol == e.symbol) return value;
  if (is_function(e.word)) {
    auto data = std::make_shared<FunctionData>();
    data->name = e.word;
    return Value::of(Kind::function, std::move(data));
  }
  for (const char* other : {"cycler", "joiner", "lipsum"})
    if (e.word == other) throw Problem(fmt::format("{} is outside the supported part of Jinja", other));
  return Value::undefined(fmt::format("\"{}\" is undefined", e.word));
}

Value Interpreter::slice_of(const Expression& e) {
  const Value object = evaluate(*e.parts[0]);
  Values bounds;
  for (size_t i = 1; i < 4; ++i) bounds.push_back(e.parts[i] != nullptr ? evaluate(*e.parts[i]) : Value::none());
  line_ = e.line;
  budget_.charge(object.weight());
  return slice(object, bounds[0], bounds[1], bounds[2]);
}

Value Interpreter::compare(const Expression& e) {
  Value left = evaluate(*e.parts[0]);
  for (size_t i = 0; i < e.operators.size(); ++i) {
    const Value right = evaluate(*e.parts[i + 1]);
    const std::string& op = e.operators[i];
    line_ = e.line;
    budget_.charge(op == "in" || op == "not in" ? left.weight() + right.weight() : std::min(left.weight(), right.weight()));
    const bool holds = op == "=="   ? equal(left, right)
                       : op == "!=" ? !equal(left, right)
                       : op == "<"  ? less(left, right)
                       : op == "<=" ? less(left, right, true)
                       : op == ">"  ? less(right, left)
                       : op == ">=" ? less(right, left, true)
                       : op == "in" ? contains(right, left)
                                    : !contains(right, left);
    if (!holds) return Value::boolean(false);
    left = right;
  }
  return Value::boolean(true);
}

Value Interpreter::concat(const Expression& e) {
  std::string text;
  for (const auto& part : e.parts) {
    text += to_text(evaluate(*part));
    check_weight(static_cast<int64_t>(text.size()));
  }
  budget_.charge(static_cast<int64_t>(text.size()));
  return Value::text(std::move(text));
}

Value Interpreter::arithmetic(const Expression& e) {
  const Value a = evaluate(*e.parts[0]), b = evaluate(*e.parts[1]);
  line_ = e.line;
  Value result = e.word == "+"    ? add(a, b)
                 : e.word == "-"  ? subtract(a, b)
                 : e.word == "*"  ? multiply(a, b)
                 : e.word == "/"  ? divide(a, b)
                 : e.word == "//" ? floor_divide(a, b)
                 : e.word == "%"  ? modulo(a, b)
                                  : power(a, b);
  budget_.charge(result.weight());
  return result;
}

Value Interpreter::filtered(const Expression& e, const Value& value) {
  const Arguments arguments = arguments_of(e.arguments);
  line_ = e.line;
  return apply_filter(e.word, value, arguments, budget_);
}

Value Interpreter::through_filters(const Expression& e, const Value& value) {
  return filtered(e, e.parts[0] != nullptr ? through_filters(*e.parts[0], value) : value);
}

Arguments Interpreter::arguments_of(const CallArguments& from) {
  Arguments arguments;
  for (const auto& e : from.positional) arguments.positional.push_back(evaluate(*e));
  for (const auto& [name, e] : from.named) arguments.named.emplace_back(name, evaluate(*e));
  if (from.star != nullptr)
    for (Value& v : iterate(evaluate(*from.star))) arguments.positional.push_back(std::move(v));
  if (from.double_star != nullptr) {
    const Value more = evaluate(*from.double_star);
    if (!more.is(Kind::dict)) throw Problem("** in a call needs a dict");
    for (const auto& [key, value] : more.pairs()) {
      const std::string& name = text_of("** in a call", key);
      for (const auto& [given, v] : arguments.named)
        if (given == name) throw Problem(fmt::format("the argument {} is given twice", name));
      arguments.named.emplace_back(name, value);
    }
  }
  return arguments;
}

Value Interpreter::call(const Expression& e, const Value* caller) {
  const Expression& callee = *e.parts[0];
  // object.method(...) without a value for the method in between
  if (callee.op == Op::attribute) {
    const Value object = evaluate(*callee.parts[0]);
    if (has_method(object, callee.word)) {
      const Arguments arguments = arguments_of(e.arguments);
      line_ = e.line;
      budget_.charge(object.weight());
      Value result = call_method(object, callee.word, arguments);
      budget_.charge(result.weight());
      return result;
    }
    const Value value = attribute_of(object, callee.word);
    Arguments arguments = arguments_of(e.arguments);
    if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
    line_ = e.line;
    return call_value(value, arguments, callee.word);
  }
  const Value value = evaluate(callee);
  Arguments arguments = arguments_of(e.arguments);
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  line_ = e.line;
  return call_value(value, arguments, callee.word);
}

Value Interpreter::call_value(const Value& callee, const Arguments& arguments, const std::string& name) {
  switch (callee.kind()) {
    case Kind::macro: return call_macro(callee.as<MacroData>(), arguments);
    case Kind::function: {
      Value result = call_function(callee.as<FunctionData>().name, arguments, now_);
      if (result.is(Kind::space)) spaces_.push_back(result.data());
      budget_.charge(result.weight());
      return result;
    }
    case Kind::method: {
      const auto& method = callee.as<MethodData>();
      budget_.charge(method.self.weight());
      return call_method(method.self, method.name, arguments);
    }
    case Kind::undefined: throw Problem(callee.text());
    default: throw Problem(fmt::format("{} is a {}, which cannot be called", name.empty() ? "this" : name, type_name(callee)));
  }
}

}  // namespace model::jinja
