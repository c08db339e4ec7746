// Statements; expressions are in evaluate.cpp.
#include "model/chat/jinja/interpreter.h"

#include <algorithm>

#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"

namespace model::jinja {

void Scope::set(int symbol, Value value) {
  for (auto& [s, v] : variables)
    if (s == symbol) {
      v = std::move(value);
      return;
    }
  variables.emplace_back(symbol, std::move(value));
}

Interpreter::Interpreter(const Program& program, const std::tm& now, bool spans)
    : program_(program), now_(now), spans_(spans), out_(&output_.text), scope_(std::make_shared<Scope>()) {
  const auto symbol = [&](const char* name) {
    const auto found = std::find(program.symbols.begin(), program.symbols.end(), name);
    return found == program.symbols.end() ? -1 : static_cast<int>(found - program.symbols.begin());
  };
  caller_symbol_ = symbol("caller"), varargs_symbol_ = symbol("varargs"), kwargs_symbol_ = symbol("kwargs");
}

Interpreter::~Interpreter() {
  for (const auto& scope : closures_) scope->variables.clear();
  for (const auto& space : spaces_) static_cast<SpaceData&>(*space).attributes.clear();
}

Output Interpreter::run(const Value& variables) {
  for (size_t i = 0; i < program_.symbols.size(); ++i)
    if (const Value* given = find_key(variables, program_.symbols[i])) scope_->set(static_cast<int>(i), *given);
  execute(program_.body);
  return std::move(output_);
}

void Interpreter::write(std::string_view text) {
  budget_.charge(static_cast<int64_t>(text.size()));
  check_weight(static_cast<int64_t>(out_->size() + text.size()));
  *out_ += text;
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  for (const Statement& s : body)
    if (const Flow flow = execute(s); flow != Flow::normal) return flow;
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute(const Statement& s) {
  line_ = s.line;
  budget_.charge();
  switch (s.kind) {
    case Statement::Kind::text: write(s.text); break;
    case Statement::Kind::print: {
      const Value value = evaluate(*s.expression);
      line_ = s.line;
      if (value.is(Kind::text)) write(value.text());
      else write(to_text(value));
      break;
    }
    case Statement::Kind::branch: return branch(s);
    case Statement::Kind::loop: return loop(s);
    case Statement::Kind::set: assign(s.targets[0], evaluate(*s.expression)); break;
    case Statement::Kind::set_block: return set_block(s);
    case Statement::Kind::macro: scope_->set(s.symbol, macro_of(s.macro)); break;
    case Statement::Kind::call: call_block(s); break;
    case Statement::Kind::filter: return filter_block(s);
    case Statement::Kind::with: return with(s);
    case Statement::Kind::generation: generation(s); break;
    case Statement::Kind::break_loop: return Flow::leave_loop;
    case Statement::Kind::continue_loop: return Flow::next_round;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::branch(const Statement& s) {
  for (const auto& [test, then] : s.branches)
    if (truth(evaluate(*test))) return execute(then);
  return execute(s.otherwise);
}

Value Interpreter::macro_of(const std::shared_ptr<const Macro>& macro) {
  auto data = std::make_shared<MacroData>();
  data->macro = macro;
  data->scope = scope_;
  closures_.push_back(scope_);
  return Value::of(Kind::macro, std::move(data));
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (target.tuple) {
    const Values values = iterate(value);
    if (values.size() != target.parts.size())
      throw Problem(fmt::format("{} values cannot be taken apart into {} names", values.size(), target.parts.size()));
    for (size_t i = 0; i < values.size(); ++i) assign(target.parts[i], values[i]);
    return;
  }
  if (target.attribute.empty()) return scope_->set(target.symbol, value);
  const std::string& name = program_.symbols[static_cast<size_t>(target.symbol)];
  for (const Scope* s = scope_.get(); s != nullptr; s = s->outer.get())
    for (const auto& [symbol, v] : s->variables) {
      if (symbol != target.symbol) continue;
      if (!v.is(Kind::space))
        throw Problem(fmt::format("{}.{} cannot be set, because {} is no namespace", name, target.attribute, name));
      if (target.attribute.starts_with("_"))
        throw Problem(fmt::format("the attribute {} of a namespace begins with an underscore", target.attribute));
      auto& attributes = v.as<SpaceData>().attributes;
      const auto found =
          std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.first == target.attribute; });
      if (found != attributes.end()) found->second = value;
      else attributes.emplace_back(target.attribute, value);
      return;
    }
  throw Problem(fmt::format("{} is undefined", name));
}

namespace {

// Makes a scope the current one until the end of a block.
class Inside {
 public:
  Inside(ScopePtr& current, ScopePtr inner) : current_(current), before_(std::exchange(current, std::move(inner))) {}
  ~Inside() { current_ = std::move(before_); }
  Inside(const Inside&) = delete;

 private:
  ScopePtr& current_;
  ScopePtr before_;
};

ScopePtr inside(const ScopePtr& outer) {
  auto scope = std::make_shared<Scope>();
  scope->outer = outer;
  return scope;
}

}  // namespace

Values Interpreter::kept(const Statement& s, Values items) {
  Values chosen;
  const ScopePtr outer = scope_;
  for (Value& item : items) {
    const Inside inner(scope_, inside(outer));
    assign(s.targets[0], item);
    if (truth(evaluate(*s.test))) chosen.push_back(std::move(item));
  }
  return chosen;
}

Interpreter::Flow Interpreter::loop(const Statement& s) {
  const Value run = evaluate(*s.expression);
  budget_.charge(run.weight());
  Values items = iterate(run);
  if (s.test != nullptr) items = kept(s, std::move(items));
  // Jinja runs the else branch when no round came to its end: {% continue %} and {% break %} count as none.
  if (rounds(s, std::move(items))) return Flow::normal;
  const Inside inner(scope_, inside(scope_));
  return execute(s.otherwise);
}

bool Interpreter::rounds(const Statement& s, Values items) {
  const ScopePtr outer = scope_;
  auto data = std::make_shared<LoopData>();
  data->items = std::move(items);
  const Value loop = Value::of(Kind::loop, data);
  bool finished = false;
  for (; data->index < data->items.size(); ++data->index) {
    budget_.charge();  // an empty body is a step too
    const Inside inner(scope_, inside(outer));
    assign(s.targets[0], data->items[data->index]);
    scope_->set(s.symbol, loop);
    const Flow flow = execute(s.body);
    if (flow == Flow::leave_loop) break;
    finished |= flow == Flow::normal;
  }
  return finished;
}

template <typename Run>
std::string Interpreter::captured(ScopePtr scope, Run run) {
  std::string text;
  std::string* const before = std::exchange(out_, &text);
  const Inside inner(scope_, std::move(scope));
  run();  // an exception ends the whole rendering, so out_ need not be put back
  out_ = before;
  return text;
}

Interpreter::Flow Interpreter::set_block(const Statement& s) {
  Flow flow = Flow::normal;
  Value value = Value::text(captured(inside(scope_), [&] { flow = execute(s.body); }));
  if (flow != Flow::normal) return flow;
  line_ = s.line;
  if (s.expression != nullptr) value = through_filters(*s.expression, value);
  assign(s.targets[0], value);
  return Flow::normal;
}

Interpreter::Flow Interpreter::filter_block(const Statement& s) {
  Flow flow = Flow::normal;
  const Value text = Value::text(captured(inside(scope_), [&] { flow = execute(s.body); }));
  if (flow != Flow::normal) return flow;
  line_ = s.line;
  write(to_text(through_filters(*s.expression, text)));
  return Flow::normal;
}

Interpreter::Flow Interpreter::with(const Statement& s) {
  Values values;
  for (const auto& e : s.values) values.push_back(evaluate(*e));
  const Inside inner(scope_, inside(scope_));
  for (size_t i = 0; i < values.size(); ++i) assign(s.targets[i], values[i]);
  return execute(s.body);
}

void Interpreter::generation(const Statement& s) {
  if (spans_ && out_ != &output_.text)
    throw Problem(
        "{% generation %} inside a macro or a block that collects its text: where the assistant's text begins is not known");
  const auto begin = static_cast<int64_t>(out_->size());
  const std::string text = captured(inside(scope_), [&] { execute(s.body); });
  write(text);
  if (spans_) output_.generation.push_back({begin, static_cast<int64_t>(out_->size())});
}

void Interpreter::call_block(const Statement& s) {
  const Value caller = macro_of(s.macro);
  write(to_text(call(*s.expression, &caller)));
}

Value Interpreter::call_macro(const MacroData& data, const Arguments& given) {
  const Macro& macro = *data.macro;
  const ScopePtr scope = inside(data.scope);
  Arguments rest = given;
  std::vector<const Parameter*> open;  // those without a value yet
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const Parameter& p = macro.parameters[i];
    const auto named = std::find_if(rest.named.begin(), rest.named.end(), [&](const auto& n) { return n.first == p.name; });
    if (i < given.positional.size()) scope->set(p.symbol, given.positional[i]);
    else if (named != rest.named.end()) scope->set(p.symbol, named->second), rest.named.erase(named);
    else open.push_back(&p);
  }
  if (macro.uses_caller &&
      std::none_of(macro.parameters.begin(), macro.parameters.end(), [](const auto& p) { return p.name == "caller"; })) {
    const auto caller = std::find_if(rest.named.begin(), rest.named.end(), [](const auto& n) { return n.first == "caller"; });
    scope->set(caller_symbol_,
               caller != rest.named.end() ? caller->second : Value::undefined("the macro was called without a {% call %} block"));
    if (caller != rest.named.end()) rest.named.erase(caller);
  }
  if (macro.uses_kwargs) {
    Pairs pairs;
    for (const auto& [name, value] : rest.named) put(pairs, Value::text(name), value);
    scope->set(kwargs_symbol_, Value::dict(std::move(pairs)));
  } else if (!rest.named.empty()) {
    throw Problem(fmt::format("the macro {} has no parameter {}", macro.name, rest.named[0].first));
  }
  const size_t taken = std::min(given.positional.size(), macro.parameters.size());
  Values more(given.positional.begin() + static_cast<std::ptrdiff_t>(taken), given.positional.end());
  if (macro.uses_varargs) scope->set(varargs_symbol_, Value::sequence(Kind::tuple, std::move(more)));
  else if (!more.empty())
    throw Problem(fmt::format("the macro {} takes at most {} arguments", macro.name, macro.parameters.size()));

  return Value::text(captured(scope, [&] {
    for (const Parameter* p : open)
      scope_->set(p->symbol, p->fallback != nullptr ? evaluate(*p->fallback)
                                                    : Value::undefined(fmt::format("the parameter {} was not given", p->name)));
    execute(macro.body);
  }));
}

}  // namespace model::jinja
