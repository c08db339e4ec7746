#include "reward/code/value.h"

#include <limits>

#include "tests/support/catch.h"

using namespace reward::code;

namespace {

Value value(const std::string& text) {
  const auto read = read_value(text);
  INFO(text);
  REQUIRE(read);
  return *read;
}
bool same(const std::string& a, const std::string& b) {
  const bool forth = equal(value(a), value(b)), back = equal(value(b), value(a));
  CHECK(forth == back);
  return forth;
}

// 1.0 is 3ff0..., 0.5 is 3fe0..., 2^60 is 43b0..., nan 7ff8..., inf 7ff0..., -0.0 8000...
const std::string one = "f3ff0000000000000;", half = "f3fe0000000000000;";
const std::string not_a_number = "f7ff8000000000000;", inf = "f7ff0000000000000;";

}  // namespace

TEST_CASE("numbers are equal by value, as in Python", "[value]") {
  CHECK(same("i1;", "T"));                                     // 1 == True
  CHECK(same("i0;", "F"));
  CHECK(same("i1;", one));                                     // 1 == 1.0
  CHECK(same("T", one));
  CHECK(same("i0;", "f8000000000000000;"));                    // 0 == -0.0
  CHECK(same("i1000000000000000;", "f43b0000000000000;"));     // 2**60 == 2.0**60
  CHECK_FALSE(same("i1000000000000001;", "f43b0000000000000;"));  // 2**60 + 1 != 2.0**60, although they round alike
  CHECK(same("i-1;", "fbff0000000000000;"));
  CHECK_FALSE(same("i1;", half));
  CHECK(same(half, half));
  CHECK_FALSE(same("i1;", "N"));
  CHECK_FALSE(same("F", "N"));
  CHECK_FALSE(same("i0;", "s;"));
  CHECK(same("c3ff00000000000000000000000000000;", "i1;"));    // 1+0j == 1
  CHECK_FALSE(same("c3ff00000000000003ff0000000000000;", "i1;"));
  CHECK(same("i" + std::string(5000, 'a') + ";", "i" + std::string(5000, 'a') + ";"));
  CHECK_FALSE(same("i" + std::string(5000, 'a') + ";", "i" + std::string(4999, 'a') + "b;"));
  CHECK(same(inf, inf));
  CHECK_FALSE(same(inf, "ffff0000000000000;"));
}

TEST_CASE("a whole float beyond 2^53 has the digits of its integer", "[value]") {
  // 1e300: frexp gives mantissa 0x17e43c8800759c and exponent 996 - 52 = 944 = 4 * 236, so the hex has 14 + 236 digits.
  CHECK(equal(real(1e300), value("i17e43c8800759c" + std::string(236, '0') + ";")));
  CHECK(equal(real(9007199254740993.0), integer(9007199254740992)));  // 2^53 + 1 rounds to 2^53
  CHECK(equal(real(-3), integer(-3)));
  CHECK(equal(integer(std::numeric_limits<int64_t>::min()), value("i-8000000000000000;")));
}

TEST_CASE("nan is equal to nothing, at any depth", "[value]") {
  CHECK_FALSE(same(not_a_number, not_a_number));
  CHECK_FALSE(same("[" + not_a_number + "]", "[" + not_a_number + "]"));
  CHECK_FALSE(same("ds61;[" + not_a_number + "];", "ds61;[" + not_a_number + "];"));
}

TEST_CASE("containers are equal by kind and content", "[value]") {
  CHECK(same("(i1;i2;)", "(i1;i2;)"));
  CHECK_FALSE(same("(i1;i2;)", "[i1;i2;]"));           // (1, 2) != [1, 2]
  CHECK_FALSE(same("[i1;i2;]", "[i2;i1;]"));
  CHECK_FALSE(same("[i1;]", "[i1;i1;]"));
  CHECK_FALSE(same("[i1;[i2;]]", "[i1;i2;]"));
  CHECK(same("{i1;i2;}", "{i2;i1;}"));
  CHECK(same("{i1;i2;}", "<i2;" + one + ">"));         // set and frozenset
  CHECK_FALSE(same("{}", "d;"));
  CHECK_FALSE(same("[]", "()"));
  CHECK_FALSE(same("{i1;}", "[i1;]"));
  CHECK(same("ds61;i1;s62;i2;;", "ds62;i2;s61;T;"));   // {'a': 1, 'b': 2} == {'b': 2, 'a': True}
  CHECK_FALSE(same("ds61;i1;;", "ds61;i2;;"));
  CHECK_FALSE(same("ds61;i1;;", "ds61;i1;s62;i2;;"));
  CHECK_FALSE(same("s61;", "b61;"));                   // 'a' != b'a'
  CHECK_FALSE(same("[s61;s62;]", "[s6162;]"));         // ['a', 'b'] != ['ab']
  CHECK(same("seda080;", "seda080;"));                 // a lone surrogate
}

TEST_CASE("what is unreadable or was raised equals nothing", "[value]") {
  CHECK_FALSE(same("u61;", "u61;"));
  CHECK_FALSE(same("e61;", "e61;"));
  CHECK_FALSE(same("[u61;]", "[u61;]"));
  CHECK_FALSE(truthy(value("u61;")));
  CHECK_FALSE(same("o61;", "o61;"));  // re.Match: true, and no more
  CHECK(truthy(value("o61;")));
}

TEST_CASE("text that is not one value is refused", "[value]") {
  for (const char* text : {"", "x", "i;", "i-;", "iG;", "iA;", "i1", "i1;i2;", "f3ff;", "f3ff00000000000000;", "s6;", "s6g;", "(",
                           "(i1;", "(i1;]", "di1;;", "N N", "i 1;", "i+1;", "c3ff0000000000000;", "[i1;))"}) {
    INFO(text);
    CHECK_FALSE(read_value(text));
  }
  CHECK(read_value(std::string(60, '[') + std::string(60, ']')));
  CHECK_FALSE(read_value(std::string(100000, '[')));
  CHECK_FALSE(read_value(std::string(70, '[') + std::string(70, ']')));
  CHECK(read_value("i000ff;")->text == "ff");
  CHECK(read_value("i-0;")->text == "0");
}

TEST_CASE("less follows Python's order, and does not guess", "[value]") {
  const auto before = [](const std::string& a, const std::string& b) { return less(value(a), value(b)); };
  CHECK(before("i1;", "i2;") == true);
  CHECK(before("i-2;", "i-1;") == true);
  CHECK(before("i-1;", "i1;") == true);
  CHECK(before("i-ff;", "i-1;") == true);
  CHECK(before("iff;", "i100;") == true);
  CHECK(before("i2;", "i2;") == false);
  CHECK(before(half, "i1;") == true);
  CHECK(before("s61;", "s62;") == true);
  CHECK(before("s61;", "s6161;") == true);
  CHECK(before("[i1;i2;]", "[i1;i3;]") == true);
  CHECK(before("[i1;]", "[i1;i0;]") == true);
  CHECK(before("(i1;i2;)", "(" + one + "i1;)") == false);
  CHECK_FALSE(before("i1;", "s61;").has_value());
  CHECK_FALSE(before(not_a_number, one).has_value());
  CHECK_FALSE(before("[i1;]", "(i2;)").has_value());
  CHECK_FALSE(before("{}", "{i1;}").has_value());
  CHECK_FALSE(before("i" + std::string(20, 'f') + ";", one).has_value());  // needs more than a double
}

TEST_CASE("truth is Python's", "[value]") {
  for (const char* text : {"N", "F", "i0;", "f0000000000000000;", "s;", "b;", "[]", "()", "{}", "<>", "d;"})
    CHECK_FALSE(truthy(value(text)));
  for (const char* text : {"T", "i-1;", "s30;", "[N]", "{i0;}", "dNN;"}) CHECK(truthy(value(text)));
  CHECK(truthy(value(not_a_number)));
}
