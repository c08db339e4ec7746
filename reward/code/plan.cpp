#include "reward/code/plan.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "reward/code/scripts.h"

namespace reward::code {
namespace {

using Json = nlohmann::json;

constexpr size_t most_plans = 20000;  // then all are forgotten and made again

sandbox::Job job_for(const FunctionGold& gold, const Plan* plan, const std::vector<std::string>& values) {
  Json request = {{"tests", gold.tests}, {"entry_point", gold.entry_point}, {"setup", gold.setup}, {"prompt", gold.prompt}};
  if (plan) {
    request["calls"] = Json::parse(plan->calls_json);
    request["answers"] = values;
  }
  sandbox::Job job;
  job.files = {{"main.py", plan_script()}};
  job.input = request.dump(-1, ' ', true, Json::error_handler_t::replace);
  job.result_channel = true;
  job.limits.wall_seconds = 20;
  job.limits.cpu_seconds = 10;
  job.limits.output_bytes = int64_t{64} << 20;
  return job;
}

// A check that this code does not know is left to Python.
Check read_check(const Json& json) {
  Check check;
  const auto op = json.is_array() && !json.empty() && json[0].is_string() ? operator_named(json[0].get<std::string>())
                                                                          : std::nullopt;
  if (!op) return check;
  check.op = *op;
  if (*op == Check::Op::call || *op == Check::Op::raises) {
    check.call = json.at(1).get<int64_t>();
    for (size_t i = 2; i < json.size(); ++i) check.kinds.push_back(json[i].get<std::string>());
    return check;
  }
  if (*op == Check::Op::constant) {
    auto value = read_value(json.at(1).get<std::string>());
    if (!value) return {};
    check.constant = std::move(*value);
    return check;
  }
  for (size_t i = 1; i < json.size(); ++i) {
    check.arguments.push_back(read_check(json[i]));
    if (check.arguments.back().op == Check::Op::python) return {};
  }
  return check;
}

}  // namespace

Plan Planner::make(const FunctionGold& gold) {
  const auto result = run_(job_for(gold, nullptr, {}));
  Plan plan;
  const auto json = Json::parse(result.channel, nullptr, false);
  if (result.verdict != sandbox::Verdict::ok || !json.is_object()) {
    plan.problem = fmt::format("the tests do not run without a candidate: {} {}", sandbox::name_of(result.verdict),
                               result.errors.substr(0, 200));
    return plan;
  }
  if (json.contains("error")) {
    plan.problem = json["error"].get<std::string>();
    return plan;
  }
  plan.entry_point = json.at("entry_point").get<std::string>();
  for (const auto& call : json.at("calls")) plan.may_raise.push_back(call.at("may_raise").get<bool>());
  plan.calls_json = json.at("calls").dump();
  for (const auto& check : json.at("checks")) plan.checks.push_back(read_check(check));
  plan.weak = json.at("why").get<std::vector<std::string>>();
  plan.weak_json = Json{{"functions", json.at("test_functions")}, {"calls_check", json.at("calls_check")}}.dump();
  return plan;
}

std::shared_ptr<const Plan> Planner::plan(const FunctionGold& gold, const std::string& key) {
  std::promise<std::shared_ptr<const Plan>> promise;
  std::unique_lock lock(mutex_);
  if (const auto found = plans_.find(key); found != plans_.end()) {
    const auto made = found->second;
    lock.unlock();
    return made.get();
  }
  if (plans_.size() >= most_plans) plans_.clear();
  const auto made = plans_.emplace(key, promise.get_future().share()).first->second;
  lock.unlock();
  try {
    promise.set_value(std::make_shared<const Plan>(make(gold)));
  } catch (...) {
    promise.set_exception(std::current_exception());
    lock.lock();
    plans_.erase(key);
  }
  return made.get();
}

std::vector<bool> Planner::judge(const FunctionGold& gold, const Plan& plan, const std::vector<std::string>& values) {
  const auto result = run_(job_for(gold, &plan, values));
  // Values that take too much processor time or memory to compare are the candidate's doing; a slow host is not.
  if (result.verdict == sandbox::Verdict::timeout_wall) throw std::runtime_error("judging the values missed its deadline");
  if (result.verdict != sandbox::Verdict::ok) return std::vector<bool>(plan.checks.size(), false);
  const auto json = Json::parse(result.channel, nullptr, false);
  if (!json.is_object() || json.contains("error") || json.at("verdicts").size() != plan.checks.size())
    throw std::runtime_error("the tests of the gold do other things each time they run");
  return json.at("verdicts").get<std::vector<bool>>();
}

}  // namespace reward::code
