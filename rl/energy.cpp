#include "rl/energy.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace rl {
namespace {

namespace fs = std::filesystem;

std::optional<int64_t> number_in(const std::string& file) {
  int64_t number = 0;
  if (std::ifstream(file) >> number) return number;
  return std::nullopt;
}

// A processor: "package-0". Other domains of the same level ("psys", the whole machine) hold it too, and would count it twice.
bool is_package(const fs::path& domain) {
  const std::string folder = domain.filename().string();
  std::string name;
  return folder.starts_with("intel-rapl:") && std::count(folder.begin(), folder.end(), ':') == 1 &&
         std::getline(std::ifstream(domain / "name"), name) && name.starts_with("package");
}

}  // namespace

EnergyCounter::EnergyCounter(const std::string& powercap) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(powercap, ignored)) {
    if (!is_package(entry.path())) continue;
    const std::string file = (entry.path() / "energy_uj").string();
    const auto now = number_in(file), range = number_in((entry.path() / "max_energy_range_uj").string());
    if (now && range) domains_.push_back({file, *now, *range});
  }
}

std::optional<double> EnergyCounter::joules() {
  for (Domain& domain : domains_) {
    const auto now = number_in(domain.file);
    if (!now) return std::nullopt;
    const int64_t used = *now >= domain.last ? *now - domain.last : *now + domain.range - domain.last;
    joules_ += static_cast<double>(used) * 1e-6;
    domain.last = *now;
  }
  if (domains_.empty()) return std::nullopt;
  return joules_;
}

}  // namespace rl
