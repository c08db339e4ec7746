#include "kernels/processors.h"

#include <fmt/core.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace kernels {

std::vector<int> processor_list(const std::string& text) {
  std::vector<int> list;
  std::istringstream in(text);
  for (int first; in >> first;) {
    int last = first;
    if (in.peek() == '-') in.get(), in >> last;
    for (int p = first; p <= last; ++p) list.push_back(p);
    if (in.peek() != ',') break;
    in.get();
  }
  return list;
}

std::vector<int> cores_first(std::vector<int> allowed, const std::function<std::vector<int>(int)>& siblings) {
  std::sort(allowed.begin(), allowed.end());
  std::map<int, int64_t> before;  // siblings with a smaller number
  for (const int p : allowed) {
    const std::vector<int> core = siblings(p);
    before[p] = std::count_if(core.begin(), core.end(),
                              [&](int s) { return s < p && std::binary_search(allowed.begin(), allowed.end(), s); });
  }
  std::stable_sort(allowed.begin(), allowed.end(), [&](int a, int b) { return before[a] < before[b]; });
  return allowed;
}

std::vector<int> processors() {
  cpu_set_t set;
  std::vector<int> allowed;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int p = 0; p < CPU_SETSIZE; ++p)
      if (CPU_ISSET(p, &set)) allowed.push_back(p);
  return cores_first(std::move(allowed), [](int p) {
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", p));
    std::string line;
    std::getline(file, line);
    return processor_list(line);
  });
}

}  // namespace kernels
