#include <fmt/core.h>

#include <algorithm>

#include "reward/item_reward.h"
#include "reward/plugins/plugins.h"
#include "reward/plugins/process_reward.h"
#include "reward/plugins/worker_pool.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

class ProcessReward : public Reward {
 public:
  ProcessReward(const Settings& settings, const std::vector<std::string>& command)
      : settings_(settings),
        pool_({settings.name, command, settings.options, std::chrono::milliseconds(settings.start_timeout_ms)},
              settings.workers) {}

  const std::string& name() const override { return settings_.name; }

  std::vector<Outcome> score(const std::vector<Item>& items, Clock::time_point deadline) override {
    return pool_.score(items, std::min(deadline, Clock::now() + std::chrono::milliseconds(settings_.timeout_ms)));
  }

  // The handshake and a ping.
  std::string self_test() override {
    return pool_.check(Clock::now() + std::chrono::milliseconds(settings_.start_timeout_ms + settings_.timeout_ms));
  }
  std::string check_answer(const std::string&) override { return ""; }  // only the program knows

  std::string version() const override {
    const auto hello = pool_.hello();
    if (!hello) return settings_.kind;
    return fmt::format("{} {} {}, protocol {}", settings_.kind, hello->name, hello->version, protocol::number);
  }

 private:
  Settings settings_;
  WorkerPool pool_;
};

}  // namespace

std::unique_ptr<Reward> make_worker_reward(const Settings& settings, const std::vector<std::string>& command) {
  return std::make_unique<ProcessReward>(settings, command);
}

std::unique_ptr<Reward> make_process_reward(const Settings& settings) { return make_worker_reward(settings, settings.command); }

}  // namespace reward
