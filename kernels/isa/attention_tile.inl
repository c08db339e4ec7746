// Tiles of 16 keys in the layouts that the products of attention read, in words of 32 bits: a word is one float32, or a
// pair of bf16. The template parameter E is the elements of a word, 1 or 2.
//
//   across  [words of a key][16 keys]      a query's word times it gives 16 scores
//   rows    [16 / E][width]                keys (in pairs for bf16), elements side by side: a sum over keys
namespace {

constexpr int64_t kTileKeys = 16;
constexpr int64_t kStepTiles = 4;                        // tiles of one softmax step
constexpr int64_t kStepKeys = kStepTiles * kTileKeys;

PONDER_INLINE int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

template <int E> struct ElementOf { using type = float; };
template <> struct ElementOf<2> { using type = uint16_t; };
template <int E> using Element = typename ElementOf<E>::type;

template <int E>
PONDER_INLINE int64_t words_of(int64_t elements) { return (elements + E - 1) / E; }

// acc + a * b, word by word.
template <int E>
PONDER_INLINE V16 mac(V16 acc, W16 a, W16 b) {
  if constexpr (E == 2) return v_dot2(acc, a, b);
  else return v_fma(w_as_floats(a), w_as_floats(b), acc);
}

PONDER_INLINE V16 load_some(const float* p, int64_t n) { return n >= 16 ? v_load(p) : v_load_first(p, static_cast<int>(n)); }
PONDER_INLINE V16 load_some(const uint16_t* p, int64_t n) { return n >= 16 ? v_load_bf16(p) : v_load_bf16_first(p, static_cast<int>(n)); }
PONDER_INLINE void store_some(float* p, V16 x, int64_t n) { n >= 16 ? v_store(p, x) : v_store_first(p, x, static_cast<int>(n)); }
PONDER_INLINE void store_some(uint16_t* p, V16 x, int64_t n) { n >= 16 ? v_store_bf16(p, x) : v_store_bf16_first(p, x, static_cast<int>(n)); }

// float32 -> words [words_of(n)], rounded to bf16 for E == 2; writes padded(n) elements, 0 after the last.
template <int E>
PONDER_INLINE void to_words(const float* from, int64_t n, uint32_t* to) {
  for (int64_t d = 0; d < n; d += 16) {
    const V16 x = load_some(from + d, n - d);
    if constexpr (E == 2) v_store_bf16(reinterpret_cast<uint16_t*>(to) + d, x);
    else w_store(to + d, v_bits(x));
  }
}

// Sixteen lanes as words, rounded to bf16 for E == 2.
template <int E>
PONDER_INLINE void to_words_of_lanes(V16 x, uint32_t* to) {
  if constexpr (E == 2) v_store_bf16(reinterpret_cast<uint16_t*>(to), x);
  else w_store(to, v_bits(x));
}

// The 16 vectors of a tile; null where there is no key.
template <int E>
struct Tile {
  const Element<E>* key[kTileKeys];
};

// Where storage row `id` has its vector of this head.
template <int E>
PONDER_INLINE const Element<E>* vector_at(const void* base, int64_t tile_stride, int64_t dim, int64_t id) {
  return static_cast<const Element<E>*>(base) + id / kTileKeys * tile_stride + id % kTileKeys * dim;
}

// The keys and values of 16 storage rows; -1: none.
template <int E>
PONDER_INLINE void find_tiles(const AttentionBlock& b, const int64_t* ids, Tile<E>* keys, Tile<E>* values) {
  for (int64_t j = 0; j < kTileKeys; ++j) {
    keys->key[j] = ids[j] < 0 ? nullptr : vector_at<E>(b.keys, b.key_tile_stride, b.key_dim, ids[j]);
    values->key[j] = ids[j] < 0 || !b.values ? keys->key[j] : vector_at<E>(b.values, b.value_tile_stride, b.value_dim, ids[j]);
  }
}

// The same of a whole storage tile.
template <int E>
PONDER_INLINE void find_whole_tiles(const AttentionBlock& b, int64_t id, Tile<E>* keys, Tile<E>* values) {
  const auto* key = static_cast<const Element<E>*>(b.keys) + id * b.key_tile_stride;
  const auto* value = b.values ? static_cast<const Element<E>*>(b.values) + id * b.value_tile_stride : key;
  const int64_t value_stride = b.values ? b.value_dim : b.key_dim;
  for (int64_t j = 0; j < kTileKeys; ++j) keys->key[j] = key + j * b.key_dim, values->key[j] = value + j * value_stride;
}

// kWhole: no key is absent.
template <int E, bool kWhole>
PONDER_INLINE void load_across(const Tile<E>& tile, int64_t dim, uint32_t* to) {
  const int64_t whole = dim / E;
  int64_t w = 0;
  for (; w + 16 <= whole; w += 16) {
    W16 r[16];
    for (int j = 0; j < 16; ++j)
      r[j] = kWhole || tile.key[j] ? w_load(reinterpret_cast<const uint32_t*>(tile.key[j] + w * E)) : v_bits(v_zero());
    w_transpose(r);
    for (int j = 0; j < 16; ++j) w_store(to + (w + j) * 16, r[j]);
  }
  for (; w < words_of<E>(dim); ++w)
    for (int j = 0; j < 16; ++j) {
      uint32_t word = 0;
      if (tile.key[j]) __builtin_memcpy(&word, tile.key[j] + w * E, w < whole ? 4 : 2);
      to[w * 16 + j] = word;
    }
}

template <int E, bool kWhole>
PONDER_INLINE void load_rows(const Tile<E>& tile, int64_t dim, uint32_t* to) {
  const int64_t width = padded(dim);
  for (int64_t j = 0; j < kTileKeys; j += E) {
    const Element<E>*first = tile.key[j], *second = tile.key[j + E - 1];
    for (int64_t d = 0; d < dim; d += 16) {
      const V16 a = kWhole || first ? load_some(first + d, dim - d) : v_zero();
      if constexpr (E == 2) {
        const V16 b = kWhole || second ? load_some(second + d, dim - d) : v_zero();
        w_store(to + j / 2 * width + d, w_high_halves(v_bits(a), v_bits(b)));
      } else {
        w_store(to + j * width + d, v_bits(a));
      }
    }
  }
}

// The lanes [low, high) of the tile at position `first` that lie in [first_visible, position].
PONDER_INLINE void visible_lanes(int64_t first, int64_t first_visible, int64_t position, int* low, int* high) {
  *low = static_cast<int>(smaller(larger(first_visible - first, 0), 16));
  *high = static_cast<int>(smaller(larger(position + 1 - first, 0), 16));
}

PONDER_INLINE V16 only_lanes(V16 x, int low, int high, V16 other) {
  if (high < 16) x = v_keep_first(x, high, other);
  if (low > 0) x = v_keep_first(other, low, x);
  return x;
}

// Scratch memory, cut from the front.
struct Scratch {
  char* next;
  template <typename T>
  T* take(int64_t count) {
    char* p = next;
    next += (count * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
    return reinterpret_cast<T*>(p);
  }
};

}  // namespace
