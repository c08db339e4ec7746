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

TEST_CASE("a pattern that never comes to an end gives up with an error", "[regex]") {
  const Regex slow("(a+)+$");
  CHECK_THROWS_AS(slow.find(std::string(60, 'a') + "b", 0), kernels::Error);
}

TEST_CASE("a long run fits the stack", "[regex]") {
  const std::string text(1 << 20, ' ');
  const auto m = Regex(R"(\s+(?!\S)|\s+)").find(text + "x", 0);
  CHECK(m.end == text.size() - 1);
}
