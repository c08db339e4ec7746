#include "rollout/stop_strings.h"

#include <algorithm>

#include "kernels/error.h"

namespace rollout {

StopStrings::StopStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
  for (const std::string& s : strings_) {
    if (s.empty()) kernels::fail_usage("rollout: a stop string is empty, which would end every completion at once; remove it.");
    longest_ = std::max(longest_, s.size());
  }
}

const std::string* StopStrings::find(std::string& tail, std::string_view token_bytes) const {
  if (strings_.empty()) return nullptr;
  tail.append(token_bytes);
  const std::string* found = nullptr;
  size_t first_end = std::string::npos;
  for (const std::string& s : strings_) {
    // A match inside the old tail would have been found before, so each one here ends in the new bytes.
    const size_t at = tail.find(s);
    if (at != std::string::npos && at + s.size() < first_end) {
      first_end = at + s.size();
      found = &s;
    }
  }
  if (tail.size() >= longest_) tail.erase(0, tail.size() - (longest_ - 1));
  return found;
}

}  // namespace rollout
