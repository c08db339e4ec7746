// Attention of a block of query rows over one key head, a tile of 16 positions at a time.
//
// Lanes are the 16 keys of a tile for scores, and elements of the value for sums. A row visits its tiles in ascending
// order and, within a tile, its keys in ascending order, so what else is in the block cannot change its bits.

namespace {

PONDER_INLINE int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

PONDER_INLINE V16 load_key(const float* p, int n) { return n == 16 ? v_load(p) : v_load_first(p, n); }
PONDER_INLINE V16 load_key(const uint16_t* p, int n) { return n == 16 ? v_load_bf16(p) : v_load_bf16_first(p, n); }

// Copies the tile's vectors, widened: rows [16][padded(dim)], absent keys 0. With `across`, also [dim][16].
template <typename Key>
PONDER_INLINE void load_tile(const AttentionBlock& b, const void* base, int64_t row_stride, int64_t dim, int64_t first, int64_t last,
                             float* rows, float* across) {
  const int64_t width = padded(dim);
  for (int64_t j = 0; j < 16; ++j) {
    const int64_t position = first + j;
    float* to = rows + j * width;
    if (position < b.first_key_position || position > last) {
      for (int64_t d = 0; d < width; ++d) to[d] = 0.0f;
    } else {
      const Key* from = static_cast<const Key*>(base) + b.key_rows[position - b.first_key_position] * row_stride;
      for (int64_t d = 0; d < dim; d += 16) v_store(to + d, load_key(from + d, dim - d < 16 ? static_cast<int>(dim - d) : 16));
    }
    if (across)
      for (int64_t d = 0; d < dim; ++d) across[d * 16 + j] = to[d];
  }
}

// The lanes [low, high) of a tile that the query at `position` sees.
PONDER_INLINE void visible(const AttentionBlock& b, int64_t tile, int64_t position, int* low, int* high) {
  const int64_t to = position + 1 - tile;
  int64_t from = b.first_key_position - tile;
  if (b.window > 0 && position - b.window + 1 - tile > from) from = position - b.window + 1 - tile;
  *low = from < 0 ? 0 : from > 16 ? 16 : static_cast<int>(from);
  *high = to < 0 ? 0 : to > 16 ? 16 : static_cast<int>(to);
}

// s[r][lane] = q[r] . key[lane] for kRows rows at once (each row its own chain over d).
template <int kRows>
PONDER_INLINE void scores(const float* const* q, const float* across, int64_t dim, V16* s) {
  for (int r = 0; r < kRows; ++r) s[r] = v_zero();
  for (int64_t d = 0; d < dim; ++d) {
    const V16 k = v_load(across + 16 * d);
    for (int r = 0; r < kRows; ++r) s[r] = v_fma(v_set(q[r][d]), k, s[r]);
  }
}

struct QueryRow {
  int64_t row, head;  // row of the block, head within the group of heads that share the key head
};

PONDER_INLINE QueryRow query_row(const AttentionBlock& b, int64_t i) { return {i / b.heads_per_key, i % b.heads_per_key}; }

// One (row, head) with the scores of one tile: the online softmax step.
PONDER_INLINE void softmax_step(V16 s, int low, int high, float scale, const float* values, int64_t width, float* m, float* l, float* o) {
  const V16 minus_infinity = v_set(-__builtin_inff());
  s = v_keep_first(v_mul(s, v_set(scale)), high, minus_infinity);
  if (low > 0) s = v_keep_first(minus_infinity, low, s);
  const float tile_max = v_largest(s);
  const float new_max = *m > tile_max ? *m : tile_max;
  float p[16];
  const V16 weights = v_exp(v_sub(s, v_set(new_max)));
  v_store(p, weights);
  const float correction = s_exp(*m - new_max);
  *l = *l * correction + v_sum(weights);
  *m = new_max;
  const V16 c = v_set(correction);
  int64_t d = 0;
  for (; d + 64 <= width; d += 64) {
    V16 acc[4];
    for (int v = 0; v < 4; ++v) acc[v] = v_mul(v_load(o + d + 16 * v), c);
    for (int j = low; j < high; ++j) {
      const V16 w = v_set(p[j]);
      for (int v = 0; v < 4; ++v) acc[v] = v_fma(w, v_load(values + j * width + d + 16 * v), acc[v]);
    }
    for (int v = 0; v < 4; ++v) v_store(o + d + 16 * v, acc[v]);
  }
  for (; d < width; d += 16) {
    V16 acc = v_mul(v_load(o + d), c);
    for (int j = low; j < high; ++j) acc = v_fma(v_set(p[j]), v_load(values + j * width + d), acc);
    v_store(o + d, acc);
  }
}

template <typename Key>
PONDER_INLINE void attention_forward(const AttentionBlock& b) {
  const int64_t kw = padded(b.key_dim), vw = padded(b.value_dim), queries = b.rows * b.heads_per_key;
  float* key_rows = b.scratch;                      // [16][kw]
  float* across = key_rows + 16 * kw;               // [dk][16]
  float* value_rows = across + 16 * kw;             // [16][vw]
  float* o = value_rows + 16 * vw;                  // [queries][vw]
  float* m = o + queries * vw;                      // [queries]
  float* l = m + queries;                           // [queries]
  for (int64_t i = 0; i < queries * vw; ++i) o[i] = 0.0f;
  for (int64_t i = 0; i < queries; ++i) { m[i] = -__builtin_inff(); l[i] = 0.0f; }
  const int64_t last = b.first_position + b.rows - 1;
  int64_t start = b.first_key_position;
  if (b.window > 0 && b.first_position - b.window + 1 > start) start = b.first_position - b.window + 1;
  for (int64_t tile = start / 16 * 16; tile <= last; tile += 16) {
    load_tile<Key>(b, b.keys, b.key_stride, b.key_dim, tile, last, key_rows, across);
    const float* values = key_rows;
    int64_t width = kw;
    if (b.values) {
      load_tile<Key>(b, b.values, b.value_stride, b.value_dim, tile, last, value_rows, nullptr);
      values = value_rows, width = vw;
    } else if (kw != vw) {
      for (int64_t j = 0; j < 16; ++j)
        for (int64_t d = 0; d < vw; ++d) value_rows[j * vw + d] = d < b.value_dim ? key_rows[j * kw + d] : 0.0f;
      values = value_rows, width = vw;
    }
    int64_t i = tile > b.first_position ? (tile - b.first_position) * b.heads_per_key : 0;
    while (i < queries) {
      const int n = queries - i >= 4 ? 4 : 1;
      const float* q[4];
      V16 s[4];
      for (int r = 0; r < n; ++r) {
        const QueryRow at = query_row(b, i + r);
        q[r] = b.q + at.row * b.q_stride + at.head * b.key_dim;
      }
      if (n == 4) scores<4>(q, across, b.key_dim, s);
      else scores<1>(q, across, b.key_dim, s);
      for (int r = 0; r < n; ++r, ++i) {
        int low, high;
        visible(b, tile, b.first_position + query_row(b, i).row, &low, &high);
        if (low < high) softmax_step(s[r], low, high, b.scale, values, width, m + i, l + i, o + i * vw);
      }
    }
  }
  for (int64_t i = 0; i < queries; ++i) {
    const QueryRow at = query_row(b, i);
    const V16 inverse = v_set(1.0f / l[i]);
    Key* out = static_cast<Key*>(b.out) + at.row * b.out_stride + at.head * b.value_dim;
    for (int64_t d = 0; d < b.value_dim; d += 16) {
      const V16 x = v_mul(v_load(o + i * vw + d), inverse);
      const int n = b.value_dim - d < 16 ? static_cast<int>(b.value_dim - d) : 16;
      if constexpr (sizeof(Key) == 2) v_store_bf16_first(out + d, x, n);
      else v_store_first(out + d, x, n);
    }
    b.log_sum[at.row * b.log_sum_stride + at.head] = m[i] + s_log(l[i]);
  }
}

void attention_bf16(const AttentionBlock& b) { attention_forward<uint16_t>(b); }
void attention_f32(const AttentionBlock& b) { attention_forward<float>(b); }

PONDER_INLINE float dot(const float* a, const float* b, int64_t n) {
  V16 s = v_zero();
  for (int64_t d = 0; d < n; d += 16) {
    const int k = n - d < 16 ? static_cast<int>(n - d) : 16;
    s = v_fma(v_load_first(a + d, k), v_load_first(b + d, k), s);
  }
  return v_sum(s);
}

// y[d] += a * x[d]
PONDER_INLINE void add_scaled(float a, const float* x, float* y, int64_t n) {
  const V16 w = v_set(a);
  int64_t d = 0;
  for (; d + 16 <= n; d += 16) v_store(y + d, v_fma(w, v_load(x + d), v_load(y + d)));
  if (d < n) {
    const int k = static_cast<int>(n - d);
    v_store_first(y + d, v_fma(w, v_load_first(x + d, k), v_load_first(y + d, k)), k);
  }
}

// Gradients of a block: the scores are computed again from q and the keys, and p from the saved log-sum.
template <typename Key>
PONDER_INLINE void attention_backward_block(const AttentionBlock& b, const AttentionGradientBlock& g) {
  const int64_t kw = padded(b.key_dim), vw = padded(b.value_dim), queries = b.rows * b.heads_per_key;
  float* key_rows = b.scratch;             // [16][kw]
  float* across = key_rows + 16 * kw;      // [dk][16]
  float* value_rows = across + 16 * kw;    // [16][vw]
  float* value_across = value_rows + 16 * vw;  // [dv][16]
  float* delta = value_across + 16 * vw;   // [queries]
  const int64_t last = b.first_position + b.rows - 1;
  for (int64_t i = 0; i < queries; ++i) {
    const QueryRow at = query_row(b, i);
    const Key* out = static_cast<const Key*>(b.out) + at.row * b.out_stride + at.head * b.value_dim;
    const float* dout = g.dout + at.row * g.dout_stride + at.head * b.value_dim;
    V16 s = v_zero();
    for (int64_t d = 0; d < b.value_dim; d += 16) {
      const int k = b.value_dim - d < 16 ? static_cast<int>(b.value_dim - d) : 16;
      s = v_fma(load_key(out + d, k), v_load_first(dout + d, k), s);
    }
    delta[i] = v_sum(s);
  }
  int64_t start = b.first_key_position;
  if (b.window > 0 && b.first_position - b.window + 1 > start) start = b.first_position - b.window + 1;
  for (int64_t tile = start / 16 * 16; tile <= last; tile += 16) {
    load_tile<Key>(b, b.keys, b.key_stride, b.key_dim, tile, last, key_rows, across);
    const float* values_across = across;
    if (b.values) {
      load_tile<Key>(b, b.values, b.value_stride, b.value_dim, tile, last, value_rows, value_across);
      values_across = value_across;
    }
    for (int64_t i = tile > b.first_position ? (tile - b.first_position) * b.heads_per_key : 0; i < queries; ++i) {
      const QueryRow at = query_row(b, i);
      int low, high;
      visible(b, tile, b.first_position + at.row, &low, &high);
      if (low >= high) continue;
      const float* q = b.q + at.row * b.q_stride + at.head * b.key_dim;
      const float* dout = g.dout + at.row * g.dout_stride + at.head * b.value_dim;
      float* dq = g.dq + at.row * b.q_stride + at.head * b.key_dim;
      V16 s[1], dp[1];
      scores<1>(&q, across, b.key_dim, s);
      scores<1>(&dout, values_across, b.value_dim, dp);
      const V16 log_sum = v_set(b.log_sum[at.row * b.log_sum_stride + at.head]);
      const V16 p = v_exp(v_sub(v_mul(s[0], v_set(b.scale)), log_sum));
      float weights[16], ds[16];
      v_store(weights, p);
      v_store(ds, v_mul(v_mul(p, v_sub(dp[0], v_set(delta[i]))), v_set(b.scale)));
      for (int j = low; j < high; ++j) {
        const int64_t key_row = b.key_rows[tile + j - b.first_key_position];
        float* dkey = g.dkeys + key_row * b.key_stride;
        float* dvalue = g.dvalues ? g.dvalues + key_row * b.value_stride : dkey;
        add_scaled(ds[j], key_rows + j * kw, dq, b.key_dim);
        add_scaled(ds[j], q, dkey, b.key_dim);
        add_scaled(weights[j], dout, dvalue, b.value_dim);
      }
    }
  }
}

void attention_backward_bf16(const AttentionBlock& b, const AttentionGradientBlock& g) { attention_backward_block<uint16_t>(b, g); }
void attention_backward_f32(const AttentionBlock& b, const AttentionGradientBlock& g) { attention_backward_block<float>(b, g); }

}  // namespace
