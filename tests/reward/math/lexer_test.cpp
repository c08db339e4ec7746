#include "reward/math/lexer.h"

#include "tests/support/catch.h"

using namespace reward::math;

namespace {

// The tokens' texts, parted by blanks.
std::string texts(const Tokens& tokens) {
  std::string out;
  for (const Token& token : tokens)
    if (token.type != Token::end) out += (out.empty() ? "" : " ") + token.text;
  return out;
}

std::string lexed(std::string_view text, const Hint& hint = {}) { return texts(lex(text, Limits{}, hint)); }

std::string prepared(std::string_view text, const Hint& hint = {}) {
  Tokens tokens = lex(text, Limits{}, hint);
  join_numerals(tokens, hint);
  join_units(tokens, hint);
  split_words(tokens, hint);
  return texts(tokens);
}

Token::Type type_of_last(std::string_view text, const Hint& hint = {}) {
  Tokens tokens = lex(text, Limits{}, hint);
  join_numerals(tokens, hint);
  join_units(tokens, hint);
  split_words(tokens, hint);
  return tokens[tokens.size() - 2].type;
}

}  // namespace

TEST_CASE("layout vanishes and spellings of one sign become one", "[lexer]") {
  CHECK(lexed("\\left( \\dfrac12 , \\, x \\right]") == "( frac 12 , x ]");
  CHECK(lexed("\\displaystyle x\\leqslant\\,3") == "x <= 3");
  CHECK(lexed("$a \\cdot b$") == "a * b");
  CHECK(lexed("\\(a \\times b\\)") == "a * b");
  CHECK(lexed("\\mathbf{v}\\hspace{1em}+\\color{red}w") == "{ v } + w");
  CHECK(lexed("\\left\\{1\\right.") == "\\{ 1");
  CHECK(lexed("\\left|x\\right|") == "lvert x rvert");
  CHECK(lexed("\\boxed{\\phantom{5}}") == "{ }");
}

TEST_CASE("the letters of a text group are roman, a formula in it is not", "[lexer]") {
  const Tokens tokens = lex("x\\text{ if $y$ or}z", Limits{}, Hint{});
  REQUIRE(texts(tokens) == "x if y or z");
  CHECK_FALSE(tokens[0].roman);
  CHECK(tokens[1].roman);
  CHECK_FALSE(tokens[2].roman);
  CHECK(tokens[3].roman);
  CHECK_FALSE(tokens[4].roman);
}

TEST_CASE("numbers keep their digits; a full stop behind one goes", "[lexer]") {
  CHECK(lexed("0.50") == "0.50");
  CHECK(lexed(".5") == "0.5");
  CHECK(lexed("-1./3") == "- 1 / 3");
  CHECK(lexed("1.2.3") == "1.2 0.3");
  CHECK(lexed("0.\\overline{3}") == "0. overline { 3 }");
}

TEST_CASE("e between numbers is a power of ten, unless the gold holds e", "[lexer]") {
  const auto value = [](std::string_view text, const Hint& hint = {}) { return lex(text, Limits{}, hint)[0].value; };
  CHECK(value("1.5e-3") == -3);
  CHECK(value("6E5") == 5);
  CHECK(value("4.5e+33") == 33);
  CHECK(lexed("2e+3") == "2 e + 3");
  CHECK(lexed("2e^3") == "2 e ^ 3");
  CHECK(lexed("2e3x") == "2 e 3 x");
  Hint hint;
  hint.given = hint.euler = true;
  CHECK(lexed("2e-3", hint) == "2 e - 3");
}

TEST_CASE("!= is no factorial behind a letter, and one behind a number", "[lexer]") {
  CHECK(lexed("x!=5") == "x != 5");
  CHECK(lexed("x != 5") == "x != 5");
  CHECK(lexed("5!=120") == "5 ! = 120");
}

TEST_CASE("groups of thousands are joined, lists are not", "[lexer]") {
  CHECK(prepared("1,234,567") == "1234567");
  CHECK(prepared("1,234.50") == "1234.50");
  CHECK(prepared("10,\\!080") == "10080");
  CHECK(prepared("11,\\! 111,\\! 100") == "11111100");
  CHECK(prepared("70{,}000") == "70000");
  CHECK(prepared("12\\,345") == "12345");
  CHECK(prepared("10 000") == "10000");
  CHECK(prepared("1, 234") == "1 , 234");
  CHECK(prepared("12,34") == "12 , 34");
  CHECK(prepared("0,123") == "0 , 123");
  CHECK(prepared("1234,567") == "1234 , 567");
  CHECK(prepared("27,54,108,135") == "27 , 54 , 108 , 135");
  CHECK(prepared("(312,123,231)") == "( 312 , 123 , 231 )");
  CHECK(prepared("(1,000, 2,000)") == "( 1000 , 2000 )");
  CHECK(prepared("1 2") == "1 2");
  CHECK(prepared("1 234/500") == "1 234 / 500");
  Hint two;
  two.given = true;
  two.elements = 2;
  CHECK(prepared("3,333", two) == "3 , 333");
  CHECK(prepared("1,234,567", two) == "1234567");
}

TEST_CASE("a subscript of a numeral is its base", "[lexer]") {
  CHECK(type_of_last("204_5") == Token::based);
  CHECK(type_of_last("204_{10}") == Token::based);
  CHECK(type_of_last("204_{\\text{five}}") == Token::based);
  CHECK(type_of_last("1A_{16}") == Token::based);
  CHECK(type_of_last("AB_{16}") == Token::based);
  CHECK(type_of_last("\\text{A5}_{11}") == Token::based);
  CHECK(type_of_last("204 base 5") == Token::based);
  CHECK(type_of_last("264_5") != Token::based);  // 6 is no digit of it
  CHECK(type_of_last("10_1") != Token::based);
  CHECK(type_of_last("2x_5") != Token::based);
}

TEST_CASE("words behind a value are a unit if they are known or roman", "[lexer]") {
  CHECK(prepared("5 cm") == "5 cm");
  CHECK(type_of_last("5 cm") == Token::unit);
  CHECK(prepared("12\\text{ square feet}") == "12 foot^2");
  CHECK(prepared("864 \\mbox{ inches}^2") == "864 inch^2");
  CHECK(prepared("60 \\text{ km/h}") == "60 km/hour");
  CHECK(prepared("30 miles per hour") == "30 mile/hour");
  CHECK(prepared("9.8\\,\\mathrm{m/s^2}") == "9.8 m/second^2");
  CHECK(prepared("14 \\text{ right triangles}") == "14 right triangle");
  CHECK(prepared("18\\text{ ways.}") == "18 way");
  CHECK(type_of_last("18\\text{ ways.}") == Token::unit);
}

TEST_CASE("bare letters and words that change the value are no units", "[lexer]") {
  CHECK(type_of_last("2t") == Token::letter);
  CHECK(type_of_last("5m") == Token::letter);
  CHECK(prepared("5 \\text{ million}") == "5 million");
  CHECK(type_of_last("5 \\text{ million}") == Token::command);
  CHECK(type_of_last("2 plus") != Token::unit);
  CHECK(type_of_last("2\\text{nd}") != Token::unit);
  Hint number;
  number.given = true;
  CHECK(type_of_last("5 m", number) == Token::unit);
  CHECK(type_of_last("5m", number) == Token::letter);
  number.symbols = {"m"};
  CHECK(type_of_last("5 m", number) == Token::letter);
}

TEST_CASE("runs of letters are functions, products or words", "[lexer]") {
  CHECK(prepared("abc") == "a b c");
  CHECK(prepared("2pir") == "2 pi r");
  CHECK(prepared("sinx") == "sin x");
  CHECK(prepared("xsinx") == "x sin x");
  CHECK(prepared("x2") == "x _ 2");
  CHECK(prepared("sinxcosx") == "sin x cos x");
  CHECK(prepared("cost") == "cost");
  CHECK(prepared("ellipse") == "ellipse");
  CHECK(prepared("odd") == "odd");
  CHECK(prepared("ABC") == "A B C");
  CHECK(prepared("\\text{ABC}") == "ABC");
  CHECK(prepared("xyz") == "x y z");
  CHECK(prepared("log2(8)") == "log _ 2 ( 8 )");
  CHECK(prepared("(1,2) U (3,4)") == "( 1 , 2 ) cup ( 3 , 4 )");
}

TEST_CASE("braces must pair, and tokens are counted", "[lexer]") {
  CHECK_THROWS_AS(lexed("{"), Failure);
  CHECK_THROWS_AS(lexed("}"), Failure);
  CHECK_THROWS_AS(lexed("\\text{"), Failure);
  CHECK_NOTHROW(lexed("\\{"));
  CHECK_THROWS_AS(lexed(std::string(5000, '+')), Failure);
}
