#include "reward/code/checker.h"

#include "reward/reward.h"
#include "tests/support/catch.h"

using namespace reward::code;
using Catch::Matchers::Contains;

namespace {
bool accepted(const char* checker, const std::string& printed, const std::string& expected) {
  return accepts(parse_checker(checker), printed, expected);
}
}  // namespace

TEST_CASE("tokens: the same words, whatever white space is between them", "[checker]") {
  CHECK(accepted("tokens", "1 2\n3", "1\n2 3\n"));
  CHECK(accepted("tokens", "", " \n"));
  CHECK_FALSE(accepted("tokens", "1 2", "1 2 3"));      // a prefix
  CHECK_FALSE(accepted("tokens", "1 2 3 4", "1 2 3"));  // and more
  CHECK_FALSE(accepted("tokens", "2 1", "1 2"));
  CHECK_FALSE(accepted("tokens", "12", "1 2"));
  CHECK_FALSE(accepted("tokens", "1.0", "1"));
  CHECK_FALSE(accepted("tokens", "YES", "Yes"));
  CHECK_FALSE(accepted("tokens", "\xef\xbc\x91", "1"));       // a full-width 1
  CHECK_FALSE(accepted("tokens", "1\xc2\xa0" "2", "1 2"));    // a no-break space is no white space
  CHECK_FALSE(accepted("tokens", std::string("1\0", 2), "1"));
}

TEST_CASE("lines: lines count, white space at their ends does not", "[checker]") {
  CHECK(accepted("lines", "1 2  \r\n3\n\n", "1 2\n3"));
  CHECK_FALSE(accepted("lines", "1\n2 3", "1 2\n3"));
  CHECK_FALSE(accepted("lines", "1  2", "1 2"));
  CHECK_FALSE(accepted("lines", " 1", "1"));
  CHECK_FALSE(accepted("lines", "1\n\n2", "1\n2"));
  CHECK_FALSE(accepted("lines", "1", "1\n2\n3"));
}

TEST_CASE("exact: byte for byte", "[checker]") {
  CHECK(accepted("exact", "a\n", "a\n"));
  CHECK_FALSE(accepted("exact", "a", "a\n"));
}

TEST_CASE("float: within the tolerance, absolute below 1 and relative above", "[checker]") {
  CHECK(accepted("float:1e-6", "0.3333333", "0.3333330"));      // 3e-7
  CHECK_FALSE(accepted("float:1e-6", "0.333335", "0.333333"));  // 2e-6
  CHECK(accepted("float:1e-6", "1000000.5", "1000000.0"));      // 0.5 <= 1e-6 * 1e6
  CHECK_FALSE(accepted("float:1e-6", "1000002.0", "1000000.0"));
  CHECK(accepted("float:1e-6", "3", "3.0"));
  CHECK(accepted("float:1e-6", "1e3 -0.0", "1000.0 0"));
  CHECK_FALSE(accepted("float:1e-6", "10000001", "10000000"));  // whole numbers are exact
  CHECK(accepted("float:1e-6", "yes 1.0", "yes 1.0000001"));
  CHECK_FALSE(accepted("float:1e-6", "no 1.0", "yes 1.0"));
  for (const char* lie : {"nan", "inf", "-inf", "1e999", "0x1p0", "1.0f", "1,0", "", "+-1.0", "1e", "NaN"})
    CHECK_FALSE(accepted("float:1e-6", lie, "1.0"));
  CHECK_FALSE(accepted("float:1e-6", std::string(1 << 20, '9') + ".0", "1.0"));
  CHECK_FALSE(accepted("float:1e-6", "1.0", "1.0 2.0"));
  CHECK_FALSE(accepted("float:1e-6", "1.0 2.0", "1.0"));
}

TEST_CASE("unordered_lines: the same lines as often", "[checker]") {
  CHECK(accepted("unordered_lines", "b\na  c\n", "a c\nb"));
  CHECK_FALSE(accepted("unordered_lines", "a\na\nb", "a\nb"));
  CHECK_FALSE(accepted("unordered_lines", "a\na\nb", "a\nb\nb"));
  CHECK_FALSE(accepted("unordered_lines", "c a\nb", "a c\nb"));
}

TEST_CASE("yes_no: only these two words may change case", "[checker]") {
  CHECK(accepted("yes_no", "yEs\nNO\n3", "YES\nno\n3"));
  CHECK_FALSE(accepted("yes_no", "yes", "no"));
  CHECK_FALSE(accepted("yes_no", "alice", "Alice"));
  CHECK_FALSE(accepted("yes_no", "yes yes", "yes"));
}

TEST_CASE("an unknown checker is an error that lists the known ones", "[checker]") {
  for (const char* name : {"", "token", "float", "float:", "float:0", "float:-1", "float:2", "float:nan", "float:1e-6x"})
    CHECK_THROWS_WITH(parse_checker(name), Contains("unordered_lines"));
}
