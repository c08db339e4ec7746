// The limits are counts: hostile input ends at one of them, with a fixed word, and nothing is worked out on the way.
#include <random>

#include "reward/math/extract.h"
#include "reward/math/parse.h"
#include "reward/math/verify.h"
#include "tests/support/catch.h"

using namespace reward::math;

namespace {

std::string repeat(const std::string& piece, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += piece;
  return out;
}

std::string reason(std::string_view text) {
  const auto parsed = parse(text, Limits{});
  const auto* error = std::get_if<ParseError>(&parsed);
  return error ? error->reason : "";
}

// Every child lies before its parent, and the tree is no deeper than allowed.
bool sound(const Tree& tree, const Limits& limits) {
  std::vector<int64_t> depth(tree.nodes.size(), 1);
  for (size_t k = 0; k < tree.nodes.size(); ++k)
    for (const Index child : tree.nodes[k].children) {
      if (child < 0 || static_cast<size_t>(child) >= k) return false;
      depth[k] = std::max(depth[k], depth[static_cast<size_t>(child)] + 1);
    }
  return tree.root >= 0 && static_cast<size_t>(tree.root) < tree.nodes.size() &&
         depth[static_cast<size_t>(tree.root)] <= limits.depth;
}

}  // namespace

TEST_CASE("each limit has its word", "[limits]") {
  CHECK(reason(std::string(16385, '1')) == "too_long");
  CHECK(reason(std::string(16384, '1')) == "");
  CHECK(reason(repeat("1+", 3000) + "1") == "too_many_tokens");
  CHECK(reason(repeat("(", 100) + "1" + repeat(")", 100)) == "too_deep");
  CHECK(reason(repeat("{", 100) + "1" + repeat("}", 100)) == "too_deep");
  CHECK(reason(repeat("-", 100) + "1") == "too_deep");
  CHECK(reason(repeat("x^{", 100) + "1" + repeat("}", 100)) == "too_deep");
  CHECK(reason("1" + repeat("/2", 100)) == "too_deep");
  CHECK(reason("1" + repeat("!+1)", 3) + repeat("!", 100)) == "");
  CHECK(reason(repeat("\\frac", 200) + "1") == "too_deep");
  CHECK(reason(repeat("\\sin ", 200) + "x") == "too_deep");
}

TEST_CASE("16 KiB of one piece is read or refused", "[limits]") {
  for (const char* piece : {
      "{", "}", "(", "[", "|", "-", "^", "_", "!", "\\", "\\frac", "\\sqrt", "\\sin", "1,", "1,234,", "9^", "x_", "\\{",
      "\\text{", "\\left(", "a", "ab ", "\\begin{pmatrix}", "&", "\\\\", "1 ", "1/", "cm ", "$", "**", "\xc2\xbd",
      "\\overline{", "C_", "C_5^", "\\sum_{k=1}^", "x=", ",", "or ", "{1}", "+", "\\pm", "\xcf\x80", "0.\\overline",
      "\\angle A", "5 \\text{m/", "B) ", "'", "f("}) {
    const auto text = repeat(piece, 16384 / std::string(piece).size());
    const auto parsed = parse(text, Limits{});
    INFO(piece);
    if (const auto* tree = std::get_if<Tree>(&parsed)) CHECK(sound(*tree, Limits{}));
  }
}

TEST_CASE("towers and factorials are read without being worked out", "[limits]") {
  CHECK(reason("9^{9^{9^{9}}}") == "");
  CHECK(reason("9^9^9^9^9^9^9") == "");
  CHECK(reason("(10^9)!") == "");
  CHECK(reason("((((((9!)!)!)!)!)!)!") == "");
}

TEST_CASE("nested arithmetic on matrices ends at a limit", "[limits]") {
  const Verifier verifier("default", Extraction::whole);
  const auto reason_of = [&](const std::string& answer) { return verifier.compare(answer, "5").reason; };
  // |s (1, 1, 1, 1)| has s four times: 4^20 at 20 levels. The last cell of a determinant of 4 rows stands in it 6 times.
  const auto norms = repeat("\\left|", 20) + "x" + repeat("\\begin{pmatrix}1\\\\1\\\\1\\\\1\\end{pmatrix}\\right|", 20);
  CHECK(reason_of(norms) == "work");
  const auto left = repeat("\\det\\begin{pmatrix}1&2&3&4\\\\5&6&7&8\\\\2&3&4&5\\\\1&2&3&", 15);
  const auto right = repeat("\\end{pmatrix}", 15);
  for (const char* inner : {"x", "\\pm 1"}) CHECK(reason_of(left + inner + right) == "work");
  CHECK(reason_of(left + "2" + right + "\\approx 3") == "work");
}

TEST_CASE("random splices of tokens never crash the parser, and its trees are sound", "[limits]") {
  const char* pieces[] = {
      "\\frac", "{", "}", "(", ")", "[", "]", "\\{", "\\}", "|", "1", "23", "0.5", "x", "e", "i", "\\pi", "^", "_", "+", "-",
      "*", "/", "!", "%", ",", ";", ":", "=", "<", "\\le", "\\in", "\\cup", "\\sin", "\\log", "\\sqrt", "\\text{", " cm",
      " and ", " or ", "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "\\pm", "'", "\\circ", "\\overline", "\\sum", "f",
      "C", "\\left", "\\right", "$", "\\$", "\\binom", "\\angle", "\\quad", "million", "\\infty", " "};
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto left = random() % 24 + 1; left > 0; --left) text += pieces[random() % std::size(pieces)];
    const auto parsed = parse(text, Limits{});
    const auto* tree = std::get_if<Tree>(&parsed);
    if (!tree) continue;
    if (!sound(*tree, Limits{})) FAIL(text);
    const auto again = parse(text, Limits{}, tree);
    const auto* beside = std::get_if<Tree>(&again);
    if (beside && !sound(*beside, Limits{})) FAIL(text);
  }
}

TEST_CASE("extraction is linear: a megabyte of one piece is looked through", "[limits]") {
  for (const char* piece : {
      "answer is ", "answer ", "answer", "####", "**", "$", "\\boxed{", "\\boxed{1}, ", "\\boxed ", "\n", "answer:\n", "\\[",
      "1", "<answer>", "</answer>", "-", "is "}) {
    const auto text = repeat(piece, (1 << 20) / std::string(piece).size());
    for (const auto mode : {Extraction::strict, Extraction::marked, Extraction::lenient, Extraction::whole}) extract(text, mode);
  }
  SUCCEED();  // nothing to compare: a scan that is not linear would take hours, and CI would end it
}
