// Every lane function gives the same bits in plain C++, AVX2 and AVX-512, under flush-to-zero, on any bits.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "kernels/isa/table.h"
#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/lane_probe.h"
#include "tests/support/catch.h"

namespace {

using Words = std::array<uint32_t, 16>;

float as_float(uint32_t w) {
  float f;
  std::memcpy(&f, &w, 4);
  return f;
}
uint32_t as_word(float f) {
  uint32_t w;
  std::memcpy(&w, &f, 4);
  return w;
}

enum class Kind { any_bits, numbers, small_exponents, bf16_pairs, exponents };

// Words 0 to 15 of `round`: every sign and mantissa; `numbers` leaves NaN and infinity out, `small_exponents` stays near the
// denormals, `bf16_pairs` are two finite bf16 each, denormal ones included.
Words random_words_of(Kind kind, uint32_t round, uint32_t stream) {
  Words words;
  for (uint32_t i = 0; i < 16; ++i) {
    const auto four = kernels::random_words({.seed = 77, .sample = stream, .position = round * 16 + i});
    uint32_t w = four[0];
    const uint32_t pick = four[1] % 8;
    switch (kind) {
      case Kind::any_bits:
        if (pick == 0) w |= 0x7f800000u;               // NaN or infinity
        if (pick == 1) w &= 0x807fffffu;               // denormal
        if (pick == 2) w &= 0x80000000u;               // zero
        if (pick == 3) w = (w & 0xffff0000u) | 0x8000u;  // half way between two bf16
        break;
      case Kind::numbers:
        w = (w & 0x807fffffu) | ((64 + four[1] % 128) << 23);
        break;
      case Kind::small_exponents:
        w = (w & 0x807fffffu) | ((four[1] % 30) << 23);
        break;
      case Kind::bf16_pairs: {
        const auto half = [](uint32_t bits, uint32_t exponent) { return (bits & 0x807fu) | (exponent << 7); };
        const uint32_t even = pick < 2 ? four[2] % 3 : 50 + four[2] % 150, odd = pick < 3 ? four[3] % 3 : 50 + four[3] % 150;
        w = half(w, even) | half(w >> 16, odd) << 16;
        break;
      }
      case Kind::exponents:
        w = as_word(static_cast<float>(static_cast<int>(four[1] % 254) - 126));
        break;
    }
    words[i] = w;
  }
  return words;
}

bool is_nan(uint32_t w) { return (w & 0x7fffffffu) > 0x7f800000u; }

struct Probe {
  const char* name;
  LaneProbe run;
};

std::vector<Probe> others() {
  std::vector<Probe> probes;
#if defined(__x86_64__)
  for (const Probe p : {Probe{"avx2", lane_probe_avx2}, Probe{"avx512", lane_probe_avx512}}) {
    if (cpu_kernels_named(p.name)) probes.push_back(p);
    else std::printf("skipped: this processor lacks %s\n", p.name);
  }
#endif
  return probes;
}

// Two NaN count as equal where a sum or product made them: the sign of a new NaN is the compiler's choice.
void require_equal_lanes(Lane lane, Kind a, Kind b, Kind c, bool any_nan = true) {
  const kernels::FlushDenormals flush;
  const auto probes = others();
  size_t compared = 0;
  for (const auto& probe : probes)
    for (uint32_t round = 0; round < 2000; ++round) {
      const Words wa = random_words_of(a, round, 1), wb = random_words_of(b, round, 2), wc = random_words_of(c, round, 3);
      Words plain, got;
      plain.fill(0xdeadbeefu), got.fill(0xdeadbeefu);
      const int n = static_cast<int>(round % 17);
      lane_probe_plain(lane, wa.data(), wb.data(), wc.data(), n, plain.data());
      probe.run(lane, wa.data(), wb.data(), wc.data(), n, got.data());
      compared += 16;
      for (size_t i = 0; i < 16; ++i)
        if (plain[i] != got[i] && !(any_nan && is_nan(plain[i]) && is_nan(got[i]))) {
          INFO(probe.name << ", lane function " << static_cast<int>(lane) << ", round " << round << ", lane " << i << std::hex
                          << ": a " << wa[i] << " b " << wb[i] << " c " << wc[i] << " plain " << plain[i] << " got " << got[i]);
          REQUIRE(plain[i] == got[i]);
        }
    }
  REQUIRE(compared == probes.size() * 2000 * 16);
}

}  // namespace

TEST_CASE("arithmetic lanes agree on ordinary, huge, denormal and special numbers", "[simd]") {
  for (const Lane lane : {Lane::add, Lane::sub, Lane::mul, Lane::div, Lane::fma, Lane::sqrt, Lane::sum})
    for (const Kind kind : {Kind::any_bits, Kind::numbers, Kind::small_exponents}) require_equal_lanes(lane, kind, kind, kind);
}

TEST_CASE("comparing lanes agree, NaN included", "[simd]") {
  for (const Lane lane : {Lane::max, Lane::min, Lane::where_less, Lane::largest})
    for (const Kind kind : {Kind::any_bits, Kind::numbers, Kind::small_exponents}) require_equal_lanes(lane, kind, kind, kind);
}

TEST_CASE("loads, stores and selections keep every bit", "[simd]") {
  for (const Lane lane : {Lane::zero, Lane::set, Lane::load_first, Lane::store_first, Lane::keep_first, Lane::load_bf16,
                          Lane::load_bf16_first, Lane::low_halves, Lane::high_halves, Lane::transpose})
    require_equal_lanes(lane, Kind::any_bits, Kind::any_bits, Kind::any_bits, /*any_nan=*/false);
}

TEST_CASE("rounding to bf16 agrees on every kind of number, NaN included", "[simd]") {
  for (const Lane lane : {Lane::store_bf16, Lane::store_bf16_first, Lane::round_bf16})
    for (const Kind kind : {Kind::any_bits, Kind::numbers, Kind::small_exponents})
      require_equal_lanes(lane, kind, kind, kind, /*any_nan=*/false);
}

TEST_CASE("NaN stays NaN in bf16, and what is too large becomes infinity", "[simd]") {
  Words in{}, out{};
  in[0] = 0x7f800001u;  // a NaN whose bits all lie in the lower half
  in[1] = 0xffffffffu;
  in[2] = 0x7f7fffffu;  // the largest float32
  in[3] = 0x7f800000u;
  lane_probe_plain(Lane::store_bf16, in.data(), in.data(), in.data(), 16, out.data());
  uint16_t halves[4];
  std::memcpy(halves, out.data(), sizeof halves);
  CHECK(halves[0] == 0x7fc0);
  CHECK(halves[1] == 0xffff);
  CHECK(halves[2] == 0x7f80);
  CHECK(halves[3] == 0x7f80);
}

TEST_CASE("sixteen rows become columns", "[simd]") {
  // Row i holds words i .. i + 15 of 0, 1, 2, ..: column 5 is 5 .. 20.
  Words a, b, c, out;
  for (uint32_t i = 0; i < 16; ++i) a[i] = i, b[i] = 16 + i, c[i] = 32 + i;
  lane_probe_plain(Lane::transpose, a.data(), b.data(), c.data(), 5, out.data());
  for (uint32_t i = 0; i < 16; ++i) CHECK(out[i] == 5 + i);
}

TEST_CASE("the product of bf16 pairs agrees, denormals included", "[simd]") {
  for (const Kind sum : {Kind::numbers, Kind::small_exponents})
    require_equal_lanes(Lane::dot2, Kind::bf16_pairs, Kind::bf16_pairs, sum);
}

TEST_CASE("the product of bf16 pairs adds the odd element first", "[simd]") {
  // Sum 2^24, odd product -2^24, even product 1. Odd first: (2^24 - 2^24) + 1 = 1. Even first: 2^24 + 1 rounds to 2^24,
  // and 2^24 - 2^24 = 0.
  Words a, b, c, out;
  b.fill(0x3f803f80u);  // (1, 1)
  a.fill(0xcb803f80u);  // odd -2^24, even 1
  c.fill(as_word(16777216.0f));
  lane_probe_plain(Lane::dot2, a.data(), b.data(), c.data(), 16, out.data());
  CHECK(as_float(out[0]) == 1.0f);
}

TEST_CASE("scaling by powers of two, exp and the sigmoid agree", "[simd]") {
  require_equal_lanes(Lane::times_power_of_two, Kind::numbers, Kind::exponents, Kind::numbers);
  for (const Lane lane : {Lane::exp, Lane::sigmoid})
    for (const Kind kind : {Kind::any_bits, Kind::numbers, Kind::small_exponents, Kind::exponents})
      require_equal_lanes(lane, kind, kind, kind);
}

TEST_CASE("lanes are added as a tree: i with i + 8, then + 4, + 2, + 1", "[simd]") {
  // Lane 0 is 2^24, lane 8 is 1, lane 1 is -2^24: (2^24 + 1 = 2^24), then lanes 0 and 1 cancel: 0. In order it were 1.
  Words in{}, out{};
  in[0] = as_word(16777216.0f), in[8] = as_word(1.0f), in[1] = as_word(-16777216.0f);
  lane_probe_plain(Lane::sum, in.data(), in.data(), in.data(), 16, out.data());
  CHECK(as_float(out[0]) == 0.0f);
}
