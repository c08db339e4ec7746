// Counter-based random numbers: Philox4x32-10.
//
// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. A number is a function of its key
// alone, so it does not depend on batch, order, thread or machine. There is no global generator anywhere.
#pragma once

#include <array>
#include <cstdint>

namespace kernels {

enum class Purpose : uint32_t { train = 0, eval = 1, serve = 2, data = 3, init = 4 };

// One number per (seed, purpose, step, group, sample, position).
struct RandomKey {
  uint64_t seed = 0;
  Purpose purpose = Purpose::train;
  uint64_t step = 0;      // request step for sampling; epoch for data; 0 for init
  uint64_t group = 0;     // group id; row of the data; parameter index for init
  uint32_t sample = 0;    // sample index within the group
  uint32_t position = 0;  // token position; element / 4 for init
};

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

std::array<uint32_t, 4> random_words(const RandomKey& key);
double random_unit(const RandomKey& key);                        // uniform in [0, 1), 53 bits
uint64_t random_below(const RandomKey& key, uint64_t bound);     // uniform in [0, bound), bound > 0
std::array<float, 4> random_normals(const RandomKey& key);       // four standard normals (Box and Muller)

}  // namespace kernels
