#include "reward/math/extract.h"

#include "tests/support/catch.h"

using reward::math::Extraction;
using reward::math::gold_part;

namespace {
std::string found(std::string_view text, Extraction mode) { return reward::math::extract(text, mode).answer.value_or("(none)"); }
std::string strict(std::string_view text) { return found(text, Extraction::strict); }
std::string marked(std::string_view text) { return found(text, Extraction::marked); }
std::string lenient(std::string_view text) { return found(text, Extraction::lenient); }
}  // namespace

TEST_CASE("the last box decides, in the last answer tag, after the thinking", "[extract]") {
  CHECK(strict("\\boxed{4}, no: \\boxed{5}") == "5");
  CHECK(strict("<think>\\boxed{4}</think> \\boxed{5}") == "5");
  CHECK(strict("<think>\\boxed{4}</think> Done.") == "(none)");
  CHECK(strict("<answer>So \\boxed{18}</answer>") == "18");
  CHECK(strict("<answer>17</answer><answer> 18 </answer>") == "18");
  CHECK(strict("\\boxed{5}<answer></answer>") == "(none)");
  CHECK(strict("\\boxed 3") == "3");
  CHECK(strict("\\boxed{}") == "(none)");
}

TEST_CASE("boxes join only over and, or and commas", "[extract]") {
  CHECK(strict("$\\boxed{1}$ and $\\boxed{2}$") == "1, 2");
  CHECK(strict("\\boxed{4} or \\boxed{5}") == "4 or 5");
  CHECK(strict("\\boxed{1}, \\boxed{2}, and \\boxed{3}") == "1, 2, 3");
  CHECK(strict("\\boxed{1}\\text{ and }\\boxed{2}") == "1, 2");
  CHECK(strict("\\boxed{1} \\boxed{2}") == "2");
  CHECK(strict("\\boxed{1}. The other is \\boxed{2}") == "2");
  CHECK(strict("\\boxed{1}                                              , \\boxed{2}") == "2");
  CHECK(reward::math::extract("\\boxed{1}, \\boxed{2}", Extraction::strict).boxes == 2);
}

TEST_CASE("marked takes what follows the last phrase, up to the end of its sentence", "[extract]") {
  CHECK(marked("The answer is 18.") == "18");
  CHECK(marked("the final answer is: $2\\sqrt{3}$. I hope it is correct.") == "$2\\sqrt{3}$");
  CHECK(marked("The answer is 1.8. Done") == "1.8");
  CHECK(marked("The answer is 18. No, the answer is 19.") == "19");
  CHECK(marked("Final Answer: **73**") == "73");
  CHECK(marked("**Answer: 5**") == "5");
  CHECK(marked("**Final Answer**\n\n$12$\n") == "$12$");
  CHECK(marked("The answer to the question is $x=3$, since it is.") == "$x=3$");
  CHECK(marked("Answer: \\[ x \\]\nBye") == "\\[ x \\]");
  CHECK(marked("The answer is 18. So the answer is") == "18");
  CHECK(marked("There is no answer.") == "(none)");
  CHECK(marked("answering: 5") == "(none)");
}

TEST_CASE("marked takes the line behind ####, and bold text if there is nothing else", "[extract]") {
  CHECK(marked("so\n#### 18\nThere.") == "18");
  CHECK(marked("The answer is 4.\n#### 5") == "5");
  CHECK(marked("Thus the total is **42**.") == "42");
  CHECK(marked("**Step 1** is easy: the answer is 7") == "7");
  CHECK(marked("It is 18.") == "(none)");
  CHECK(marked("####") == "(none)");
}

TEST_CASE("lenient takes the last formula or number", "[extract]") {
  CHECK(lenient("so $x = \\frac{3}{4}$") == "x = \\frac{3}{4}");
  CHECK(lenient("Adding up we get $9 \\cdot 2 = 18$.") == "9 \\cdot 2 = 18");
  CHECK(lenient("She makes $18 and pays $20.") == "20");
  CHECK(lenient("costs $1,234.50.") == "1,234.50");
  CHECK(lenient("It is 3 or 4") == "4");
  CHECK(lenient("It is -4.") == "-4");
  CHECK(lenient("$5$ apples and 3 pears") == "3");
  CHECK(lenient("\\[x\\]") == "x");
  CHECK(lenient("none") == "(none)");
}

TEST_CASE("lenient takes no number out of a formula that is not marked as one", "[extract]") {
  for (const char* text : {"7-4", "1 + 1", "x^4", "so \\frac{3}{4}", "\\pm 4", "2 * 3"}) {
    INFO(text);
    CHECK(lenient(text) == "(none)");
  }
  CHECK(lenient("- 4 apples") == "4");
  CHECK(lenient("5+3 = 8") == "8");
}

TEST_CASE("whole is the text itself", "[extract]") {
  CHECK(found(" 18 ", Extraction::whole) == "18");
  CHECK(found("", Extraction::whole) == "(none)");
}

TEST_CASE("a gold is cut to its answer", "[extract]") {
  CHECK(gold_part("48/2=24\n#### 72") == "72");
  CHECK(gold_part("hence \\boxed{\\frac12}.") == "\\frac12");
  CHECK(gold_part("$\\boxed{1}$ and $\\boxed{2}$") == "1, 2");
  CHECK(gold_part(" 18 ") == "18");
  CHECK(gold_part("\\boxed{}").empty());
}
