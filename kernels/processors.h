// The processors that threads are bound to.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace kernels {

// "0-2,8" as Linux writes it: 0, 1, 2, 8. Stops at what is no such list.
std::vector<int> processor_list(const std::string& text);

// One of each core's processors before a second one of any, in order of their numbers: neighbours are mostly of one node.
// `siblings`: the processors of the core that one belongs to.
std::vector<int> cores_first(std::vector<int> allowed, const std::function<std::vector<int>(int)>& siblings);

// Those that this process may use, cores first.
std::vector<int> processors();

}  // namespace kernels
