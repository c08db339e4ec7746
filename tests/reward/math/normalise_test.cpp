#include "reward/math/normalise.h"

#include "tests/support/catch.h"

using reward::math::to_latex;
using reward::math::trim_markup;

namespace {
std::string latex(std::string_view text) { return to_latex(text).value_or("(none)"); }
}  // namespace

TEST_CASE("signs, Greek letters and fractions of Unicode become LaTeX", "[normalise]") {
  CHECK(latex("x ≤ π") == "x \\le  \\pi ");
  CHECK(latex("2×3−1") == "2\\times 3-1");
  CHECK(latex("½") == "\\frac{1}{2}");
  CHECK(latex("√2") == "\\sqrt 2");
  CHECK(latex("(−∞, 3]") == "(-\\infty , 3]");
  CHECK(latex("45°") == "45\\degree ");
  CHECK(latex("ℝ") == "\\mathbb{R}");
}

TEST_CASE("runs of raised and lowered digits become one group", "[normalise]") {
  CHECK(latex("x²³+y") == "x^{23}+y");
  CHECK(latex("10⁻⁵") == "10^{-5}");
  CHECK(latex("x₁₂²") == "x_{12}^{2}");
  CHECK(latex("²") == "^{2}");
}

TEST_CASE("wide and mathematical letters are the letters they show", "[normalise]") {
  CHECK(latex("１２") == "12");
  CHECK(latex("（１，２）") == "(1,2)");
  CHECK(latex("𝑥+𝟏") == "x+1");
}

TEST_CASE("other letters stay, and marks without width go", "[normalise]") {
  CHECK(latex("Zürich") == "Zürich");
  CHECK(latex("1\u200b2\ufeff") == "12");
  CHECK(latex("1\u00a0000") == "1 000");
}

TEST_CASE("broken UTF-8 and control characters are refused", "[normalise]") {
  for (const std::string& text : {std::string("1\0", 2), std::string("\xff"), std::string("\xc3"), std::string("\xed\xa0\x80"),
                                  std::string("\xc0\xaf"), std::string("\x1b[1m"), std::string("\xf4\x90\x80\x80")}) {
    INFO(text);
    CHECK_FALSE(to_latex(text));
  }
  CHECK(to_latex("\t1\n"));
}

TEST_CASE("Markdown, quotation marks and the full stop are cut off both ends", "[normalise]") {
  CHECK(trim_markup(" **73**. ") == "73");
  CHECK(trim_markup("`x+1`") == "x+1");
  CHECK(trim_markup("\"yes\"") == "yes");
  CHECK(trim_markup("5.") == "5");
  CHECK(trim_markup("1, 2,") == "1, 2");
  CHECK(trim_markup("**a** and **b**") == "**a** and **b**");
  CHECK(trim_markup("1, 2, ...") == "1, 2, ...");
  CHECK(trim_markup("5!") == "5!");
  CHECK(trim_markup("...") == "...");
  CHECK(trim_markup(".").empty());
}
