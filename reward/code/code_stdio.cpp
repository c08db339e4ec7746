// `code_stdio`: 1 if the program prints what it should for each input (Codeforces, AtCoder).
//
// Each input is a fresh run in the sandbox; a C++ program is compiled once. The expected output never enters the sandbox: the
// comparison is made here (checker.h). The first test that fails ends the work, unless partial = true.

#include <fmt/core.h>

#include <algorithm>

#include "reward/builtins.h"
#include "reward/code/checker.h"
#include "reward/code/code_reward.h"
#include "reward/code/program.h"
#include "reward/item_reward.h"

namespace reward::code {
namespace {

using sandbox::Job;
using sandbox::Verdict;

struct StdioOptions {
  std::string language;  // python, cpp or any
  Checker checker;
  bool partial = false;
};

class CodeStdioReward : public CodeReward {
 public:
  CodeStdioReward(RunOptions run, StdioOptions options)
      : CodeReward("code_stdio", std::move(run)), options_(std::move(options)) {}

  std::string check_answer(const std::string& answer) override { return read_stdio_gold(answer).problem; }

  std::string self_test() override {
    if (const auto missing = missing_walls(); !missing.empty()) return missing;
    const std::string gold = R"({"inputs": ["2 3\n", "5 6\n"], "outputs": ["5\n", "11\n"]})";
    if (options_.language == "cpp") {
      const std::string begin = "```cpp\n#include <cstdio>\nint main() { int a, b; scanf(\"%d%d\", &a, &b); printf(\"%d\\n\", ";
      return check_examples(*this, {{begin + "a + b); }\n```", gold, Status::scored, 1},
                                    {begin + "a - b); }\n```", gold, Status::scored, 0}});
    }
    return check_examples(*this, {{"```python\nprint(sum(map(int, input().split())))\n```", gold, Status::scored, 1},
                                  {"```python\nprint(7)\n```", gold, Status::scored, 0},
                                  {"<think>print(5)", gold, Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item, Deadline deadline) override {
    const auto gold = read_stdio_gold(item.answer);
    if (!gold.problem.empty()) return unscored(Status::not_applicable, gold.problem, "unreadable_gold");
    const auto language = gold.language.value_or(language_for(item));
    const auto program = find_program(item, language);
    if (!program) return no_answer("no program", "no_program");
    Job job;
    job.limits = limits_for(gold.limits);
    if (language == Language::cpp) {
      auto compiled = compile(program->text, deadline);
      if (!compiled.problem.empty()) return scored(0, "compile_error: " + compiled.problem, "compile_error", program->text);
      job.runtime = Job::Runtime::native;
      job.files = {{"program", std::move(compiled.binary)}};
    } else {
      job.runtime = Job::Runtime::python;
      job.files = {{"main.py", program->text}};
    }
    return run_tests(std::move(job), gold, program->text, deadline);
  }

 private:
  Language language_for(const Item& item) const {
    if (options_.language == "any") return language_of(item, Language::python);
    return options_.language == "cpp" ? Language::cpp : Language::python;
  }

  struct Compiled {
    std::string binary, problem;
  };
  Compiled compile(const std::string& text, Deadline deadline) {
    Job job;
    job.runtime = Job::Runtime::compile_cpp;
    job.files = {{"main.cpp", text}};
    job.arguments = {"-O2"};
    job.limits.cpu_seconds = 10;  // of the compiler, whose appetite is not the task's
    job.limits.wall_seconds = 20;
    job.limits.memory_mb = 1024;
    auto result = run(std::move(job), deadline);
    if (result.verdict == Verdict::ok && !result.program.empty()) return {std::move(result.program), ""};
    const auto line = result.errors.substr(0, std::min<size_t>(result.errors.find('\n'), 200));
    if (result.verdict == Verdict::runtime_error) return {"", line};
    return {"", fmt::format("{} {}", sandbox::name_of(result.verdict), line)};
  }

  Outcome run_tests(Job job, const StdioGold& gold, const std::string& text, Deadline deadline) {
    const auto checker = gold.checker.empty() ? options_.checker : parse_checker(gold.checker);
    size_t right = 0;
    std::string verdict = "ok", first_failure;  // of the first test that fails
    for (size_t i = 0; i < gold.inputs.size(); ++i) {
      job.input = gold.inputs[i];
      // Room for what must be printed, and for as much again; more is an output_limit.
      job.limits.output_bytes = std::max<int64_t>(1 << 20, 2 * static_cast<int64_t>(gold.outputs[i].size()));
      const auto result = run(job, deadline);
      const bool ended = result.verdict == Verdict::ok;
      if (ended && accepts(checker, result.output, gold.outputs[i])) {
        ++right;
        continue;
      }
      if (first_failure.empty()) {
        verdict = ended ? "wrong_answer" : sandbox::name_of(result.verdict);
        first_failure = fmt::format("{}: test {}", verdict, i + 1);
      }
      if (!options_.partial) break;
    }
    const auto tests = gold.inputs.size();
    if (right == tests) return scored(1, fmt::format("ok: {} tests", tests), verdict, text);
    if (!options_.partial) return scored(0, first_failure, verdict, text);
    return scored(static_cast<double>(right) / static_cast<double>(tests),
                  fmt::format("{}, {} of {} right", first_failure, right, tests), verdict, text);
  }

  const StdioOptions options_;
};

}  // namespace
}  // namespace reward::code

namespace reward {

std::unique_ptr<Reward> make_code_stdio(const Options& options) {
  code::StdioOptions stdio{options.text("language"), code::parse_checker(options.text("checker")), options.flag("partial")};
  return std::make_unique<code::CodeStdioReward>(code::read_run_options(options), std::move(stdio));
}

std::vector<OptionInfo> code_stdio_options() {
  auto options = code::run_options();
  options.push_back({"language", "python", "of the programs; any: by the name of the last block; a gold may set it",
                     {"python", "cpp", "any"}});
  options.push_back({"checker", "tokens", "tokens, lines, exact, unordered_lines, yes_no or float:1e-6; a gold may set it", {}});
  options.push_back(flag_option("partial", false, "the share of tests that pass; false: 1 if all pass, else 0"));
  return options;
}

}  // namespace reward
