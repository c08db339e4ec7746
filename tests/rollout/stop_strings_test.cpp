#include "rollout/stop_strings.h"

#include "kernels/error.h"
#include "tests/support/catch.h"

using rollout::StopStrings;

namespace {

// Index of the token at which a stop string is found, and the string; {-1, ""} if none.
std::pair<int, std::string> stop_at(const StopStrings& strings, const std::vector<std::string>& tokens) {
  std::string tail;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (const std::string* found = strings.find(tail, tokens[i])) return {static_cast<int>(i), *found};
  return {-1, ""};
}

}  // namespace

TEST_CASE("a stop string inside one token ends there", "[stop_strings]") {
  CHECK(stop_at(StopStrings({"END"}), {"abc", "xENDy", "z"}) == std::make_pair(1, std::string("END")));
}

TEST_CASE("a stop string across three tokens ends at the last of them", "[stop_strings]") {
  CHECK(stop_at(StopStrings({"</answer>"}), {"42 </", "ans", "wer", ">", "x"}) == std::make_pair(3, std::string("</answer>")));
}

TEST_CASE("a string that is begun twice is found", "[stop_strings]") {
  // "aab" in "a a a b": the search must not forget the second start.
  CHECK(stop_at(StopStrings({"aab"}), {"a", "a", "a", "b"}) == std::make_pair(3, std::string("aab")));
}

TEST_CASE("a character whose bytes come in separate tokens is matched on its bytes", "[stop_strings]") {
  // U+20AC is E2 82 AC.
  const std::string euro = "\xE2\x82\xAC";
  CHECK(stop_at(StopStrings({euro}), {"1\xE2", "\x82", "\xAC!", "x"}) == std::make_pair(2, euro));
}

TEST_CASE("of several strings the one that ends first counts, then the first in the list", "[stop_strings]") {
  CHECK(stop_at(StopStrings({"abcd", "bc"}), {"xabcd"}).second == "bc");
  CHECK(stop_at(StopStrings({"abc", "bc"}), {"xabcd"}).second == "abc");
  CHECK(stop_at(StopStrings({"bc", "abc"}), {"xabcd"}).second == "bc");
}

TEST_CASE("a near miss and an empty token find nothing", "[stop_strings]") {
  CHECK(stop_at(StopStrings({"stop"}), {"sto", "", "q", "s", "top"}).first == 4);
  CHECK(stop_at(StopStrings({"stop"}), {"st", "", "op"}).first == 2);
  CHECK(stop_at(StopStrings({"stop"}), {"sto", "pq"}).first == 1);
  CHECK(stop_at(StopStrings({"stop"}), {"sto", "x", "p"}).first == -1);
  CHECK(stop_at(StopStrings({}), {"stop"}).first == -1);
}

TEST_CASE("the memory of a completion stays shorter than the longest stop string", "[stop_strings]") {
  const StopStrings strings({"12345", "xy"});
  std::string tail;
  for (int i = 0; i < 1000; ++i) {
    CHECK(strings.find(tail, "abcdefgh") == nullptr);
    CHECK(tail.size() == 4);
  }
}

TEST_CASE("an empty stop string is refused", "[stop_strings]") {
  CHECK_THROWS_AS(StopStrings({"a", ""}), kernels::UsageError);
}

TEST_CASE("any cut of a text into tokens finds the stop at the token that holds its last byte", "[stop_strings]") {
  const std::string text = "so 7+5=12 </think><answer>12</answer> and more";
  const StopStrings strings({"</answer>"});
  const size_t last = text.find("</answer>") + 8;
  for (size_t width = 1; width <= text.size(); ++width) {
    std::vector<std::string> tokens;
    for (size_t i = 0; i < text.size(); i += width) tokens.push_back(text.substr(i, width));
    CHECK(stop_at(strings, tokens).first == static_cast<int>(last / width));
  }
}
