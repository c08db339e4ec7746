// Where in a completion the program stands, and what is run of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reward/reward.h"

namespace reward::code {

enum class Language { python, cpp };

struct Program {
  std::string text;
  bool fenced = false;  // from a block or from answer tags; else the whole completion
};

// After the thinking: the last block fenced with the language's name (```python, ```py, ```cpp, ```c++, ...), else the last one
// without a name, both inside <answer> first; else the text in <answer>; else all. A block that is never closed runs to the
// end; one that the prompt opened ends at the first fence. Nothing if what is found is blank.
std::optional<Program> find_program(const Item& item, Language language);

// The language of the last named block, for a task that takes any of them; `fallback` if none is named.
Language language_of(const Item& item, Language fallback);

// What the candidate's process runs: first the prompt alone (a stub that brings imports and helpers), then the code.
struct Source {
  std::string prompt, code;
};
// HumanEval: the model goes on with the prompt's function. A program that defines `entry_point` at the left margin stands
// alone, after the stub. Anything else is appended to the prompt; unfenced, it ends where lm-evaluation-harness stops sampling
// (a new line with class, def, #, if or print at the margin), since what a base model writes next is no part of its answer.
// Without a prompt (MBPP) the program is the text, up to a [DONE].
Source join_prompt(const Program& program, const std::string& prompt, const std::string& entry_point);

}  // namespace reward::code
