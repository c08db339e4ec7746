// Runs grader_attacks.txt: every attack gets 0, the honest program of its task 1, before and after them.
#include <fstream>

#include "tests/reward/code/support.h"
#include "tests/support/source_dir.h"

namespace {

struct Task {
  std::string gold, honest;
  std::vector<Case> attacks;
};

// Text between the sections (a blank line, then a line that starts with a capital letter and ends in a full stop) is prose.
bool is_prose(const std::string& line) {
  return line.size() > 1 && line[0] >= 'A' && line[0] <= 'Z' && line.back() == '.';
}

std::vector<Task> read_attacks() {
  std::ifstream file(testing::source_dir() + "/tests/reward/code/grader_attacks.txt");
  REQUIRE(file);
  std::vector<Task> tasks;
  std::string* program = nullptr;
  const std::string task = "== task ";
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(task, 0) == 0) {
      tasks.push_back({line.substr(task.size()), "", {}});
      program = nullptr;
    } else if (line == "== honest") {
      program = &tasks.back().honest;
    } else if (line.rfind("== ", 0) == 0) {
      tasks.back().attacks.push_back({line.substr(3), "", tasks.back().gold, 0, ""});
      program = &tasks.back().attacks.back().completion;
    } else if (program && !is_prose(line)) {
      *program += line + "\n";
    }
  }
  return tasks;
}

}  // namespace

TEST_CASE("no attack on the grader is paid, and the program after it is judged as ever", "[attack]") {
  auto reward = make("code_function", {{"timeout", "1"}});
  if (!sandbox_stands(*reward)) return;
  size_t attacks = 0;
  std::vector<Case> cases;
  for (auto& task : read_attacks()) {
    cases.push_back({"honest, before", python_block(task.honest), task.gold, 1, "ok"});
    for (auto& attack : task.attacks) {
      ++attacks;
      attack.completion = python_block(attack.completion);
      cases.push_back(std::move(attack));
    }
    cases.push_back({"honest, after", python_block(task.honest), task.gold, 1, "ok"});
  }
  REQUIRE(attacks > 90);
  check_cases(*reward, cases);
}

TEST_CASE("weak tests still refuse an early end and a forged end", "[attack]") {
  auto reward = make("code_function", {{"timeout", "1"}});
  if (!sandbox_stands(*reward)) return;
  const auto gold = asserts({"xs = [2, 1]\nfix(xs)\nassert xs == [1, 2]"});
  check_cases(*reward, {
    {"honest", python_block("def fix(xs):\n    xs.sort()"), gold, 1, "ok: 0 checks (weak"},
    {"exit", python_block("import sys\ndef fix(xs):\n    sys.exit(0)"), gold, 0, "runtime_error: SystemExit"},
    {"_exit", python_block("import os\ndef fix(xs):\n    os._exit(0)"), gold, 0, "runtime_error: ended before"},
    {"prints the end", python_block("import os\nos.write(3, b'tests T\\n')\ndef fix(xs):\n    pass"), gold, 0, "wrong_answer"},
    {"does nothing", python_block("def fix(xs):\n    pass"), gold, 0, "wrong_answer: an assert"},
  });
}
