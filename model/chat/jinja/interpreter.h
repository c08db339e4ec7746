// Runs a program once.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "model/chat/jinja/arguments.h"
#include "model/chat/jinja/ast.h"
#include "model/chat/jinja/budget.h"
#include "model/chat/jinja/template.h"

namespace model::jinja {

// Variables of a block of statements; what is not here is looked for in the one around it.
struct Scope {
  std::shared_ptr<Scope> outer;
  std::vector<std::pair<int, Value>> variables;

  void set(int symbol, Value value);
};
using ScopePtr = std::shared_ptr<Scope>;

struct MacroData : Data {
  std::shared_ptr<const Macro> macro;
  ScopePtr scope;  // where it was defined
};
struct FunctionData : Data {
  std::string name;
};

class Interpreter {
 public:
  Interpreter(const Program& program, const std::tm& now, bool spans);
  ~Interpreter();  // namespaces and macros may hold each other: this takes them apart
  Output run(const Value& variables);
  int line() const { return line_; }  // of what was looked at last

 private:
  enum class Flow { normal, leave_loop, next_round };

  Flow execute(const Body& body);
  Flow execute(const Statement& s);
  Flow branch(const Statement& s);
  Flow loop(const Statement& s);
  bool rounds(const Statement& s, Values items);  // true: one of them came to its end
  Values kept(const Statement& s, Values items);
  Flow set_block(const Statement& s);
  Flow filter_block(const Statement& s);
  Flow with(const Statement& s);
  void generation(const Statement& s);
  void call_block(const Statement& s);
  void write(std::string_view text);
  void assign(const Target& target, const Value& value);
  Value macro_of(const std::shared_ptr<const Macro>& macro);

  Value evaluate(const Expression& e);
  Value compute(const Expression& e);
  Value name(const Expression& e);
  Value slice_of(const Expression& e);
  Value compare(const Expression& e);
  Value concat(const Expression& e);
  Value arithmetic(const Expression& e);
  Value filtered(const Expression& e, const Value& value);
  Value through_filters(const Expression& e, const Value& value);  // of a block: the innermost filter has no value of its own
  Value call(const Expression& e, const Value* caller = nullptr);
  Value call_value(const Value& callee, const Arguments& arguments, const std::string& name);
  Value call_macro(const MacroData& data, const Arguments& arguments);
  Arguments arguments_of(const CallArguments& arguments);

  // Runs the body with its output in a text of its own and its variables in a scope inside `outer`.
  template <typename Run>
  std::string captured(ScopePtr scope, Run run);

  const Program& program_;
  const std::tm& now_;
  bool spans_;
  Budget budget_;
  Output output_;
  std::string* out_;
  ScopePtr scope_;
  std::vector<ScopePtr> closures_;  // scopes that macros hold
  std::vector<std::shared_ptr<Data>> spaces_;
  int depth_ = 0, line_ = 1;
  int caller_symbol_ = -1, varargs_symbol_ = -1, kwargs_symbol_ = -1;
};

}  // namespace model::jinja
