#include "model/tokenizer/regex.h"

#include "tests/model/golden.h"
#include "tests/support/catch.h"

using model::Regex;

TEST_CASE("white space is that of Hugging Face's engine: U+180E is none", "[regex]") {
  const Regex space(R"(\s)"), other(R"(\S)"), neither(R"([^\S\n])");
  CHECK_FALSE(space.find("\u180e", 0).found);
  CHECK(other.find("\u180e", 0).found);
  for (const char* text : {" ", "\t", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000"}) {
    CHECK(space.find(text, 0).found);
    CHECK_FALSE(other.find(text, 0).found);
    CHECK(neither.find(text, 0).found);
  }
  CHECK_FALSE(neither.find("\nx", 0).found);
}

TEST_CASE("an escaped backslash before s stays a backslash", "[regex]") {
  CHECK(model::translate_regex(R"(\\s\d)", "") == R"(\\s\d)");
  CHECK(Regex(R"(\\s)").find("x\\s", 0).begin == 1);
}

TEST_CASE("a pattern that is not valid is named", "[regex]") {
  CHECK_THAT(golden::error_of([] { Regex("(a"); }), Catch::Matchers::Contains("regular expression \"(a\": is not valid"));
}

TEST_CASE("what Oniguruma reads in another way is translated or refused", "[regex]") {
  CHECK(Regex(R"(\w+)").find("\u0301a_\u0661-", 0).end == 6);  // a mark is of a word; PCRE2 alone says no
  for (const char* pattern : {"[a-z&&[^b]]", "[a[bc]]", R"(\h)", R"(\p{N}{1,3}+)", R"([\W])"})
    CHECK_THAT(golden::error_of([&] { Regex{pattern}; }), Catch::Matchers::Contains("is not supported"));
  CHECK(Regex(R"(\p{L}+[[:digit:]]\[x\]])").find("ab1[x]]", 0).found);
}

TEST_CASE("anchors stand at every line, as in Ruby", "[regex]") {
  CHECK(Regex(R"(\s+$)").find("a  \n b", 0).begin == 1);
  CHECK(Regex(R"(\s+$)").find("a  \n b", 0).end == 3);  // the break itself is followed by a space, which no line ends after
  CHECK(Regex("^b").find("a\nb", 0).begin == 2);
  CHECK_FALSE(Regex("a$").find("a\r", 0).found);
  CHECK_FALSE(Regex(R"(a\z)").find("a\n", 0).found);
}

TEST_CASE("classes hold what Oniguruma's hold", "[regex]") {
  const auto takes = [](const char* pattern, const char* text) { return Regex(pattern).find(text, 0).found; };
  for (const char* text : {"\u00b2", "\u00bd", "\u24b6"}) CHECK((takes(R"(\w)", text) && !takes(R"(\W)", text)));
  CHECK_FALSE(takes(R"(\w)", "\u2074"));  // superscript 4 is none, unlike superscript 2
  CHECK((takes(R"(\p{Han})", "\u4e00") && !takes(R"(\p{Han})", "\u3001") && takes(R"(\P{Han})", "\u3001")));
  CHECK((takes(R"([\p{^Han}])", "\u3001") && !takes(R"([\p{^Han}])", "\u4e00")));
  CHECK((takes(R"(\p{Lu})", "A") && !takes(R"(\p{Lu})", "a")));
  CHECK((takes(R"(\v)", "\v") && !takes(R"(\v)", "\n")));
  CHECK(Regex(R"(\b)").find("\u0301-", 0).begin == 0);  // a mark is of a word
  CHECK(Regex(R"(\B)").find("ab", 0).begin == 1);
  CHECK((takes("[[:alpha:]]", "\u0345") && takes("[[:alnum:]]", "\u24b6") && !takes("[[:alnum:]]", "\u00b2")));
  CHECK((takes("[[:word:]]", "\u0301") && !takes("[[:word:]]", "\u00b2") && !takes("[[:space:]]", "\u180e") && !takes("[[:blank:]]", "\n")));
}

TEST_CASE("intervals and options are Ruby's", "[regex]") {
  CHECK(Regex("^a{,2}").find("aaa", 0).end == 2);
  CHECK(Regex("a{,}").find("a{,}", 0).end == 4);
  CHECK(Regex(R"(\x{61}+b)").find("aab", 0).end == 3);
  CHECK(Regex("(?m:a.b)").find("a\nb", 0).found);
  CHECK_FALSE(Regex("(?m-i:a.b)").find("A\nb", 0).found);
  CHECK(Regex("(?i)a|b").find("B", 0).found);
  CHECK_THAT(golden::error_of([] { Regex("a(?i)b|c"); }), Catch::Matchers::Contains("an option such as (?i) that is not at the start"));
}

TEST_CASE("a pattern that never comes to an end gives up with an error", "[regex]") {
  const Regex slow("(a+)+$");
  CHECK_THROWS_AS(slow.find(std::string(60, 'a') + "b", 0), kernels::Error);
}

TEST_CASE("a long run fits the stack", "[regex]") {
  const std::string text(1 << 20, ' ');
  const auto m = Regex(R"(\s+(?!\S)|\s+)").find(text + "x", 0);
  CHECK(m.end == text.size() - 1);
}
