#include "reward/extract.h"

#include <string>

#include "tests/support/catch.h"

using namespace reward;

namespace {
std::string repeat(const std::string& piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}
std::string text_of(std::optional<std::string_view> found) { return found ? std::string(*found) : "(none)"; }
}  // namespace

TEST_CASE("of nested boxes the inner one counts, of boxes in a row the last closed one", "[extract]") {
  REQUIRE(text_of(last_box("\\boxed{a \\boxed{b} c}")) == "b");
  REQUIRE(text_of(last_box("\\boxed{a}\\fbox{b}")) == "b");
  REQUIRE(text_of(last_box("\\boxed{a \\boxed{b}")) == "b");
  REQUIRE(text_of(last_box("\\boxed{a} \\boxed{b")) == "a");
  REQUIRE(text_of(last_box("\\boxed  {x_{1}}")) == "x_{1}");
  REQUIRE(text_of(last_box("}}{ \\boxed{5}")) == "5");
  REQUIRE(text_of(last_box("\\boxed{\\{5\\}}")) == "\\{5\\}");
  REQUIRE(text_of(last_box("\\boxed{5\\}")) == "(none)");
  REQUIRE(text_of(last_box("\\\\boxed{5}")) == "(none)");  // a line break, then the word
  REQUIRE(text_of(last_box("\\")) == "(none)");
  REQUIRE(text_of(last_box("\\boxed")) == "(none)");
  REQUIRE(text_of(last_box("\\boxedx{5}")) == "(none)");
  REQUIRE(text_of(last_box("\\boxed 3$ and")) == "3");
}

TEST_CASE("the last complete pair of tags counts", "[extract]") {
  REQUIRE(text_of(last_tag("<answer>1</answer><answer>2", "answer")) == "1");
  REQUIRE(text_of(last_tag("<answer><answer>2</answer>", "answer")) == "2");
  REQUIRE(text_of(last_tag("<answer>2</answer></answer>", "answer")) == "2</answer>");
  REQUIRE(text_of(last_tag("<answer>2<answer>", "answer")) == "(none)");
  REQUIRE(text_of(last_tag("< answer>2</answer>", "answer")) == "(none)");
  REQUIRE(text_of(last_tag("<ANSWER>2</ANSWER>", "answer")) == "(none)");
}

TEST_CASE("a megabyte of braces or boxes is looked at once", "[extract]") {
  for (const auto& text : {std::string(1 << 20, '{'), std::string(1 << 20, '}'), std::string(1 << 20, '\\'),
                           repeat("{}", 1 << 19), repeat("\\boxed{", 1 << 17), "\\boxed" + std::string(1 << 20, ' '),
                           repeat("\\boxed{", 1 << 16) + std::string(1 << 16, '}'), repeat("\\boxed  ", 1 << 17)}) {
    int64_t steps = -1;
    find_boxes(text, &steps);
    CHECK(steps >= static_cast<int64_t>(text.size()) / 2);
    CHECK(steps <= 2 * static_cast<int64_t>(text.size()));
  }
  REQUIRE(text_of(last_box(repeat("\\boxed{", 1 << 16) + "7" + std::string(1 << 16, '}'))) == "7");
}

TEST_CASE("only ASCII white space is trimmed; a NUL is not", "[extract]") {
  REQUIRE(trim(" \t\r\n\v\fx ") == "x");
  REQUIRE(trim(std::string_view("\0x", 2)) == std::string_view("\0x", 2));
  REQUIRE(trim("").empty());
}
