// Twenty problems of HumanEval (MIT) and MBPP (CC BY 4.0), their reference solutions and one wrong copy of each. Made by
// tests/support/canonical_code.py; all problems and all flips: tests/end_to_end/long/canonical_code.sh.
#include <fstream>

#include "tests/reward/code/support.h"
#include "tests/support/source_dir.h"

TEST_CASE("reference solutions pass, and with one operator flipped they do not", "[canonical]") {
  auto reward = make("code_function", {{"timeout", "1"}});
  if (!sandbox_stands(*reward)) return;
  std::ifstream file(testing::source_dir() + "/tests/reward/code/canonical_20.jsonl");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    const std::string name = json["name"], gold = json["gold"], right = json["right"], wrong = json["wrong"];
    CHECK(reward->check_answer(gold) == "");
    cases.push_back({name, right, gold, 1, "ok"});
    if (!wrong.empty()) cases.push_back({name + " flipped", wrong, gold, 0, ""});
  }
  REQUIRE(cases.size() >= 35);
  check_cases(*reward, cases);
}
