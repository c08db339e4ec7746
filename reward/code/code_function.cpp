// `code_function`: 1 if the function that the completion defines passes the gold's tests (HumanEval, MBPP).
//
// Grading happens outside. plan.py turns the tests into calls and checks. The candidate's process gets the calls with their
// arguments and sends back what they return; the expected values stay here, and so does the comparison.
//
// Why forging gains nothing: the candidate shares its process with the harness, so it can read all of the harness's memory,
// replace any function of it, write to the result channel and end the process. But whatever it does, what counts is the
// list of values that arrives here, and it is compared with values that were never in that process. Sending the right list is
// solving the task. A list that is short, long, out of order or not readable earns 0, whatever the exit code was. The nonce in
// front of each value only tells a forgery from an accident. Values arrive as text of exact built-in types and are compared by
// our own equality, so no method of the candidate is ever called here.
//
// What is left to the candidate is to know the arguments: it can answer known arguments from a table. Only tests that are not
// in the training data help against that.
//
// Tests that cannot be rewritten run as an assert file beside the candidate and end in a secret token (`weak` in the detail):
// a candidate that searches the memory can find the token. allow_weak = false refuses such golds.

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <random>

#include "reward/builtins.h"
#include "reward/code/code_reward.h"
#include "reward/code/plan.h"
#include "reward/code/program.h"
#include "reward/code/scripts.h"
#include "reward/item_reward.h"

namespace reward::code {
namespace {

using Json = nlohmann::json;
using sandbox::Verdict;

// What came through the result channel.
struct Answers {
  std::vector<Value> values;
  std::vector<std::string> texts;
  std::string load_error;    // type of the exception that ended the loading of the program
  std::string tests_error;   // weak: type of the exception that ended the assert file
  bool finished = false;     // weak: its end was reached
  bool forged = false;       // something that the harness does not write
};

std::string new_nonce() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

std::string first_word(const std::string& text) { return text.substr(0, std::min(text.find(' '), size_t{80})); }

// One line: nonce, number of the call or a word, value.
bool read_line(std::string_view line, const std::string& nonce, Answers& answers) {
  if (line.substr(0, nonce.size() + 1) != nonce + " ") return false;
  line.remove_prefix(nonce.size() + 1);
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const auto word = line.substr(0, space), text = line.substr(space + 1);
  auto value = read_value(text);
  if (!value) return false;
  const bool raised = value->kind == Value::Kind::raised;
  if (word == "load" && raised) {
    answers.load_error = first_word(value->text);
  } else if (word == "tests") {
    answers.finished = !raised;
    answers.tests_error = first_word(value->text);
  } else {
    if (word != fmt::format("{}", answers.values.size())) return false;
    answers.values.push_back(std::move(*value));
    answers.texts.emplace_back(text);
  }
  return true;
}

Answers read_channel(std::string_view channel, const std::string& nonce) {
  Answers answers;
  while (!channel.empty() && !answers.forged) {
    const auto end = channel.find('\n');
    if (end == std::string_view::npos) break;  // cut off: the program ended while it wrote
    const bool after_end = answers.finished || !answers.load_error.empty() || !answers.tests_error.empty();
    answers.forged = after_end || !read_line(channel.substr(0, end), nonce, answers);
    channel.remove_prefix(end + 1);
  }
  return answers;
}

class CodeFunctionReward : public CodeReward {
 public:
  CodeFunctionReward(RunOptions options, bool allow_weak)
      : CodeReward("code_function", std::move(options)), allow_weak_(allow_weak),
        planner_([this](const sandbox::Job& job) { return run(job, Deadline::max()); }) {}

  std::string check_answer(const std::string& answer) override {
    const auto gold = read_function_gold(answer);
    if (!gold.problem.empty()) return gold.problem;
    try {
      return problem_of(*planner_.plan(gold, answer));
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  std::string self_test() override {
    if (const auto missing = missing_walls(); !missing.empty()) return missing;
    const std::string gold = R"({"tests": ["assert twice(3) == 6", "assert twice('ab') == 'abab'"]})";
    return check_examples(*this, {{"```python\ndef twice(x):\n    return x * 2\n```", gold, Status::scored, 1},
                                  {"```python\ndef twice(x):\n    return 6\n```", gold, Status::scored, 0},
                                  {"<think>def twice(x): return x * 2", gold, Status::no_answer, 0}});
  }

 protected:
  Outcome score_one(const Item& item, Deadline deadline) override {
    const auto gold = read_function_gold(item.answer);
    if (!gold.problem.empty()) return unscored(Status::not_applicable, gold.problem, "unreadable_gold");
    const auto plan = planner_.plan(gold, item.answer);
    if (const auto problem = problem_of(*plan); !problem.empty())
      return unscored(Status::not_applicable, problem, "unreadable_gold");
    const auto program = find_program(item, Language::python);
    if (!program) return no_answer("no program", "no_program");
    const auto source = join_prompt(*program, gold.prompt, plan->entry_point);
    auto verdict = !plan->may_raise.empty() ? strong_verdict(source, gold, *plan, deadline) : "";
    if (verdict.empty() && !plan->weak.empty()) verdict = weak_verdict(source, gold, *plan, deadline);
    const auto kind = plan->weak.empty() ? "" : fmt::format(" (weak tests: {})", plan->weak[0]);
    if (!verdict.empty()) return scored(0, verdict + kind, verdict.substr(0, verdict.find(':')), source.code);
    return scored(1, fmt::format("ok: {} checks{}", plan->checks.size(), kind), "ok", source.code);
  }

 private:
  std::string problem_of(const Plan& plan) const {
    if (!plan.problem.empty() || plan.weak.empty() || allow_weak_) return plan.problem;
    return fmt::format("not all tests can be graded outside the candidate's process ({}), and allow_weak is false", plan.weak[0]);
  }

  sandbox::Job job_for(Json request, const Source& source, const FunctionGold& gold, const std::string& entry_point) const {
    request["prompt"] = source.prompt;
    request["code"] = source.code;
    request["setup"] = gold.setup;
    request["entry_point"] = entry_point;
    sandbox::Job job;
    job.files = {{"main.py", child_script()}};
    job.input = request.dump(-1, ' ', true, Json::error_handler_t::replace);
    job.result_channel = true;
    job.limits = limits_for(gold.limits);
    job.limits.output_bytes = int64_t{8} << 20;
    return job;
  }

  // Empty if every check holds; else "verdict word: where".
  std::string strong_verdict(const Source& source, const FunctionGold& gold, const Plan& plan, Deadline deadline) {
    const auto nonce = new_nonce();
    const auto job = job_for({{"nonce", nonce}, {"calls", Json::parse(plan.calls_json)}}, source, gold, plan.entry_point);
    const auto result = run(job, deadline);
    const auto answers = read_channel(result.channel, nonce);
    const auto call = answers.values.size();
    if (result.verdict != Verdict::ok) return fmt::format("{}: in call {}", sandbox::name_of(result.verdict), call + 1);
    if (answers.forged) return "wrong_answer: the result channel holds what the harness did not write";
    if (!answers.load_error.empty()) return fmt::format("runtime_error: {} while the program was loaded", answers.load_error);
    for (size_t i = 0; i < std::min(call, plan.may_raise.size()); ++i)
      if (answers.values[i].kind == Value::Kind::raised && !plan.may_raise[i])
        return fmt::format("runtime_error: {} in call {}", first_word(answers.values[i].text), i + 1);
    if (call != plan.may_raise.size()) return fmt::format("runtime_error: ended in call {}", call + 1);
    return wrong_check(gold, plan, answers);
  }

  std::string wrong_check(const FunctionGold& gold, const Plan& plan, const Answers& answers) {
    bool unknown = false;
    for (size_t i = 0; i < plan.checks.size(); ++i) {
      const auto settled = settle(plan.checks[i], answers.values);
      unknown |= settled == Settled::unknown;
      if (settled == Settled::fails) return fmt::format("wrong_answer: test {}", i + 1);
    }
    if (!unknown) return "";
    const auto verdicts = planner_.judge(gold, plan, answers.texts);
    for (size_t i = 0; i < plan.checks.size(); ++i)
      if (!verdicts[i]) return fmt::format("wrong_answer: test {}", i + 1);
    return "";
  }

  std::string weak_verdict(const Source& source, const FunctionGold& gold, const Plan& plan, Deadline deadline) {
    const auto nonce = new_nonce();
    Json request = {{"nonce", nonce}, {"calls", Json::array()}, {"tests", gold.tests}};
    request.update(Json::parse(plan.weak_json));
    const auto result = run(job_for(std::move(request), source, gold, plan.entry_point), deadline);
    const auto answers = read_channel(result.channel, nonce);
    if (result.verdict != Verdict::ok) return fmt::format("{}: in the assert file", sandbox::name_of(result.verdict));
    if (answers.forged) return "wrong_answer: the result channel holds what the harness did not write";
    if (!answers.load_error.empty()) return fmt::format("runtime_error: {} while the program was loaded", answers.load_error);
    if (answers.tests_error == "AssertionError") return "wrong_answer: an assert of the file fails";
    if (!answers.tests_error.empty()) return fmt::format("runtime_error: {} in the assert file", answers.tests_error);
    return answers.finished ? "" : "runtime_error: ended before the end of the assert file";
  }

  const bool allow_weak_;
  Planner planner_;
};

}  // namespace
}  // namespace reward::code

namespace reward {

std::unique_ptr<Reward> make_code_function(const Options& options) {
  return std::make_unique<code::CodeFunctionReward>(code::read_run_options(options), options.flag("allow_weak"));
}

std::vector<OptionInfo> code_function_options() {
  auto options = code::run_options();
  options.push_back(flag_option("allow_weak", true,
                                "tests that only run beside the candidate count; false: such golds are not applicable"));
  return options;
}

}  // namespace reward
