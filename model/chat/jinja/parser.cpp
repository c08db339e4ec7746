#include "model/chat/jinja/parser.h"

#include <algorithm>
#include <initializer_list>

#include "model/chat/jinja/expression_parser.h"

namespace model::jinja {
namespace {

using Kind = Statement::Kind;
constexpr int deepest_statement = 100;
using Ends = std::initializer_list<std::string_view>;

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokens_of(source)), expressions_(tokens_, symbols_) {}

  Program run() {
    Program program;
    program.body = body({});
    if (tokens_.peek().kind != Token::Kind::end) tokens_.fail("unexpected tag");
    program.symbols = std::move(symbols_).names();
    program.has_generation = has_generation_;
    return program;
  }

 private:
  // Statements up to a tag whose name is in `ends`, which is left at its name; to the end of the template when there are none.
  Body body(Ends ends) {
    if (++depth_ > deepest_statement) tokens_.fail(fmt::format("tags nest deeper than {} levels", deepest_statement));
    Body statements;
    while (tokens_.peek().kind != Token::Kind::end) {
      const Token& token = tokens_.peek();
      if (token.kind == Token::Kind::data) {
        statements.push_back(text_of(tokens_.take()));
      } else if (token.kind == Token::Kind::variable_begin) {
        tokens_.take();
        Statement& print = statements.emplace_back();
        print.kind = Kind::print;
        print.line = token.line;
        print.expression = expressions_.tuple();
        tokens_.expect(Token::Kind::variable_end, "}}");
      } else {
        tokens_.take();
        if (std::find(ends.begin(), ends.end(), tokens_.peek().kind == Token::Kind::name ? tokens_.peek().word : "") !=
            ends.end()) {
          --depth_;
          return statements;
        }
        statements.push_back(statement());
        block_end();
      }
    }
    if (ends.size() > 0) tokens_.fail(fmt::format("the template ends before {{% {} %}}", *(ends.end() - 1)));
    --depth_;
    return statements;
  }

  static Statement text_of(const Token& token) {
    Statement s;
    s.line = token.line;
    s.text = token.word;
    return s;
  }

  void block_end() { tokens_.expect(Token::Kind::block_end, "%}"); }

  // After the opening tag: %}, the statements, and the name of the closing tag.
  Body body_of_tag(Ends ends) {
    tokens_.take_op(":");
    block_end();
    return body(ends);
  }
  Body body_to(std::string_view end) {
    Body statements = body_of_tag({end});
    tokens_.take();
    return statements;
  }

  Statement statement() {
    const Token& token = tokens_.peek();
    if (token.kind != Token::Kind::name) tokens_.fail("expected the name of a tag after {%");
    Statement s;
    s.line = token.line;
    const std::string name = tokens_.take().word;
    if (name == "if") branch(s);
    else if (name == "for") loop(s);
    else if (name == "set") set(s);
    else if (name == "macro") macro(s);
    else if (name == "call") call(s);
    else if (name == "filter") filter(s);
    else if (name == "with") with(s);
    else if (name == "generation") generation(s);
    else if (name == "break" || name == "continue") leave(s, name);
    else refuse(name, token.line);
    return s;
  }

  [[noreturn]] void refuse(const std::string& name, int line) const {
    static constexpr std::string_view others[] = {"include",    "import", "from", "extends", "block",
                                                  "autoescape", "print",  "do",   "trans",   "debug"};
    if (std::find(std::begin(others), std::end(others), name) != std::end(others))
      throw SyntaxProblem(line, fmt::format("the tag {{% {} %}} is outside the supported part of Jinja", name));
    if (name.starts_with("end") || name == "else" || name == "elif")
      throw SyntaxProblem(line, fmt::format("{{% {} %}} closes no open tag", name));
    throw SyntaxProblem(line, fmt::format("unknown tag {{% {} %}}", name));
  }

  void branch(Statement& s) {
    s.kind = Kind::branch;
    for (;;) {
      ExpressionPtr test = expressions_.tuple(false);
      Body then = body_of_tag({"elif", "else", "endif"});
      s.branches.emplace_back(std::move(test), std::move(then));
      const std::string next = tokens_.take().word;
      if (next == "endif") return;
      if (next == "else") {
        s.otherwise = body_to("endif");
        return;
      }
    }
  }

  void loop(Statement& s) {
    s.kind = Kind::loop;
    s.targets.push_back(target(false));
    if (!tokens_.take_name("in")) tokens_.fail(fmt::format("expected \"in\" but found {}", tokens_.described()));
    s.expression = expressions_.tuple(false);
    if (tokens_.take_name("if")) s.test = expressions_.expression();
    if (tokens_.peek().is_name("recursive")) tokens_.fail("recursive loops are outside the supported part of Jinja");
    s.symbol = symbols_.of("loop");
    ++loops_;
    s.body = body_of_tag({"else", "endfor"});
    --loops_;
    if (tokens_.take().word == "else") s.otherwise = body_to("endfor");
  }

  // name, name.attribute (of a namespace), or several with commas, in parentheses or not.
  Target target(bool attributes) {
    Target first = one_target(attributes);
    if (!tokens_.peek().is_op(",")) return first;
    Target all;
    all.tuple = true;
    all.parts.push_back(std::move(first));
    while (tokens_.take_op(",")) {
      if (tokens_.peek().kind != Token::Kind::name && !tokens_.peek().is_op("(")) break;
      if (tokens_.peek().is_name("in")) break;
      all.parts.push_back(one_target(attributes));
    }
    return all;
  }

  Target one_target(bool attributes) {
    Target t;
    if (tokens_.take_op("(")) {
      if (++depth_ > deepest_statement) tokens_.fail("the targets nest too deep");
      t = target(attributes);
      --depth_;
      tokens_.expect_op(")");
      return t;
    }
    const std::string name = tokens_.expect_name();
    for (const std::string_view word : {"true", "false", "none", "True", "False", "None"})
      if (name == word) tokens_.fail(fmt::format("{} cannot be assigned to", name));
    t.symbol = symbols_.of(name);
    if (attributes && tokens_.take_op(".")) t.attribute = tokens_.expect_name();
    return t;
  }

  void set(Statement& s) {
    s.targets.push_back(target(true));
    if (tokens_.take_op("=")) {
      s.kind = Kind::set;
      s.expression = expressions_.tuple();
      return;
    }
    s.kind = Kind::set_block;
    if (tokens_.peek().is_op("|")) s.expression = expressions_.filters(nullptr);
    s.body = body_to("endset");
  }

  void parameters(Macro& macro) {
    tokens_.expect_op("(");
    while (!tokens_.peek().is_op(")")) {
      Parameter& p = macro.parameters.emplace_back();
      p.name = tokens_.expect_name();
      p.symbol = symbols_.of(p.name);
      if (tokens_.take_op("=")) p.fallback = expressions_.expression();
      else if (macro.parameters.size() > 1 && macro.parameters[macro.parameters.size() - 2].fallback != nullptr)
        tokens_.fail("a parameter without a default follows one with a default");
      if (!tokens_.take_op(",")) break;
    }
    tokens_.expect_op(")");
  }

  // The statements of a macro; loops around it are not its own.
  void macro_body(Macro& macro, std::string_view end) {
    const std::set<std::string> outside = expressions_.names_read();
    expressions_.forget_names();
    const int loops = std::exchange(loops_, 0);
    macro.body = body_to(end);
    loops_ = loops;
    const auto& read = expressions_.names_read();
    macro.uses_caller = read.contains("caller");
    macro.uses_varargs = read.contains("varargs");
    macro.uses_kwargs = read.contains("kwargs");
    for (const char* name : {"caller", "varargs", "kwargs"}) symbols_.of(name);
    for (const auto& name : outside) expressions_.note_read(name);
  }

  void macro(Statement& s) {
    s.kind = Kind::macro;
    auto made = std::make_shared<Macro>();
    made->name = tokens_.expect_name();
    s.symbol = symbols_.of(made->name);
    parameters(*made);
    macro_body(*made, "endmacro");
    s.macro = std::move(made);
  }

  void call(Statement& s) {
    s.kind = Kind::call;
    auto made = std::make_shared<Macro>();
    made->name = "caller";
    if (tokens_.peek().is_op("(")) parameters(*made);
    s.expression = expressions_.expression();
    if (s.expression->op != Expression::Op::call) tokens_.fail("{% call %} needs the call of a macro");
    macro_body(*made, "endcall");
    s.macro = std::move(made);
  }

  void filter(Statement& s) {
    s.kind = Kind::filter;
    s.expression = expressions_.filters(nullptr, true);
    s.body = body_to("endfilter");
  }

  void with(Statement& s) {
    s.kind = Kind::with;
    while (tokens_.peek().kind != Token::Kind::block_end) {
      if (!s.targets.empty()) tokens_.expect_op(",");
      s.targets.push_back(one_target(false));
      tokens_.expect_op("=");
      s.values.push_back(expressions_.expression());
    }
    s.body = body_to("endwith");
  }

  void generation(Statement& s) {
    s.kind = Kind::generation;
    has_generation_ = true;
    const int loops = std::exchange(loops_, 0);
    s.body = body_to("endgeneration");
    loops_ = loops;
  }

  void leave(Statement& s, const std::string& name) {
    if (loops_ == 0) tokens_.fail(fmt::format("{{% {} %}} stands outside a loop", name));
    s.kind = name == "break" ? Kind::break_loop : Kind::continue_loop;
  }

  TokenStream tokens_;
  Symbols symbols_;
  ExpressionParser expressions_;
  int depth_ = 0, loops_ = 0;
  bool has_generation_ = false;
};

}  // namespace

Program parse(std::string_view source) { return Parser(source).run(); }

}  // namespace model::jinja
