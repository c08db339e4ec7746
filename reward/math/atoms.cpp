// Numbers, symbols, fractions and roots.
#include <algorithm>

#include "reward/math/names.h"
#include "reward/math/parser.h"
#include "reward/number.h"

namespace reward::math {
namespace {

bool is_whole(const Token& token) {
  return token.type == Token::number && !token.scientific && std::all_of(token.text.begin(), token.text.end(), is_digit);
}

// Is one written whole number below another?
bool less(std::string_view a, std::string_view b) {
  while (!a.empty() && a[0] == '0') a.remove_prefix(1);
  while (!b.empty() && b[0] == '0') b.remove_prefix(1);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

bool is_known_function(const std::string& name) {
  const auto first = name.substr(0, name.find_first_of("'_"));
  return first == "f" || first == "g" || first == "h" || first == "F" || first == "G" || first == "H";
}

}  // namespace

Index Parser::atom() {
  const Level level(*this);
  switch (now().type) {
    case Token::number: return number();
    case Token::based: return based_number();
    case Token::letter: return symbol();
    case Token::command: return command();
    case Token::sign: return sign_atom();
    case Token::begin: return environment();
    default: fail("an operand is missing");
  }
}

Index Parser::sign_atom() {
  const auto& text = now().text;
  if (text == "(") return round_bracket();
  if (text == "[") return square_bracket();
  if (text == "]") return outward_bracket();
  if (text == "\\{") return set_bracket();
  if (text == "|") return bar("|");
  if (text == "lvert") return bar("rvert");
  if (text == "||") return bar("||");
  if (text == "lfloor") return rounded("floor", "rfloor");
  if (text == "lceil") return rounded("ceil", "rceil");
  if (text == "langle") {
    ++k_;
    const Items found = items();
    expect("rangle");
    return add(Kind::tuple, {}, found.items);
  }
  if (text == "{") {
    const bool empty = ahead(1).is_sign("}");
    if (!empty) return group();
    k_ += 2;
    return at("_") || at("^") ? binomial_symbol() : atom();
  }
  if (text == "_") return binomial_symbol();
  fail("an operand is missing");
}

// The fraction of a mixed number at k_: "4/5" behind a blank, \frac45, \frac{4}{5}; both parts whole and the first smaller.
bool Parser::at_mixed_part(std::string& numerator, std::string& denominator, size_t& end) const {
  size_t k = k_;
  if (is_whole(tokens_[k]) && tokens_[k].gap != Gap::none && tokens_[k + 1].is_sign("/") && is_whole(tokens_[k + 2])) {
    numerator = tokens_[k].text;
    denominator = tokens_[k + 2].text;
    end = k + 3;
    return less(numerator, denominator);
  }
  if (!tokens_[k].is_command("frac")) return false;
  std::string digits[2];
  ++k;
  for (int part = 0; part < 2; ++part) {
    const bool braced = tokens_[k].is_sign("{");
    const Token& token = tokens_[k + (braced ? 1 : 0)];
    if (!is_whole(token)) return false;
    if (part == 0 && !braced && token.text.size() == 2) {  // \frac45
      digits[0] = token.text.substr(0, 1);
      digits[1] = token.text.substr(1);
      ++k;
      break;
    }
    if (braced && !tokens_[k + 2].is_sign("}")) return false;
    if (!braced && token.text.size() != 1) return false;
    digits[part] = token.text;
    k += braced ? 3 : 1;
  }
  numerator = digits[0];
  denominator = digits[1];
  end = k;
  return less(numerator, denominator);
}

Index Parser::number() {
  const Token token = now();
  // The 2 of x^2 \frac12 and of 1/2 \frac13 begins no mixed number.
  const auto binds = [](const Token& t) { return t.is_sign("^") || t.is_sign("/"); };
  const bool taken = k_ > 0 && (binds(before()) || (k_ > 1 && before().is_sign("-") && binds(tokens_[k_ - 2])));
  ++k_;
  std::string text = token.text;
  const bool point = text.back() == '.';
  const bool over = now().is_command("overline") || now().is_command("bar") || now().is_command("dot");
  const bool bar_follows = over || (point && at("("));
  if (bar_follows && text.find('.') != std::string::npos && now().gap == Gap::none && !token.scientific) {
    const bool digits = is_whole(ahead(1)) || (ahead(1).is_sign("{") && is_whole(ahead(2)));
    if (digits && (!at("(") || ahead(2).is_sign(")"))) return repeating(text);
  }
  if (point) text.pop_back();
  if (token.scientific) return add(Kind::decimal, text.find('.') == std::string::npos ? text + ".0" : text, {}, token.value);
  if (text.find('.') != std::string::npos) return add(Kind::decimal, text);
  const Index whole = integer(text);
  std::string numerator, denominator;
  size_t end = 0;
  if (point || taken || !at_mixed_part(numerator, denominator, end)) return whole;
  k_ = end;
  const Index top = integer(numerator), bottom = integer(denominator);
  return add(Kind::sum, {whole, add(Kind::quotient, {top, bottom})});
}

// 0.3\overline{6} is 0.3 + 6/90.
Index Parser::repeating(const std::string& front) {
  const bool round = at("(");
  ++k_;
  const bool braced = take("{");
  const std::string period = now().text;
  ++k_;
  if (round) expect(")");
  else if (braced) expect("}");
  const size_t decimals = front.size() - front.find('.') - 1;
  const Index first = decimals > 0 ? add(Kind::decimal, front) : integer(front.substr(0, front.size() - 1));
  const Index top = integer(period), bottom = integer(std::string(period.size(), '9') + std::string(decimals, '0'));
  return add(Kind::sum, {first, add(Kind::quotient, {top, bottom})});
}

// With digits behind the point it is a quotient by a power of the base.
Index Parser::based_number() {
  const Token token = now();
  ++k_;
  const auto point = token.text.find('.');
  std::string digits = token.text;
  if (point != std::string::npos) digits.erase(point, 1);
  const Index numeral = add(Kind::based, digits, {}, token.value);
  if (point == std::string::npos) return numeral;
  const Index base = integer(std::to_string(token.value)), places = integer(std::to_string(digits.size() - point));
  return add(Kind::quotient, {numeral, add(Kind::power, {base, places})});
}

Index Parser::command() {
  const std::string name = now().text;
  if (name == "frac") return fraction();
  if (name == "sqrt" || name == "cbrt") return root();
  if (name == "sum" || name == "prod") return finite(name == "sum" ? Kind::finite_sum : Kind::finite_product);
  if (is_symbol_command(name)) return symbol();
  if (name == "hat" || name == "tilde" || name == "dot" || name == "ddot") return accented();
  if (name == "bar" || name == "overline") return accented();
  if (name == "angle") return angle();
  if (name == "binom") {
    ++k_;
    const Index n = argument();
    return add_function("binomial", {n, argument()});
  }
  if (name == "pi" && !ahead(1).is_sign("_")) return ++k_, add(Kind::pi, {});
  if (name == "infty") return ++k_, add(Kind::infinity, {});
  if (name == "emptyset") return ++k_, add(Kind::empty_set, {});
  if (name == "mathbb") return add(Kind::number_set, std::string(1, static_cast<char>(tokens_[k_++].value)));
  if (name == "pi") return symbol();
  if (const auto known = function_name(name); !known.empty()) return function(known);
  fail("\\" + name + " is not read");
}

Index Parser::argument(bool whole_number) {
  if (at("{")) return group();
  Token& token = tokens_[k_];
  if (token.type == Token::number && !whole_number && token.text.size() > 1 && !token.scientific) {
    if (!is_digit(token.text[0])) fail("a digit is missing");
    const std::string first = token.text.substr(0, 1);
    token.text.erase(0, 1);
    return integer(first);
  }
  if (token.type == Token::number) {
    ++k_;
    if (token.text.find('.') != std::string::npos || token.scientific) return add(Kind::decimal, token.text, {}, token.value);
    return integer(token.text);
  }
  if (token.type == Token::sign && !whole_number) fail("an argument is missing");
  return atom();
}

Index Parser::fraction() {
  if (at_derivative()) return derivative();
  ++k_;
  const Index numerator = argument();
  const size_t split = k_;
  const bool shared = now().type == Token::number;  // the 2 of \frac12, which may have been 123
  const Index denominator = argument();
  if (shared && k_ == split) fail("more than two digits behind \\frac");
  return add(Kind::quotient, {numerator, denominator});
}

Index Parser::root() {
  const bool cube = now().is_command("cbrt");
  ++k_;
  Index index = -1;
  if (!cube && take("[")) {
    index = expression(any_binding);
    expect("]");
  }
  const Index radicand = argument(/*whole_number=*/true);
  if (index < 0) index = integer(cube ? "3" : "2");
  return add(Kind::root, {radicand, index});
}

// \frac{dy}{dx}, \frac{d^2 y}{dx^2}, \frac{\partial f}{\partial x}: a name, in which nothing cancels.
bool Parser::at_derivative() const {
  if (!ahead(1).is_sign("{")) return false;
  const auto differential = [](const Token& t) { return t.is(Token::letter, "d") || t.is_command("partial"); };
  if (!differential(ahead(2)) || ahead(3).is_sign("-") || ahead(3).is_sign("+")) return false;
  size_t k = k_ + 3;
  while (k + 2 < tokens_.size() && k < k_ + 16 && !tokens_[k].is_sign("}")) {
    if (tokens_[k].is_sign("{")) {
      while (k + 2 < tokens_.size() && !tokens_[k].is_sign("}")) ++k;
    }
    ++k;
  }
  if (k + 3 >= tokens_.size() || !tokens_[k].is_sign("}") || !tokens_[k + 1].is_sign("{")) return false;
  const Token& variable = tokens_[k + 3];
  return differential(tokens_[k + 2]) && (variable.type == Token::letter || variable.type == Token::command);
}

Index Parser::derivative() {
  ++k_;
  const std::string above = flat_argument();
  return add(Kind::symbol, above + "/" + flat_argument());
}

std::string Parser::flat_argument() {
  std::string out;
  const auto put = [&] {
    const Token& token = now();
    if (token.type == Token::command) out += "\\";
    out += token.text;
    ++k_;
  };
  if (now().type == Token::end) fail("an argument is missing");
  if (!at("{")) {
    put();
    return out;
  }
  int64_t depth = 0;
  do {
    if (at("{")) ++depth;
    if (at("}")) --depth;
    if (at("{") || at("}")) ++k_;
    else put();
  } while (depth > 0 && now().type != Token::end);
  return out;
}

// \hat x is a name of its own, \bar z the conjugate, \overline{AB} a segment, \overline{ab} a number by its digits.
Index Parser::accented() {
  const std::string name = now().text;
  const bool bar = name == "bar" || name == "overline", braced = ahead(1).is_sign("{");
  const Token& first = ahead(braced ? 2 : 1);
  const bool one = !braced || ahead(3).is_sign("}");
  const bool letter = first.type == Token::letter || (first.type == Token::command && is_symbol_command(first.text));
  bool letters = true;
  for (size_t n = 2; braced && !ahead(n).is_sign("}") && ahead(n).type != Token::end; ++n)
    letters = letters && (ahead(n).type == Token::letter || ahead(n).type == Token::number || ahead(n).is_sign("_"));
  ++k_;
  if (bar && ((one && letter) || !letters)) return add_function("conj", {argument()});
  if (bar && letter && first.text[0] >= 'A' && first.text[0] <= 'Z') return group();
  return add(Kind::symbol, name + "(" + flat_argument() + ")");
}

// \angle ABC is one name.
Index Parser::angle() {
  ++k_;
  std::string name = "angle ";
  if (now().type != Token::letter) fail("\\angle has no name");
  while (now().type == Token::letter) {
    name += now().text;
    ++k_;
    if (take("_")) name += "_" + flat_argument();
  }
  return add(Kind::symbol, name);
}

// A letter or Greek letter with its subscript and primes; i, e and pi bare; f(x).
Index Parser::symbol() {
  const Token token = now();
  if (token.is(Token::letter, "C")) {
    if (const Index choose = binomial_symbol(); choose >= 0) return choose;
  }
  ++k_;
  std::string name = token.text;
  while (true) {
    if (take("_")) name += "_" + flat_argument();
    else if (take("'")) name += "'";
    else if (at("^") && (ahead(1).is_sign("'") || (ahead(1).is_sign("{") && ahead(2).is_sign("'")))) {
      ++k_;
      name += flat_argument();
    } else break;
  }
  const bool bare = name.size() == token.text.size();
  const bool bound = std::find(bound_.begin(), bound_.end(), name) != bound_.end();
  if (bare && !bound && token.type == Token::letter && name == "i") return add(Kind::imaginary, {});
  if (bare && !bound && token.type == Token::letter && name == "e") return add(Kind::euler, {});
  if (token.type == Token::letter && is_known_function(name)) {
    const bool inverse = at("^") && ahead(1).is_sign("{") && ahead(2).is_sign("-") && ahead(3).is(Token::number, "1") &&
                         ahead(4).is_sign("}") && ahead(5).is_sign("(");
    if (inverse) k_ += 5, name += "^-1";
    if (at("(")) return add(Kind::call, name, bracket_arguments());
  }
  return add(Kind::symbol, name);
}

// C(n, k), C_n^k, C^n_k, {}_nC_k and {}^nC_k at k_; -1 if C is but a letter there.
Index Parser::binomial_symbol() {
  const size_t begin = k_;
  const auto back = [&]() -> Index {
    k_ = begin;
    return -1;
  };
  if (at("_") || at("^")) {  // behind {}
    ++k_;
    const Index n = argument();
    if (!now().is(Token::letter, "C") || !ahead(1).is_sign("_")) fail("an operand is missing");
    k_ += 2;
    return add_function("binomial", {n, argument()});
  }
  ++k_;
  if (at("(") && (ahead(2).is_sign(",") || ahead(3).is_sign(","))) {
    auto arguments = bracket_arguments();
    if (arguments.size() != 2) fail("C takes two arguments");
    return add_function("binomial", std::move(arguments));
  }
  const bool below = at("_");
  if (!below && !at("^")) return back();
  ++k_;
  const bool braced = at("{");
  const Token first = ahead(braced ? 1 : 0);
  if (braced ? !ahead(2).is_sign("}") : first.type == Token::sign) return back();
  if (first.type != Token::number && first.type != Token::letter) return back();
  k_ += braced ? 3 : 1;
  if (!at(below ? "^" : "_")) return back();
  ++k_;
  const Token second = ahead(at("{") ? 1 : 0);
  if (second.type != Token::number && second.type != Token::letter) return back();
  // C_1^2 is the square of a constant: a binomial has a letter or at least 3 below, and no more above.
  if (first.type == Token::number && (first.text == "0" || first.text == "1" || first.text == "2")) return back();
  if (first.type == Token::number && second.type == Token::number && less(first.text, second.text)) return back();
  const Index n = first.type == Token::number ? integer(first.text) : add(Kind::symbol, first.text);
  return add_function("binomial", {n, argument(/*whole_number=*/true)});
}

}  // namespace reward::math
