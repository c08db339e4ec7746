// One lane function, on one instruction set, on raw words. The rules of kernels/isa/table.h hold here too.
#pragma once

#include <stdint.h>

enum class Lane {
  zero, set, load_first, store_first, add, sub, mul, div, fma, max, min, sqrt, where_less, keep_first, times_power_of_two,
  load_bf16, load_bf16_first, store_bf16, store_bf16_first, round_bf16, low_halves, high_halves, transpose, dot2, sum, largest, exp, sigmoid, count
};

// a, b, c and out hold 16 words; n is a count of lanes.
using LaneProbe = void (*)(Lane lane, const uint32_t* a, const uint32_t* b, const uint32_t* c, int n, uint32_t* out);

void lane_probe_plain(Lane lane, const uint32_t* a, const uint32_t* b, const uint32_t* c, int n, uint32_t* out);
void lane_probe_avx2(Lane lane, const uint32_t* a, const uint32_t* b, const uint32_t* c, int n, uint32_t* out);
void lane_probe_avx512(Lane lane, const uint32_t* a, const uint32_t* b, const uint32_t* c, int n, uint32_t* out);
