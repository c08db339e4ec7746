// What a program must do to be a reward of kind "process", tried one thing after the other.
#pragma once

#include <string>
#include <vector>

namespace reward {

struct ConformanceCheck {
  std::string name;     // "handshake", "batch", ...
  bool passed = false;
  std::string found;    // what happened
  std::string fix;      // what to change; empty if passed
};

// Starts the program several times. Checks: handshake, ping, batch, order, empty batch, junk, huge, non-UTF-8, time-out,
// crash, determinism, shutdown, end of input. When the handshake fails the others are left out. `timeout_ms`: of one request.
std::vector<ConformanceCheck> check_conformance(const std::vector<std::string>& command, int64_t timeout_ms = 10000);

}  // namespace reward
