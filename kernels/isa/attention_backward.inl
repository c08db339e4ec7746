// The gradient of attention for a block of query rows of one segment and one key head, a tile of 16 keys at a time:
//   p = exp(scale q.k - log_sum), ds = scale p (dout.v - dout.out), dv += p dout, dk += ds q, dq += ds k.
//
// A key's gradient is one chain over the block's queries in order (in pairs for bf16), and blocks come in order; a
// query's is one chain over the keys. In bf16, q, dout, p and ds are rounded where they enter a product.
namespace {

template <int E>
struct BackwardScratch {
  uint32_t *q, *dout;            // words of each query: [queries][key_words], [queries][value_words]
  uint32_t *q_rows, *dout_rows;  // the same in pairs of queries: [queries / E][key_width], [queries / E][value_width]
  float *dq, *delta;             // [queries][key_width], [queries]
  uint32_t *across, *value_across, *key_rows;  // of the tile
  uint32_t *p, *ds;              // in pairs of queries: [queries / E][16]
  uint32_t* ds_rows;             // words of each query: [queries][16 / E]
  float* unused;                 // where the gradient of an absent key goes
  int64_t key_words, value_words, key_width, value_width;
  char* end;

  BackwardScratch(void* memory, int64_t queries, int64_t key_dim, int64_t value_dim) {
    Scratch s{static_cast<char*>(memory)};
    key_width = padded(key_dim), value_width = padded(value_dim);
    key_words = words_of<E>(key_width), value_words = words_of<E>(value_width);
    const int64_t pairs = words_of<E>(queries);
    q = s.take<uint32_t>(queries * key_words);
    dout = s.take<uint32_t>(queries * value_words);
    q_rows = s.take<uint32_t>(pairs * key_width);
    dout_rows = s.take<uint32_t>(pairs * value_width);
    dq = s.take<float>(queries * key_width);
    delta = s.take<float>(queries);
    across = s.take<uint32_t>(key_words * kTileKeys);
    value_across = s.take<uint32_t>(value_words * kTileKeys);
    key_rows = s.take<uint32_t>(kTileKeys / E * key_width);
    p = s.take<uint32_t>(pairs * kTileKeys);
    ds = s.take<uint32_t>(pairs * kTileKeys);
    ds_rows = s.take<uint32_t>(queries * (kTileKeys / E));
    unused = s.take<float>(larger(key_width, value_width));
    end = s.next;
  }
};

int64_t attention_backward_scratch(int64_t rows, int64_t heads_per_key, int64_t key_dim, int64_t value_dim) {
  char* const base = reinterpret_cast<char*>(64);  // only measured from
  return BackwardScratch<1>(base, rows * heads_per_key, key_dim, value_dim).end - base;
}

template <int E>
PONDER_INLINE V16 as_operand(V16 x) {
  if constexpr (E == 2) return v_round_bf16(x);
  else return x;
}

// `odd` follows `even` in the sum: a pair for bf16. For float32 only `even` counts.
template <int E>
PONDER_INLINE W16 joined(V16 even, V16 odd) {
  if constexpr (E == 2) return w_high_halves(v_bits(even), v_bits(odd));
  else return v_bits(even);
}

// Vectors of n elements as words, and E of them side by side. `second` may be null.
template <int E>
PONDER_INLINE void to_rows(const float* first, const float* second, int64_t n, uint32_t* to) {
  for (int64_t d = 0; d < n; d += 16)
    w_store(to + d, joined<E>(as_operand<E>(load_some(first + d, n - d)), second ? as_operand<E>(load_some(second + d, n - d)) : v_zero()));
}

struct QueryAt {
  int64_t row, head;
};
PONDER_INLINE QueryAt query_at(const AttentionBlock& b, int64_t i) { return {i / b.heads_per_key, i % b.heads_per_key}; }
PONDER_INLINE const float* q_of(const AttentionBlock& b, int64_t i) {
  return b.rows[query_at(b, i).row].q + query_at(b, i).head * b.key_dim;
}
PONDER_INLINE const float* dout_of(const AttentionBlock& b, const AttentionGradientBlock& g, int64_t i) {
  return g.dout + query_at(b, i).row * g.dout_stride + query_at(b, i).head * b.value_dim;
}

template <int E>
PONDER_INLINE void load_queries(const AttentionBlock& b, const AttentionGradientBlock& g, const BackwardScratch<E>& s, int64_t queries) {
  for (int64_t i = 0; i < queries; ++i) {
    to_words<E>(q_of(b, i), b.key_dim, s.q + i * s.key_words);
    to_words<E>(dout_of(b, g, i), b.value_dim, s.dout + i * s.value_words);
    const auto at = query_at(b, i);
    const Element<E>* out = static_cast<const Element<E>*>(b.rows[at.row].out) + at.head * b.value_dim;
    V16 sum = v_zero();
    for (int64_t d = 0; d < b.value_dim; d += 16)
      sum = v_fma(load_some(out + d, b.value_dim - d), as_operand<E>(load_some(dout_of(b, g, i) + d, b.value_dim - d)), sum);
    s.delta[i] = v_sum(sum);
  }
  for (int64_t i = 0; i < queries; i += E) {
    const bool pair = i + E <= queries;
    to_rows<E>(q_of(b, i), pair ? q_of(b, i + E - 1) : nullptr, b.key_dim, s.q_rows + i / E * s.key_width);
    to_rows<E>(dout_of(b, g, i), pair ? dout_of(b, g, i + E - 1) : nullptr, b.value_dim, s.dout_rows + i / E * s.value_width);
  }
  for (int64_t i = 0; i < queries * s.key_width; ++i) s.dq[i] = 0.0f;
  for (int64_t d = 0; d < larger(s.key_width, s.value_width); ++d) s.unused[d] = 0.0f;
}

// words[q] = the 16 products of query q's words with the tile.
template <int E, int kQueries>
PONDER_INLINE void tile_products(const uint32_t* q, int64_t stride, int64_t words, const uint32_t* across, V16* out) {
  for (int i = 0; i < kQueries; ++i) out[i] = v_zero();
  for (int64_t w = 0; w < words; ++w) {
    const W16 key = w_load(across + w * 16);
    for (int i = 0; i < kQueries; ++i) out[i] = mac<E>(out[i], w_set(q[i * stride + w]), key);
  }
}

// p and ds of the queries [query, query + kQueries) and the tile at position `start`; query is even.
template <int E, int kQueries>
PONDER_INLINE void tile_weights(const AttentionBlock& b, const BackwardScratch<E>& s, int64_t query, int64_t start) {
  V16 z[kQueries + 1], dp[kQueries + 1];
  tile_products<E, kQueries>(s.q + query * s.key_words, s.key_words, words_of<E>(b.key_dim), s.across, z);
  tile_products<E, kQueries>(s.dout + query * s.value_words, s.value_words, words_of<E>(b.value_dim), s.value_across, dp);
  for (int i = 0; i < kQueries; ++i) {
    const auto at = query_at(b, query + i);
    const AttentionRow& row = b.rows[at.row];
    int low, high;
    visible_lanes(start, row.first_visible, row.position, &low, &high);
    const V16 p = v_exp(v_sub(v_mul(z[i], v_set(b.scale)), v_set(row.log_sum[at.head])));
    z[i] = only_lanes(p, low, high, v_zero());
    dp[i] = v_mul(v_mul(z[i], v_sub(dp[i], v_set(s.delta[query + i]))), v_set(b.scale));
    to_words_of_lanes<E>(dp[i], s.ds_rows + (query + i) * (kTileKeys / E));
    z[i] = as_operand<E>(z[i]);
    dp[i] = as_operand<E>(dp[i]);
  }
  z[kQueries] = dp[kQueries] = v_zero();
  for (int i = 0; i < kQueries; i += E) {
    w_store(s.p + (query + i) / E * kTileKeys, joined<E>(z[i], z[i + E - 1]));
    w_store(s.ds + (query + i) / E * kTileKeys, joined<E>(dp[i], dp[i + E - 1]));
  }
}

// out[r] += sum over k of weight(r, k) * rows[k], for kRows vectors and 16 kColumns elements, `left` of them in memory.
template <int E, int kRows, int kColumns>
PONDER_INLINE void add_rows(const uint32_t* weights, int64_t row_stride, int64_t word_stride, const uint32_t* rows, int64_t words,
                            int64_t width, float* const* out, int64_t d, int64_t left) {
  V16 acc[kRows][kColumns];
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kColumns; ++c) acc[r][c] = load_some(out[r] + d + 16 * c, left - 16 * c);
  for (int64_t k = 0; k < words; ++k) {
    W16 x[kColumns];
    for (int c = 0; c < kColumns; ++c) x[c] = w_load(rows + k * width + d + 16 * c);
    for (int r = 0; r < kRows; ++r) {
      const W16 w = w_set(weights[r * row_stride + k * word_stride]);
      for (int c = 0; c < kColumns; ++c) acc[r][c] = mac<E>(acc[r][c], w, x[c]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kColumns; ++c) store_some(out[r] + d + 16 * c, acc[r][c], left - 16 * c);
}

template <int E, int kRows>
PONDER_INLINE void add_rows_all(const uint32_t* weights, int64_t row_stride, int64_t word_stride, const uint32_t* rows, int64_t words,
                                int64_t width, float* const* out, int64_t dim) {
  int64_t d = 0;
  for (; d + 64 <= dim; d += 64) add_rows<E, kRows, 4>(weights, row_stride, word_stride, rows, words, width, out, d, 64);
  for (; d < dim; d += 16) add_rows<E, kRows, 1>(weights, row_stride, word_stride, rows, words, width, out, d, dim - d);
}

// Adds to the gradients of the tile's keys, or of its values.
template <int E>
PONDER_INLINE void add_to_keys(const int64_t* ids, float* gradients, int64_t stride, float* unused, const uint32_t* weights,
                               const uint32_t* rows, int64_t words, int64_t width, int64_t dim) {
  for (int j = 0; j < kTileKeys; j += 4) {
    float* out[4];
    bool any = false;
    for (int i = 0; i < 4; ++i) {
      any = any || ids[j + i] >= 0;
      out[i] = ids[j + i] < 0 ? unused : gradients + ids[j + i] * stride;
    }
    if (any) add_rows_all<E, 4>(weights + j, 1, kTileKeys, rows, words, width, out, dim);
  }
}

template <int E>
PONDER_INLINE void add_to_queries(const BackwardScratch<E>& s, int64_t first, int64_t queries, int64_t key_dim) {
  int64_t i = first;
  for (; i + 4 <= queries; i += 4) {
    float* out[4];
    for (int r = 0; r < 4; ++r) out[r] = s.dq + (i + r) * s.key_width;
    add_rows_all<E, 4>(s.ds_rows + i * (kTileKeys / E), kTileKeys / E, 1, s.key_rows, kTileKeys / E, s.key_width, out, key_dim);
  }
  for (; i < queries; ++i) {
    float* out = s.dq + i * s.key_width;
    add_rows_all<E, 1>(s.ds_rows + i * (kTileKeys / E), kTileKeys / E, 1, s.key_rows, kTileKeys / E, s.key_width, &out, key_dim);
  }
}

template <int E>
PONDER_INLINE void tile_backward(const AttentionBlock& b, const AttentionGradientBlock& g, const BackwardScratch<E>& s, int64_t queries,
                                 int64_t start) {
  int64_t ids[kTileKeys];
  Tile<E> keys, values;
  for (int64_t j = 0; j < kTileKeys; ++j)  // what nobody here sees is absent
    ids[j] = start + j > b.rows[b.count - 1].position ? -1 : key_row_at(b.rows[0], start + j);
  find_tiles<E>(b, ids, &keys, &values);
  load_across<E, false>(keys, b.key_dim, s.across);
  load_across<E, false>(values, b.value_dim, s.value_across);
  load_rows<E, false>(keys, b.key_dim, s.key_rows);
  // Rows before the tile see none of it.
  const int64_t before = larger(start - b.rows[0].position, 0) * b.heads_per_key, first = before / 4 * 4;
  int64_t i = first;
  for (; i + 4 <= queries; i += 4) tile_weights<E, 4>(b, s, i, start);
  switch (queries - i) {
    case 3: tile_weights<E, 3>(b, s, i, start); break;
    case 2: tile_weights<E, 2>(b, s, i, start); break;
    case 1: tile_weights<E, 1>(b, s, i, start); break;
    default: break;
  }
  const int64_t words = words_of<E>(queries) - first / E, at = first / E;
  add_to_keys<E>(ids, g.dkeys, g.dkey_stride, s.unused, s.ds + at * kTileKeys, s.q_rows + at * s.key_width, words, s.key_width, b.key_dim);
  add_to_keys<E>(ids, g.dvalues ? g.dvalues : g.dkeys, g.dvalues ? g.dvalue_stride : g.dkey_stride, s.unused, s.p + at * kTileKeys,
                 s.dout_rows + at * s.value_width, words, s.value_width, b.value_dim);
  add_to_queries<E>(s, first, queries, b.key_dim);
}

template <int E>
PONDER_INLINE void attention_backward_block(const AttentionBlock& b, const AttentionGradientBlock& g) {
  const int64_t queries = b.count * b.heads_per_key;
  const BackwardScratch<E> s(b.scratch, queries, b.key_dim, b.value_dim);
  load_queries<E>(b, g, s, queries);
  for (int64_t start = b.rows[0].first_visible / 16 * 16; start <= b.rows[b.count - 1].position; start += kTileKeys)
    tile_backward<E>(b, g, s, queries, start);
  for (int64_t i = 0; i < queries; ++i) {
    float* dq = g.dq + query_at(b, i).row * g.dq_stride + query_at(b, i).head * b.key_dim;
    for (int64_t d = 0; d < b.key_dim; d += 16) store_some(dq + d, v_load(s.dq + i * s.key_width + d), b.key_dim - d);
  }
}

void attention_backward_bf16(const AttentionBlock& b, const AttentionGradientBlock& g) { attention_backward_block<2>(b, g); }
void attention_backward_f32(const AttentionBlock& b, const AttentionGradientBlock& g) { attention_backward_block<1>(b, g); }

}  // namespace
