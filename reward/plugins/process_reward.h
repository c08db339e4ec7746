// A reward in worker processes that run `command` and speak the protocol.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reward/reward.h"

namespace reward {

std::unique_ptr<Reward> make_worker_reward(const Settings& settings, const std::vector<std::string>& command);

}  // namespace reward
