// A parsed template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/chat/jinja/value.h"

namespace model::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr star, double_star;  // *x and **x; may be null
};

struct Expression {
  enum class Op {
    constant,    // value
    name,        // symbol
    list,        // parts
    tuple,       // parts
    dict,        // parts: key, value, key, value, ...
    attribute,   // parts[0].word
    item,        // parts[0][parts[1]]
    slice,       // parts[0][parts[1]:parts[2]:parts[3]]; null parts are left out
    call,        // parts[0](arguments)
    filter,      // parts[0] | word(arguments); parts[0] null in a filter block
    test,        // parts[0] is word(arguments)
    negate, plus, logical_not,  // parts[0]
    logical_and, logical_or,    // parts
    compare,     // parts[0] operators[0] parts[1] operators[1] parts[2] ...
    concat,      // parts
    arithmetic,  // parts[0] word parts[1]
    condition,   // parts[1] if parts[0] else parts[2]; parts[2] may be null
  };
  Op op = Op::constant;
  int line = 1;
  int depth = 1;  // of nesting
  int symbol = -1;
  Value value;
  std::string word;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> operators;
  CallArguments arguments;
};

// What a loop or set assigns to: a name, an attribute of a namespace, or a tuple of targets.
struct Target {
  int symbol = -1;
  std::string attribute;      // not empty: of the namespace named by symbol
  std::vector<Target> parts;  // not empty: a tuple
  bool tuple = false;
};

struct Parameter {
  int symbol = -1;
  std::string name;
  ExpressionPtr fallback;  // may be null
};

struct Statement;
using Body = std::vector<Statement>;

struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  Body body;
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;
};

struct Statement {
  enum class Kind { text, print, branch, loop, set, set_block, macro, call, filter, with, generation, break_loop, continue_loop };
  Kind kind = Kind::text;
  int line = 1;
  std::string text;
  ExpressionPtr expression;       // print; what a loop runs over; the value of set; the call; the filter of a block
  ExpressionPtr test;             // of a loop: for ... if test
  std::vector<Target> targets;    // loop, set: one; with: several
  std::vector<ExpressionPtr> values;                      // with
  std::vector<std::pair<ExpressionPtr, Body>> branches;   // if, elif
  Body body, otherwise;
  std::shared_ptr<const Macro> macro;  // macro; call: the block as a macro
  int symbol = -1;                     // macro: its name
};

struct Program {
  Body body;
  std::vector<std::string> symbols;  // names of variables by number
  bool has_generation = false;       // there is a {% generation %}
};

}  // namespace model::jinja
