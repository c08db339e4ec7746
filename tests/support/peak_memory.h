// How much memory a piece of code adds to this process at its peak.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace testing {

inline int64_t status_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(field + ":", 0) == 0) return std::stoll(line.substr(field.size() + 1)) * 1024;
  return 0;
}

// Peak while `run` works, above what was resident before. -1 where the system does not let a process reset its peak.
template <typename Run>
int64_t added_at_peak(Run run) {
  std::ofstream reset("/proc/self/clear_refs");
  if (!(reset << "5" << std::flush)) return -1;
  const int64_t before = status_bytes("VmRSS");
  run();
  return status_bytes("VmHWM") - before;
}

}  // namespace testing
