// A shared library with the interface of reward/plugin.h, loaded into this process.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "reward/plugin.h"
#include "reward/reward.h"

namespace reward {

// Thread-safe: calls to a library that is not take turns, and one whose turn does not come by the deadline is `timeout`. A
// call cannot be stopped; what it gives after the deadline is not used.
class Library {
 public:
  // Throws Error if the file cannot be loaded, has another version of the interface, or refuses the config.
  Library(const std::string& file, const std::vector<std::pair<std::string, std::string>>& config);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  std::vector<Outcome> score(const std::vector<Item>& items, std::chrono::steady_clock::time_point deadline);
  const ponder_reward_plugin& plugin() const { return *plugin_; }
  bool group() const { return (plugin_->flags & PONDER_REWARD_GROUP) != 0; }

 private:
  std::string last_error() const;

  std::string file_;
  void* loaded_ = nullptr;
  const ponder_reward_plugin* plugin_ = nullptr;
  void* handle_ = nullptr;
  std::timed_mutex turn_;
};

}  // namespace reward
