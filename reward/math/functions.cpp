// sin x, \sin^2 x, \log_2 8, \gcd(a, b), \sum_{k=1}^n.
#include "reward/math/names.h"
#include "reward/math/parser.h"

namespace reward::math {
namespace {

// Functions of several arguments.
bool takes_many(std::string_view name) {
  return name == "gcd" || name == "lcm" || name == "max" || name == "min" || name == "binomial" || name == "log";
}

}  // namespace

Index Parser::function(std::string_view name) {
  ++k_;
  Index base = -1, power = -1;
  bool inverse = false;
  for (int part = 0; part < 2; ++part) {
    if (name == "log" && base < 0 && take("_")) {
      base = argument(/*whole_number=*/true);
    } else if (power < 0 && at("^")) {
      ++k_;
      const bool minus_one = (at("{") && ahead(1).is_sign("-") && ahead(2).is(Token::number, "1") && ahead(3).is_sign("}")) ||
                             (at("-") && ahead(1).is(Token::number, "1"));
      inverse = minus_one && !inverse_function(name).empty();
      power = exponent();
    }
  }
  if (at("_")) fail("a subscript of a function");
  auto arguments = function_arguments();
  if (arguments.size() > 1 && !takes_many(name)) fail("too many arguments");
  if (name == "binomial" && arguments.size() != 2) fail("binomial takes two arguments");
  if (name == "log" && arguments.size() > (base < 0 ? 2u : 1u)) fail("too many arguments");
  if (base >= 0) arguments.push_back(base);
  const Index result = add_function(inverse ? inverse_function(name) : name, std::move(arguments));
  return power >= 0 && !inverse ? add(Kind::power, {result, power}) : result;
}

// (...), {...}, \{...\}, or what follows without sign: \sin 2x.
std::vector<Index> Parser::function_arguments() {
  if (at("(") || at("\\{")) return bracket_arguments();
  if (at("{")) return {group()};
  return {implicit_argument()};
}

// Up to a sign, a bracket or another function: the 2x of \sin 2x \cos x (y).
Index Parser::implicit_argument() {
  if (take("-")) {
    const Level level(*this);
    return add(Kind::negation, {implicit_argument()});
  }
  std::vector<Index> factors = {factor()};
  while (begins_factor() && !at("(") && !at("[") && !at("{") && !at("|") && !at("lvert")) {
    const bool other = now().type == Token::command && (!function_name(now().text).empty() || now().text == "sum" ||
                                                       now().text == "prod" || now().text == "million");
    if (other || now().type == Token::begin) break;
    factors.push_back(factor());
  }
  return factors.size() == 1 ? factors[0] : add(Kind::product, {}, std::move(factors));
}

// \sum_{k=1}^{n} body, bounds in either order; the body ends at + and -.
Index Parser::finite(Kind kind) {
  ++k_;
  Index index = -1, lower = -1, upper = -1;
  std::string name;
  for (int part = 0; part < 2; ++part) {
    if (lower < 0 && take("_")) {
      expect("{");
      if (now().type != Token::letter || !ahead(1).is_sign("=")) fail("the index of a sum is missing");
      name = now().text;
      k_ += 2;
      index = add(Kind::symbol, name);
      lower = expression(any_binding);
      expect("}");
    } else if (upper < 0 && take("^")) {
      upper = argument(/*whole_number=*/true);
    }
  }
  if (lower < 0 || upper < 0) fail("the bounds of a sum are missing");
  bound_.push_back(name);
  const Index body = expression(product_binding);
  bound_.pop_back();
  return add(kind, {index, lower, upper, body});
}

}  // namespace reward::math
