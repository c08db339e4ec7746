// Base of the rewards that run the completion: one sandbox, options, deadlines, several items at a time.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "reward/code/gold.h"
#include "reward/options.h"
#include "reward/reward.h"
#include "reward/sandbox/sandbox.h"

namespace reward::code {

using Deadline = std::chrono::steady_clock::time_point;

// Options that both rewards have.
struct RunOptions {
  double timeout_s = 3;            // of CPU, for one run of a program; the wall clock gets twice that and a second
  int64_t memory_mb = 512;
  int64_t parallel = 2;            // programs at a time
  std::vector<std::string> allow_missing_walls;
};
std::vector<OptionInfo> run_options();
// Throws Error for a number out of its range.
RunOptions read_run_options(const Options& options);

class CodeReward : public Reward {
 public:
  CodeReward(std::string name, RunOptions options) : name_(std::move(name)), options_(std::move(options)) {}
  const std::string& name() const final { return name_; }
  // Items are scored `parallel` at a time. What could not run, or not as long as it may, by the deadline is `timeout`; an item
  // whose sandbox fails is `infra_error`, alone.
  std::vector<Outcome> score(const std::vector<Item>& items, Deadline deadline) final;

 protected:
  virtual Outcome score_one(const Item& item, Deadline deadline) = 0;

  std::string missing_walls();  // empty: programs can be run here
  sandbox::Limits limits_for(const GoldLimits& gold) const;
  // Throws Error if too few walls stand, std::runtime_error for a sandbox_error, Overdue if the deadline cut the run short.
  sandbox::Result run(sandbox::Job job, Deadline deadline);
  struct Overdue {};

 private:
  Outcome score_safely(const Item& item, Deadline deadline);
  sandbox::Sandbox& sandbox();  // raised at the first use, so that a list of rewards needs no walls

  const std::string name_;
  const RunOptions options_;
  std::mutex mutex_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
};

}  // namespace reward::code
