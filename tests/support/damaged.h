// Random damage to a file, for tests of what reads it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>

namespace testing {

// A few changed, removed, doubled or swapped bytes; numbers at the limits now and then.
inline std::string damaged(std::string bytes, std::mt19937_64& random) {
  static const std::string limits[] = {std::string(8, '\xff'),
                                       std::string(7, '\xff') + '\x7f',
                                       std::string(8, '\0'),
                                       "-1",
                                       "1e999",
                                       "18446744073709551615",
                                       "null",
                                       "{}",
                                       "[]",
                                       "\"\"",
                                       "true",
                                       "\\u0000",
                                       "\xff"};
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % std::max<size_t>(n, 1)); };
  for (size_t changes = 1 + below(3); changes > 0 && !bytes.empty(); --changes) {
    const size_t at = below(below(2) ? bytes.size() : std::min<size_t>(bytes.size(), 400));  // headers come first
    switch (below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.erase(at, 1 + below(8));
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, 1 + below(40)));
        break;
      case 4:
        bytes.resize(at);
        break;
      default:
        bytes.replace(at, 1 + below(8), limits[below(std::size(limits))]);
        break;
    }
  }
  return bytes;
}

}  // namespace testing
