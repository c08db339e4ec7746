// Plug-ins for tests: programs/faulty.py breaks as a completion asks.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/reward/support.h"
#include "tests/support/source_dir.h"

using namespace std::chrono_literals;

inline auto within(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

// Debian's own starts at once; another one may be a script that looks for it.
inline std::string python() { return ::access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3"; }

inline reward::Settings faulty_settings(const std::vector<std::string>& words = {}) {
  reward::Settings settings;
  settings.name = "faulty";
  settings.kind = "process";
  settings.timeout_ms = 60000;
  settings.command = {python(), testing::source_dir() + "/tests/reward/plugins/programs/faulty.py"};
  settings.command.insert(settings.command.end(), words.begin(), words.end());
  return settings;
}

// Completions of one prompt whose truth is "42".
inline std::vector<reward::Item> group_of(const std::vector<std::string>& completions, int64_t group = 1) {
  std::vector<reward::Item> items;
  for (const auto& text : completions) {
    items.push_back(item(text, "42", "prompt"));
    items.back().group_id = group;
    items.back().sample_index = static_cast<int64_t>(items.size()) - 1;
  }
  return items;
}

// A value, or the status and reason: "1", "infra_error died".
inline std::string told(const reward::Outcome& outcome) {
  if (outcome.has_value()) return std::to_string(outcome.value).substr(0, 3);
  return std::string(name_of(outcome.status)) + " " + outcome.reason;
}
inline std::vector<std::string> told(const std::vector<reward::Outcome>& outcomes) {
  std::vector<std::string> all;
  for (const auto& outcome : outcomes) all.push_back(told(outcome));
  return all;
}

// The process has ended, even if nobody has asked for its exit code.
inline bool gone(pid_t id) {
  std::ifstream in("/proc/" + std::to_string(id) + "/stat");
  std::string text;
  if (!std::getline(in, text)) return true;
  const size_t name_end = text.rfind(')');
  return name_end == std::string::npos || text.at(name_end + 2) == 'Z';
}
inline bool soon_gone(pid_t id) {
  for (int i = 0; i < 5000 && !gone(id); ++i) std::this_thread::sleep_for(1ms);
  return gone(id);
}
