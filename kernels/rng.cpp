// A RandomKey has more bits (288) than Philox takes (192), so step and group pass a first Philox of their own:
//   mixed = philox(counter = step | group, key = seed)                                    one to one for a given seed
//   words = philox(counter = position | sample | mixed[0] ^ purpose | mixed[1], key = mixed[2] | mixed[3])
// Within one (seed, step, group) two different keys give two different (counter, key) pairs. Across them a pair would
// repeat only if 125 bits of two mixes agreed by chance.
#include "kernels/rng.h"

#include <cmath>

#include "kernels/error.h"

namespace kernels {
namespace {

__extension__ using uint128 = unsigned __int128;

uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

// In (0, 1) and [0, 1).
double open_unit(uint32_t word) { return (word + 0.5) * 0x1p-32; }
double half_open_unit(uint32_t word) { return word * 0x1p-32; }

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {high(p1) ^ c[1] ^ key[0], low(p1), high(p0) ^ c[3] ^ key[1], low(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c;
}

std::array<uint32_t, 4> random_words(const RandomKey& key) {
  const auto mixed =
      philox4x32({low(key.step), high(key.step), low(key.group), high(key.group)}, {low(key.seed), high(key.seed)});
  const auto purpose = static_cast<uint32_t>(key.purpose);
  return philox4x32({key.position, key.sample, mixed[0] ^ purpose, mixed[1]}, {mixed[2], mixed[3]});
}

double random_unit(const RandomKey& key) {
  const auto words = random_words(key);
  return static_cast<double>((uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
}

// Lemire, arXiv:1805.10941: the high half of word * bound, drawn again where that would favour some values.
uint64_t random_below(const RandomKey& key, uint64_t bound) {
  if (bound == 0) fail("random_below: bound is 0; it must be 1 or more.");
  const uint64_t reject_below = (0 - bound) % bound;
  for (auto words = random_words(key);; words = philox4x32(words, {low(key.seed), high(key.seed)})) {
    const auto product = static_cast<uint128>(uint64_t{words[0]} << 32 | words[1]) * bound;
    if (static_cast<uint64_t>(product) >= reject_below) return static_cast<uint64_t>(product >> 64);
  }
}

std::array<float, 4> random_normals(const RandomKey& key) {
  const auto words = random_words(key);
  std::array<float, 4> normals;
  for (size_t i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2.0 * std::log(open_unit(words[i])));
    const double angle = 2.0 * 3.14159265358979323846 * half_open_unit(words[i + 1]);
    normals[i] = static_cast<float>(radius * std::cos(angle));
    normals[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
  return normals;
}

}  // namespace kernels
