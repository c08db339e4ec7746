// What the processors say that they used: Linux' powercap counters of Intel's RAPL, which AMD has too.
//
// /sys/class/powercap/intel-rapl:N/energy_uj counts microjoules of one processor and starts over at max_energy_range_uj. Domains
// inside it (intel-rapl:N:M) are part of it. Most systems let only root read them; then there is no answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rl {

class EnergyCounter {
 public:
  explicit EnergyCounter(const std::string& powercap = "/sys/class/powercap");
  // Joules of all processors since this object was made; nullopt: there is no counter, or one of them cannot be read. A counter
  // that started over once since the last call is seen; call it once an hour or more often.
  std::optional<double> joules();

 private:
  struct Domain {
    std::string file;
    int64_t last = 0, range = 0;  // microjoules
  };
  std::vector<Domain> domains_;
  double joules_ = 0;
};

}  // namespace rl
