// What the data says of a code task: the JSON text of an item's answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reward/code/program.h"

namespace reward::code {

// Limits that a gold may set; the reward's options hold otherwise.
struct GoldLimits {
  std::optional<double> timeout_s;   // "timeout": seconds of CPU for one run
  std::optional<int64_t> memory_mb;  // "memory_mb"
};

// {"tests": "...", "entry_point"?: "f", "setup"?: "import math", "prompt"?: "def f(x):\n"}: `tests` is Python text, or a list of
// such texts: def check(candidate), def test_...(), or asserts.
struct FunctionGold {
  std::string problem;  // empty: read
  std::string tests, entry_point, setup, prompt;
  GoldLimits limits;
};
FunctionGold read_function_gold(const std::string& answer);

// {"inputs": [...], "outputs": [...], "checker"?: "float:1e-6", "language"?: "cpp"}: texts, or lists of lines; as many outputs
// as inputs, at least one.
struct StdioGold {
  std::string problem;
  std::vector<std::string> inputs, outputs;
  std::string checker;
  std::optional<Language> language;
  GoldLimits limits;
};
StdioGold read_stdio_gold(const std::string& answer);

}  // namespace reward::code
