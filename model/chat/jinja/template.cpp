#include "model/chat/jinja/template.h"

#include "kernels/error.h"
#include "model/chat/jinja/interpreter.h"
#include "model/chat/jinja/lexer.h"
#include "model/chat/jinja/parser.h"

namespace model::jinja {

Template::Template(std::string_view source, std::string name) : name_(std::move(name)) {
  try {
    program_ = std::make_unique<const Program>(parse(source));
  } catch (const SyntaxProblem& problem) {
    kernels::fail_usage("{}:{}: {}", name_, problem.line, problem.what());
  } catch (const Problem& problem) {
    kernels::fail_usage("{}: {}", name_, problem.what());
  }
}

Template::~Template() = default;

Output Template::render(const Value& variables, const std::tm& now, bool spans) const {
  Interpreter interpreter(*program_, now, spans);
  try {
    return interpreter.run(variables);
  } catch (const Problem& problem) {
    kernels::fail_usage("{}:{}: {}", name_, interpreter.line(), problem.what());
  }
}

bool Template::has_generation() const { return program_->has_generation; }

}  // namespace model::jinja
