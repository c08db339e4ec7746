// Infix and postfix signs, by how tightly they bind.
#include "reward/math/names.h"
#include "reward/math/parser.h"

namespace reward::math {
namespace {

bool is_number(const Token& token) { return token.type == Token::number || token.type == Token::based; }

bool begins_operand(const Token& token) {
  if (token.type == Token::sign) return token.text == "(" || token.text == "{" || token.text == "-" || token.text == "[";
  return is_number(token) || token.type == Token::letter || token.type == Token::command || token.type == Token::begin;
}

}  // namespace

Index Parser::expression(int binding) {
  Index left = prefix();
  for (bool more = true; more;) left = infix(left, binding, more);
  return left;
}

Index Parser::prefix() {
  const Level level(*this);
  if (take("+")) return expression(product_binding);
  if (take("-")) return add(Kind::negation, {expression(product_binding)});
  if (at("pm") || at("mp")) {
    const int64_t direction = at("pm") ? 1 : -1;
    ++k_;
    if (at("pm") || at("mp")) fail("two \\pm in a row");
    return add(Kind::plus_minus, {}, {expression(product_binding)}, direction);
  }
  for (const char* currency : {"dollar", "euro", "pound"})
    if (take(currency)) return quantity(expression(product_binding), currency);
  return factor();
}

// Takes one operator and what is right of it, or a run of + and -, or of factors.
Index Parser::infix(Index left, int binding, bool& more) {
  const auto binds = [&](int b) { return b >= binding; };
  if (now().type == Token::unit && binding == any_binding) return quantity(left, tokens_[k_++].text);
  if (at("dollar") && binding == any_binding) return ++k_, quantity(left, "dollar");
  if (binds(sum_binding) && (at("+") || at("-"))) return sum(left);
  if (binds(sum_binding) && (at("pm") || at("mp"))) {
    const int64_t direction = at("pm") ? 1 : -1;
    ++k_;
    return add(Kind::plus_minus, {}, {left, expression(product_binding)}, direction);
  }
  if (binds(product_binding)) {
    if (take("/")) return add(Kind::quotient, {left, expression(factor_binding)});
    if (take("mod")) return add_function("mod", {left, expression(factor_binding)});
    if (at("*") || begins_factor()) return product(left);
  }
  if (binds(ratio_binding) && at(":")) {
    std::vector<Index> parts = {left};
    while (take(":")) parts.push_back(expression(sum_binding));
    return add(Kind::ratio, {}, std::move(parts));
  }
  if (binds(intersection_binding) && at("cap")) {
    std::vector<Index> parts = {as_range(left)};
    while (take("cap")) parts.push_back(as_range(expression(ratio_binding)));
    return add(Kind::set_intersection, {}, std::move(parts));
  }
  if (binds(union_binding) && at("cup")) {
    std::vector<Index> parts = {as_range(left)};
    while (take("cup")) parts.push_back(as_range(expression(intersection_binding)));
    return add(Kind::set_union, {}, std::move(parts));
  }
  if (binds(union_binding) && take("setminus"))
    return add(Kind::set_difference, {as_range(left), as_range(expression(intersection_binding))});
  more = false;
  return left;
}

Index Parser::sum(Index first) {
  std::vector<Index> terms = {first};
  while (at("+") || at("-")) {
    const bool minus = at("-");
    ++k_;
    const Index term = expression(product_binding);
    terms.push_back(minus ? add(Kind::negation, {term}) : term);
  }
  return add(Kind::sum, {}, std::move(terms));
}

Index Parser::product(Index first) {
  std::vector<Index> factors = {first};
  while (true) {
    if (now().is_command("million")) {  // or another of the large numbers by name
      const int64_t zeros = tokens_[k_++].value;
      factors.push_back(integer(zeros == 0 ? "12" : "1" + std::string(static_cast<size_t>(zeros), '0')));
    } else if (take("*")) {
      factors.push_back(expression(factor_binding));
    } else if (begins_factor()) {
      factors.push_back(factor());
    } else {
      break;
    }
  }
  return add(Kind::product, {}, std::move(factors));
}

// May a factor follow without a sign? A number not behind a number: "1 2" is not 12, nor 2.
bool Parser::begins_factor() const {
  const Token& token = now();
  switch (token.type) {
    case Token::number:
    case Token::based: return k_ > 0 && !is_number(before()) && !before().is_sign("%") && !before().is_sign("deg");
    case Token::letter:
    case Token::begin: return true;
    case Token::command:
      return token.text != "land" && token.text != "lor" && token.text != "dots" && token.text != "Rightarrow" &&
             token.text != "to";
    case Token::sign:
      if (token.text == "|") return bars_ == 0;
      if (token.text == "[") return begins_operand(ahead(1));  // else the end of ]a, b[
      return token.text == "(" || token.text == "{" || token.text == "lvert" || token.text == "lfloor" || token.text == "lceil";
    default: return false;
  }
}

Index Parser::factor() {
  Index base = atom();
  for (bool more = true; more;) base = postfix(base, more);
  return base;
}

Index Parser::postfix(Index base, bool& more) {
  if (at("^")) return raise(base);
  if (at("!")) return factorial(base);
  if (take("%")) return add(Kind::percent, {base});
  if (take("deg")) return add(Kind::degrees, {base});
  more = false;
  return base;
}

// n!, and n!! = n (n - 2) (n - 4) ... of a number below 100.
Index Parser::factorial(Index base) {
  expect("!");
  if (!take("!")) return add(Kind::factorial, {base});
  const Node number = node(base);
  if (at("!") || number.kind != Kind::integer || number.text.size() > 2) fail("!! is read behind numbers below 100");
  std::vector<Index> factors = {integer("1")};
  for (int n = std::stoi(number.text); n > 0; n -= 2) factors.push_back(integer(std::to_string(n)));
  return factors.size() == 1 ? factors[0] : add(Kind::product, {}, std::move(factors));
}

Index Parser::raise(Index base) {
  ++k_;
  if (now().is_command("circ")) return ++k_, add(Kind::degrees, {base});
  const bool braced = at("{") && ahead(2).is_sign("}");
  const bool ring = braced && (ahead(1).is_command("circ") || ahead(1).is_sign("deg") || ahead(1).is(Token::letter, "o"));
  if (ring) return k_ += 3, add(Kind::degrees, {base});
  if (take("deg")) return add(Kind::degrees, {base});
  return add(Kind::power, {base, exponent()});
}

Index Parser::exponent() {
  const Level level(*this);
  if (take("-")) return add(Kind::negation, {exponent()});
  if (take("+")) return exponent();
  const Index power = at("{") ? group() : atom();
  if (!take("^")) return power;
  return add(Kind::power, {power, exponent()});
}

// "degree" and "percent" are kinds of their own, "degree celsius" is a unit.
Index Parser::quantity(Index value, const std::string& unit) {
  if (unit == "degree") return add(Kind::degrees, {value});
  if (unit == "percent") return add(Kind::percent, {value});
  const Node inner = node(value);
  if (inner.kind == Kind::quantity) {
    if (inner.text == unit) return value;
    fail("two units");
  }
  const bool temperature = unit == "celsius" || unit == "fahrenheit" || unit == "degree celsius" || unit == "degree fahrenheit";
  if (!temperature) return add(Kind::quantity, unit, {value});
  const Index number = inner.kind == Kind::degrees ? inner.children[0] : value;
  return add(Kind::quantity, unit.substr(unit.find('c') == std::string::npos ? unit.find('f') : unit.find('c')), {number});
}

}  // namespace reward::math
