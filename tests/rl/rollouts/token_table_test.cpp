#include "rl/rollouts/token_table.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("bytes that a terminal would obey or break are spelled out", "[rollouts]") {
  CHECK(rl::printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  CHECK(rl::printable("a\nb\t") == "a\\nb\\t");
  CHECK(rl::printable("a\nb", true) == "a\nb");
  CHECK(rl::printable("\xc3\xa9 \xc3") == "\xc3\xa9 \\xc3");   // e acute, then half a character
  CHECK(rl::printable("\xe4\xb8") == "\\xe4\\xb8");
}

TEST_CASE("the table has a line a token; those that were not chosen have no log-probability", "[rollouts]") {
  const std::vector<int32_t> tokens{7, 8, 9};
  const std::vector<uint8_t> trained{1, 0, 1};
  const std::vector<double> logprobs{-0.5, -2.0};
  const std::string table = rl::token_table({tokens, trained, logprobs, 0.25}, nullptr, 48);
  CHECK(contains(table, "      0       7  1       -0.5000   +0.2500"));
  CHECK(contains(table, "      1       8  0             -         -"));
  CHECK(contains(table, "      2       9  1       -2.0000   +0.2500"));
}

TEST_CASE("with kept ids the table says how many each log-probability is over", "[rollouts]") {
  const std::vector<int32_t> tokens{7, 8, 9};
  const std::vector<uint8_t> trained{1, 0, 1};
  const std::vector<double> logprobs{-0.5, -2.0};
  const std::string table = rl::token_table({tokens, trained, logprobs, 0.25, {12, 345}}, nullptr, 48);
  CHECK(contains(table, "logprob    kept advantage"));
  CHECK(contains(table, "      0       7  1       -0.5000      12   +0.2500"));
  CHECK(contains(table, "      1       8  0             -       -         -"));
  CHECK(contains(table, "      2       9  1       -2.0000     345   +0.2500"));
}

TEST_CASE("a long table keeps its beginning and its last eight tokens, with their own log-probabilities", "[rollouts]") {
  std::vector<int32_t> tokens(100);
  const std::vector<uint8_t> trained(100, 1);
  std::vector<double> logprobs(100);
  for (int i = 0; i < 100; ++i) tokens[static_cast<size_t>(i)] = i, logprobs[static_cast<size_t>(i)] = -i;
  const std::string table = rl::token_table({tokens, trained, logprobs, {}}, nullptr, 20);
  CHECK(std::count(table.begin(), table.end(), '\n') == 1 + 20 + 1);   // heading, 12 + 8 tokens, the gap
  CHECK(contains(table, "     11      11  1      -11.0000"));
  CHECK_FALSE(contains(table, "-12.0000"));
  CHECK(contains(table, "     92      92  1      -92.0000"));
}
