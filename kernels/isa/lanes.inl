// Loops over sixteen elements at a time; the last few go through masked loads and stores, with the same arithmetic.

namespace {

PONDER_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
PONDER_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

struct All {};          // all sixteen lanes
struct First { int n; };  // the first n lanes; the others are 0

PONDER_INLINE V16 load(const float* p, All) { return v_load(p); }
PONDER_INLINE V16 load(const float* p, First f) { return v_load_first(p, f.n); }
PONDER_INLINE V16 load(const uint16_t* p, All) { return v_load_bf16(p); }
PONDER_INLINE V16 load(const uint16_t* p, First f) { return v_load_bf16_first(p, f.n); }
PONDER_INLINE void store(float* p, V16 x, All) { v_store(p, x); }
PONDER_INLINE void store(float* p, V16 x, First f) { v_store_first(p, x, f.n); }
PONDER_INLINE void store(uint16_t* p, V16 x, All) { v_store_bf16(p, x); }
PONDER_INLINE void store(uint16_t* p, V16 x, First f) { v_store_bf16_first(p, x, f.n); }
// x where a lane exists, `other` where not.
PONDER_INLINE V16 or_else(V16 x, All, V16) { return x; }
PONDER_INLINE V16 or_else(V16 x, First f, V16 other) { return v_keep_first(x, f.n, other); }

// body(i, part) for i = 0, 16, ...: `part` says which lanes exist.
template <typename Body>
PONDER_INLINE void each_sixteen(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) body(i, All{});
  if (i < n) body(i, First{static_cast<int>(n - i)});
}

}  // namespace
