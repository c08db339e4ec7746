// repetition, language, random and constant: rewards that look at the text alone, or not even at that.
#include <set>

#include "reward/scripts.h"
#include "tests/reward/support.h"

using Catch::Matchers::WithinAbs;

namespace {

double value(const std::string& name, const std::string& text, OptionList options = {}) {
  auto made = make(name, std::move(options));
  const auto outcome = score_one(*made, item(text, ""));
  INFO(text << ": " << outcome.detail);
  REQUIRE(outcome.status == reward::Status::scored);
  return outcome.value;
}

double repetition(const std::string& text, const char* n = "2") { return value("repetition", text, {{"n", n}}); }
double language(const std::string& text, const char* script) { return value("language", text, {{"script", script}}); }

}  // namespace

TEST_CASE("repetition is the share of n-grams that were said before", "[repetition]") {
  // "a b a b a": pairs ab, ba, ab, ba: 2 different of 4. Words: a, b of 5: 1 - 2/5.
  REQUIRE(repetition("a b a b a") == -0.5);
  REQUIRE_THAT(repetition("a b a b a", "1"), WithinAbs(-0.6, 1e-12));
  REQUIRE_THAT(repetition("a b a b a", "3"), WithinAbs(-1.0 / 3, 1e-12));  // aba, bab, aba
  REQUIRE(repetition("a b a b a", "5") == 0.0);
  REQUIRE(repetition("a b a b a", "6") == 0.0);  // fewer than n words
  REQUIRE(repetition("one two three four") == 0.0);
  REQUIRE(repetition("") == 0.0);
  REQUIRE(value("repetition", "a b a b a", {{"n", "2"}, {"max_penalty", "-0.2"}}) == -0.1);
}

TEST_CASE("words are told apart by white space, and not by the case of their letters", "[repetition]") {
  REQUIRE(repetition("Wait, no\nwait,\t NO ") == repetition("wait, no wait, no"));
  REQUIRE_THAT(repetition("wait, no wait, no"), WithinAbs(-1.0 / 3, 1e-12));  // pairs: 2 of 3
  REQUIRE(repetition("ab c a bc") == 0.0);
}

TEST_CASE("a text without spaces cannot repeat itself unseen", "[repetition]") {
  // Each character is a word. "\u6211\u662f" three times: pairs 01, 10, 01, 10, 01: 2 of 5 are different.
  REQUIRE_THAT(repetition("\u6211\u662f\u6211\u662f\u6211\u662f"), WithinAbs(-0.6, 1e-12));
  REQUIRE(repetition("\u6211\u662f") == 0.0);
}

TEST_CASE("a script is found for letters, and for nothing else", "[language]") {
  using reward::script_of;
  REQUIRE(script_of(U'a') == "latin");
  REQUIRE(script_of(U'Z') == "latin");
  REQUIRE(script_of(0xe9) == "latin");   // e with acute accent
  REQUIRE(script_of(0x3c0) == "greek");  // pi
  REQUIRE(script_of(0x436) == "cyrillic");
  REQUIRE(script_of(0x5d0) == "hebrew");
  REQUIRE(script_of(0x627) == "arabic");
  REQUIRE(script_of(0x905) == "devanagari");
  REQUIRE(script_of(0xe01) == "thai");
  REQUIRE(script_of(0x3042) == "kana");
  REQUIRE(script_of(0x30a2) == "kana");
  REQUIRE(script_of(0x4e2d) == "han");
  REQUIRE(script_of(0x20000) == "han");
  REQUIRE(script_of(0xac00) == "hangul");
  for (const char32_t none : {U'0', U' ', U'@', U'[', U'{', char32_t{0xd7}, char32_t{0xf7}, char32_t{0x2212},
                              char32_t{0x3002}, char32_t{0xff0c}, char32_t{0x1f600}, char32_t{0xfffd}, char32_t{0x10ffff}})
    CHECK(script_of(none) == "");
}

TEST_CASE("code points are read from UTF-8, and a wrong byte is taken alone", "[language]") {
  const std::string text = "a\u00e9\u4e2d\U0001f600";
  size_t at = 0;
  REQUIRE(reward::next_code_point(text, at) == U'a');
  REQUIRE(reward::next_code_point(text, at) == 0xe9);
  REQUIRE(reward::next_code_point(text, at) == 0x4e2d);
  REQUIRE(reward::next_code_point(text, at) == 0x1f600);
  REQUIRE(at == text.size());
  // Cut short, overlong, a surrogate, beyond the last, a follower alone.
  for (const std::string bad :
       {"\xe4\xb8", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xff"}) {
    at = 0;
    CHECK(reward::next_code_point(bad, at) == 0xfffd);
    CHECK(at == 1);
  }
}

TEST_CASE("language is the share of letters in the wanted script", "[language]") {
  REQUIRE(language("so x is 12", "latin") == 1.0);
  REQUIRE(language("so x is 12", "han") == 0.0);
  REQUIRE(language("\u6240\u4ee5 x = 12", "han") == 2.0 / 3);  // two Han letters and one Latin
  REQUIRE(language("\u6240\u4ee5 \u3067\u3059", "han") == 0.5);
  REQUIRE(language("\u6240\u4ee5 \u3067\u3059", "han,kana") == 1.0);
  REQUIRE(language("", "latin") == 0.0);
  REQUIRE(language("12 + 3 = 15", "latin") == 0.0);
  REQUIRE(language("\xff\xfe a", "latin") == 1.0);
}

TEST_CASE("language leaves out code, math, commands and tags", "[language]") {
  const std::string han = "\u6240\u4ee5";
  for (const char* skipped :
       {"$ab+c$", "$$ab$$", "\\(ab\\)", "\\[ab\\]", "`ab`", "```python\nab\n```", "\\frac", "<think>", "</answer>"}) {
    INFO(skipped);
    CHECK(language(han + " " + skipped + " " + han, "han") == 1.0);
  }
  REQUIRE(language(han + "```ab", "han") == 1.0);          // a fence that is not closed
  REQUIRE(language("\u6240 costs $5", "han") == 1.0 / 6);  // a dollar alone is money
  REQUIRE(language("\u6240 \\(ab", "han") == 1.0 / 3);     // nor does an opening without its end hide the rest
  REQUIRE(language("\u6240 $" + std::string(300, 'b') + "$", "han") == 1.0 / 301);  // nor dollars that are far apart
}

TEST_CASE("language below `least` is worth nothing", "[language]") {
  const OptionList options = {{"script", "latin"}, {"least", "0.75"}};
  REQUIRE(value("language", "abc\u6240", options) == 0.75);
  REQUIRE(value("language", "ab\u6240", options) == 0.0);
}

TEST_CASE("random follows from seed, prompt, group and sample, and from nothing else", "[random]") {
  auto random = make("random");
  std::set<std::vector<double>> rows;
  for (int which = 0; which < 4; ++which) {
    auto reward = make("random", {{"seed", which == 3 ? "1" : "0"}});
    std::vector<double> row;
    for (int64_t i = 0; i < 64; ++i) {
      auto it = item(i % 2 ? "right" : "wrong", "1");
      it.prompt_id = which == 0 ? i : 7;
      it.group_id = which == 1 ? i : 7;
      it.sample_index = which >= 2 ? i : 7;
      row.push_back(score_one(*reward, it).value);
      it.completion = "other";
      it.answer = "2";
      REQUIRE(score_one(*reward, it).value == row.back());
    }
    rows.insert(row);
  }
  REQUIRE(rows.size() == 4);
}

TEST_CASE("random gives 1 with the probability that was asked for", "[random]") {
  auto random = make("random", {{"share", "0.3"}});
  int ones = 0;
  for (int64_t i = 0; i < 10000; ++i) {
    auto it = item("", "");
    it.prompt_id = i / 8;
    it.sample_index = i % 8;
    ones += score_one(*random, it).value == 1.0;
  }
  // Mean 3000, standard deviation sqrt(10000 * 0.3 * 0.7) = 46; five of them.
  REQUIRE(std::abs(ones - 3000) < 230);
  REQUIRE(value("random", "", {{"share", "0"}}) == 0.0);
  REQUIRE(value("random", "", {{"share", "1"}}) == 1.0);
}

TEST_CASE("constant is constant", "[random]") {
  REQUIRE(value("constant", "") == 1.0);
  REQUIRE(value("constant", "anything", {{"value", "-0.25"}}) == -0.25);
}
