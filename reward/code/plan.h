// What a code_function gold asks of a candidate: calls to make, and checks over what they return.
//
// A trusted script (plan.py) makes the plan in the sandbox, in a job of its own, where no candidate runs.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "reward/code/check.h"
#include "reward/code/gold.h"
#include "reward/sandbox/sandbox.h"

namespace reward::code {

struct Plan {
  std::string problem;              // empty, or why the tests cannot be used
  std::string entry_point;
  std::string calls_json;           // for child.py and for the judge: sources and arguments, no expected value
  std::vector<bool> may_raise;      // one a call: an exception is not yet a failure
  std::vector<Check> checks;
  std::vector<std::string> weak;    // why parts of the tests can only run beside the candidate; empty: none
  std::string weak_json;            // for child.py: how the assert file is run
};

// Runs a job, or throws: what a planner needs of the sandbox.
using RunJob = std::function<sandbox::Result(const sandbox::Job&)>;

// Makes each plan once. Any number of threads may call it.
class Planner {
 public:
  explicit Planner(RunJob run) : run_(std::move(run)) {}
  // `key`: the gold's text. Throws what the run throws, and then keeps nothing.
  std::shared_ptr<const Plan> plan(const FunctionGold& gold, const std::string& key);
  // Settles every check with Python, from the values as text, one a call. A check that does not come to an end with these
  // values fails. Throws std::runtime_error if the tests do other things now than when they were planned.
  std::vector<bool> judge(const FunctionGold& gold, const Plan& plan, const std::vector<std::string>& values);

 private:
  Plan make(const FunctionGold& gold);
  RunJob run_;
  std::mutex mutex_;
  std::map<std::string, std::shared_future<std::shared_ptr<const Plan>>> plans_;
};

}  // namespace reward::code
