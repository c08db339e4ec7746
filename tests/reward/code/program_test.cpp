#include "reward/code/program.h"

#include "tests/reward/support.h"

using namespace reward::code;

namespace {

std::string found(const std::string& completion, Language language = Language::python, const std::string& prompt = "") {
  const auto program = find_program(item(completion, "", prompt), language);
  return program ? program->text : "nothing";
}

}  // namespace

TEST_CASE("the last block of the language is the program", "[program]") {
  CHECK(found("First:\n```python\na = 1\n```\nBetter:\n```python\nb = 2\nc = 3\n```\nDone.") == "b = 2\nc = 3\n");
  CHECK(found("```py\na\n```") == "a\n");
  CHECK(found("```Python3 title=x\na\n```") == "a\n");
  CHECK(found("```python\na\n```\nIt prints\n```text\n7\n```") == "a\n");
  CHECK(found("```python\na\n```\nIt prints\n```\n7\n```") == "a\n");
  CHECK(found("It reads\n```text\n7\n```\nso\n```\na\n```") == "a\n");
  CHECK(found("```python\na\n```\n```cpp\nb\n```", Language::cpp) == "b\n");
  CHECK(found("```c++\nb\n```\n```python\na\n```", Language::cpp) == "b\n");
}

TEST_CASE("a block may be longer fenced, indented or never closed", "[program]") {
  CHECK(found("````python\na = '''\n```\n'''\n````") == "a = '''\n```\n'''\n");
  CHECK(found("1. So:\n   ```python\n   def f():\n     return 1\n   ```") == "def f():\n  return 1\n");
  CHECK(found("```python\ndef f():\n    return 1") == "def f():\n    return 1\n");
  CHECK(found("```python\r\na\r\n```\r\n") == "a\r\n");
  CHECK(found("`a` and ```b``` in one line") == "`a` and ```b``` in one line");
}

TEST_CASE("what was only thought is no program", "[program]") {
  CHECK(found("<think>```python\na\n```</think>```python\nb\n```") == "b\n");
  CHECK(found("<think>```python\na\n```") == "nothing");
  CHECK(found("```python\na\n```", Language::python, "Question <think>") == "nothing");
  CHECK(found("x</think>```python\na\n```", Language::python, "Question <think>") == "a\n");
}

TEST_CASE("a block in the answer tags comes before one outside, and tags without a block hold the program", "[program]") {
  CHECK(found("<answer>```python\na\n```</answer>\n```python\nb\n```") == "a\n");
  CHECK(found("```python\na\n```\n<answer>see above</answer>") == "a\n");
  CHECK(found("I say <answer>print(1)</answer>") == "print(1)");
  CHECK(found("    return 1\n") == "    return 1\n");
  CHECK(found(" \n\t") == "nothing");
  CHECK(found("```python\n\n```") == "nothing");
  CHECK(found("") == "nothing");
}

TEST_CASE("a block that the prompt opened ends at the first fence", "[program]") {
  const std::string prompt = "Complete it.\n```python\ndef f(x):\n";
  CHECK(found("    return x\n```\nThat is it.", Language::python, prompt) == "    return x\n");
  CHECK(found("    return x\n", Language::python, prompt) == "    return x\n");
  CHECK(found("```python\ndef f(x): return x\n```", Language::python, prompt) == "def f(x): return x\n");
  CHECK(found("a\n```\n```python\nb\n```", Language::python, "An example:\n```\n1 2\n```\n") == "b\n");
}

TEST_CASE("the language of a task that takes any is that of the last named block", "[program]") {
  CHECK(language_of(item("```python\na\n```\n```cpp\nb\n```", ""), Language::python) == Language::cpp);
  CHECK(language_of(item("```cpp\nb\n```\n```py\na\n```", ""), Language::cpp) == Language::python);
  CHECK(language_of(item("```\na\n```", ""), Language::cpp) == Language::cpp);
}

TEST_CASE("a body goes on with the prompt, a whole function stands alone after it", "[program]") {
  const std::string prompt = "import math\n\ndef area(r):\n    \"\"\"Of a circle.\"\"\"\n";
  const std::string whole = "def area(r):\n    return 3 * r * r\n";
  CHECK(join_prompt({"    return 3 * r * r\n", false}, prompt, "area").code == prompt + "    return 3 * r * r\n");
  CHECK(join_prompt({"    return 3 * r * r\n", false}, prompt, "area").prompt.empty());
  CHECK(join_prompt({whole, true}, prompt, "area").code == whole);
  CHECK(join_prompt({whole, true}, prompt, "area").prompt == prompt);
  CHECK(join_prompt({whole, false}, prompt, "").code == whole);
  CHECK(join_prompt({"    return 1\n", true}, prompt, "area").code == prompt + "    return 1\n");
  // area2 and a nested area are other functions.
  CHECK(join_prompt({"def area2(r): return 1\n", true}, prompt, "area").code == prompt + "def area2(r): return 1\n");
  CHECK(join_prompt({"    def area(r): return 1\n", true}, prompt, "area").prompt.empty());
}

TEST_CASE("what a base model writes after its function is cut where lm-evaluation-harness stops sampling", "[program]") {
  const std::string prompt = "def f(x):\n";
  const std::string body = "    # a comment inside\n    return x\n";
  const std::vector<std::string> stops = {"\ndef g():\n", "\nclass A:\n", "\n# Test\n", "\nif __name__ == '__main__':\n",
                                          "\nprint(f(1))", "\n```\n"};
  for (const auto& rest : stops)
    CHECK(join_prompt({body + rest, false}, prompt, "f").code == prompt + body);
  CHECK(join_prompt({"def f(x): return 1\n[DONE]\nmore", false}, "", "").code == "def f(x): return 1\n");
}
