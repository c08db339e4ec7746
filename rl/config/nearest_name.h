// The known name that a mistyped one most likely meant.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace rl {

// Edits (insert, delete, replace, swap of neighbours) that turn a into b.
inline int64_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<int64_t>> d(a.size() + 1, std::vector<int64_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = static_cast<int64_t>(i + j);
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

// Empty when nothing is near: more than a third of the letters would have to change, and neither holds the other.
inline std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  std::string best;
  int64_t best_distance = std::max<int64_t>(2, static_cast<int64_t>(name.size()) / 3) + 1;
  for (const auto& candidate : known) {
    const int64_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty() || name.size() < 3) return best;
  for (const auto& candidate : known) {
    if (candidate.size() >= 3 && (candidate.find(name) != std::string::npos || name.find(candidate) != std::string::npos))
      return candidate;
  }
  return "";
}

}  // namespace rl
