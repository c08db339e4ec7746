#include "tests/reward/support.h"

using reward::Status;

namespace {

reward::Outcome outcome(const std::string& text, const std::string& gold, OptionList options = {}) {
  return score_one(*make("choice", std::move(options)), item(text, gold));
}

// The letter read, "" for none, or the reason for a 0.
std::string chosen(const std::string& text) {
  const auto got = outcome(text, "J");
  if (got.status == Status::no_answer) return "";
  return got.detail == "right" || got.detail == "wrong" ? got.extracted : got.detail;
}

}  // namespace

TEST_CASE("choice reads a letter in each of its forms", "[choice]") {
  for (const char* text : {"\\boxed{B}",
                           "\\boxed{b}",
                           "\\boxed{(B)}",
                           "\\boxed{\\text{B}}",
                           "\\boxed{\\textbf{(B)}\\ 42}",
                           "\\boxed{B. 42}",
                           "\\boxed{B) x}",
                           "\\boxed{\\text{Option B}}",
                           "<answer>B</answer>",
                           "<answer> b) </answer>",
                           "<answer>**B**</answer>",
                           "<answer>[B]</answer>",
                           "<answer>Answer: B</answer>",
                           "<answer>B because it is so</answer>",
                           "The answer is B.",
                           "The answer is (B).",
                           "the answer is (b)",
                           "Answer: B",
                           "ANSWER: B",
                           "**Answer:** B",
                           "**Answer: (B)**",
                           "Final answer = B",
                           "The correct option is B.",
                           "The correct choice is: (B) 42",
                           "So the answer is option B.",
                           "The answer is\nB",
                           "Answer: B) 42",
                           "Answer: B, as shown.",
                           "The answer is B because A is too small.",
                           "The answer is (B). Option (A) is wrong.",
                           "I compared them.\n\nB",
                           "So:\n(B)",
                           "Hm.\n**B.**",
                           "\u7b54\u6848\u662fB\u3002",
                           "\u7b54\u6848\uff1aB",
                           "The answer is $\\textbf{(B)}$"}) {
    INFO(text);
    CHECK(chosen(text) == "B");
  }
}

TEST_CASE("a letter inside a word, or that is a word, is no choice", "[choice]") {
  for (const char* text : {"",
                           "B is for boat",
                           "A cat sat.",
                           "The answer is a number.",
                           "The answer is A cat.",
                           "Answer: Basic",
                           "Answer: BCD",
                           "Answer: B2",
                           "Answer: B_2",
                           "answer is I think not known",
                           "Answer: A's",
                           "the answers: B",
                           "My answer isn't B",
                           "The answer is not B",
                           "An answer B",
                           "Option B looks good",
                           "The answer is A-1",
                           "Answer: A.M. radio",
                           "grade: B",
                           "the answer is K",
                           "\u662fB",
                           "line\nB and more",
                           "b"}) {
    INFO(text);
    CHECK(chosen(text) == "");
  }
  for (const char* text : {"\\boxed{42}", "\\boxed{A cat}", "<answer>Because</answer>", "<answer>I think so</answer>",
                           "\\boxed{K}", "\\boxed{\\frac{a}{b}}"}) {
    INFO(text);
    CHECK(chosen(text) == "not a letter");
  }
}

TEST_CASE("several letters are no choice", "[choice]") {
  for (const char* text : {"\\boxed{A or B}", "\\boxed{A, B}", "\\boxed{(A) (B)}", "\\boxed{(A) x (B) y}", "\\boxed{A/B}",
                           "\\boxed{A) x B) y}", "<answer>A and B</answer>", "The answer is A or B.",
                           "The answer is (A) or (B)", "Answer: A, B", "Answer: A, B and C"}) {
    INFO(text);
    CHECK(chosen(text) == "several letters");
  }
  CHECK(chosen("Answer: B, A boat is too small.") == "B");
  CHECK(chosen("Answer: B, I think") == "B");
}

TEST_CASE("the last mark wins, a box comes before tags, and tags before text", "[choice]") {
  CHECK(chosen("The answer is A. No, the answer is B.") == "B");
  CHECK(chosen("The answer is B. I hope this answer is helpful.") == "B");
  CHECK(chosen("The answer is B; the correct option is A in the other book.") == "B");
  CHECK(chosen("\\boxed{A} \\boxed{B}") == "B");
  CHECK(chosen("\\boxed{B} <answer>A</answer> Answer: C") == "B");
  CHECK(chosen("<answer>B</answer> Answer: C") == "B");
  CHECK(chosen("Answer: C\n\nB") == "B");
}

TEST_CASE("a choice made while thinking is none", "[choice]") {
  CHECK(chosen("<think>The answer is A.</think>The answer is B.") == "B");
  CHECK(chosen("<think>The answer is B.</think>") == "");
  CHECK(chosen("<think>The answer is B.") == "");
}

TEST_CASE("choice pays for the gold's letter alone", "[choice]") {
  CHECK(outcome("Answer: B", "B").value == 1.0);
  CHECK(outcome("Answer: A", "B").value == 0.0);
  CHECK(outcome("Answer: A or B", "B").value == 0.0);
  for (const char* gold : {"b", "(B)", " B\n", "so it is\n#### B", "\\boxed{\\text{B}}", "B. 42"})
    CHECK(outcome("Answer: B", gold).value == 1.0);
}

TEST_CASE("a gold that is no letter within the range has no value", "[choice]") {
  auto four = make("choice", {{"last", "D"}});
  CHECK(four->check_answer("D").empty());
  for (const char* gold : {"E", "", "42", "AB", "A or B", "Basic"}) {
    INFO(gold);
    CHECK_FALSE(four->check_answer(gold).empty());
    CHECK(score_one(*four, item("Answer: A", gold)).status == Status::not_applicable);
  }
  CHECK(score_one(*four, item("Answer: E", "D")).status == Status::no_answer);
}

TEST_CASE("long lists of letters take no long time and no deep stack", "[choice]") {
  std::string list = "\\boxed{A", text;
  for (int i = 0; i < 300000; ++i) list += i % 2 ? " , A" : " , B", text += "answer is A, B ";
  CHECK(chosen(list + "}") == "several letters");
  CHECK(chosen(text) == "several letters");
}
