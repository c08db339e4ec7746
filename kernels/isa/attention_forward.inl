// Attention of a block of query rows over one key head, 64 positions a step: scores, one step of the online softmax, and
// the weighted sum of the values.
//
// For a query, every score is one chain over the key's words, a step's largest and sum come from a fixed tree, and each
// element of the output is one chain over the keys in order. What else is in the block cannot change its bits. In bf16
// the query and the weights are rounded where they enter a product; the sum of the weights is not.
namespace {

template <int E>
struct ForwardScratch {
  uint32_t* q;       // [queries][query_words]
  float *out, *largest, *sum;  // [queries][value_width], [queries], [queries]
  uint32_t *across, *rows;     // of the step's four tiles
  int64_t* loaded;             // [4][16] what is in them: storage rows, -1: none; or in the first place -3 - a whole tile
  int64_t query_words, value_width;

  ForwardScratch(void* memory, int64_t queries, int64_t key_dim, int64_t value_dim) {
    Scratch s{static_cast<char*>(memory)};
    query_words = words_of<E>(padded(key_dim));
    value_width = padded(value_dim);
    q = s.take<uint32_t>(queries * query_words);
    out = s.take<float>(queries * value_width);
    largest = s.take<float>(queries);
    sum = s.take<float>(queries);
    across = s.take<uint32_t>(kStepTiles * query_words * kTileKeys);
    rows = s.take<uint32_t>(kStepKeys / E * value_width);
    loaded = s.take<int64_t>(kStepKeys);
    end = s.next;
  }
  char* end;
};

int64_t attention_scratch(int64_t rows, int64_t heads_per_key, int64_t key_dim, int64_t value_dim) {
  char* const base = reinterpret_cast<char*>(64);  // only measured from
  return ForwardScratch<1>(base, rows * heads_per_key, key_dim, value_dim).end - base;
}

// s[q][t] = the 16 scores of query q with tile t.
template <int E, int kQueries, int kTiles>
PONDER_INLINE void scores(const uint32_t* q, int64_t query_words, int64_t words, const uint32_t* across, int64_t tile_words, float* z) {
  V16 s[kQueries][kTiles];
  for (int i = 0; i < kQueries; ++i)
    for (int t = 0; t < kTiles; ++t) s[i][t] = v_zero();
  for (int64_t w = 0; w < words; ++w) {
    W16 key[kTiles];
    for (int t = 0; t < kTiles; ++t) key[t] = w_load(across + t * tile_words + w * 16);
    for (int i = 0; i < kQueries; ++i) {
      const W16 x = w_set(q[i * query_words + w]);
      for (int t = 0; t < kTiles; ++t) s[i][t] = mac<E>(s[i][t], x, key[t]);
    }
  }
  for (int i = 0; i < kQueries; ++i)
    for (int t = 0; t < kTiles; ++t) v_store(z + i * kStepKeys + 16 * t, s[i][t]);
}

template <int E, int kQueries>
PONDER_INLINE void scores_of_tiles(int64_t tiles, const uint32_t* q, int64_t query_words, int64_t words, const uint32_t* across,
                                   int64_t tile_words, float* z) {
  switch (tiles) {
    case 1: return scores<E, kQueries, 1>(q, query_words, words, across, tile_words, z);
    case 2: return scores<E, kQueries, 2>(q, query_words, words, across, tile_words, z);
    case 3: return scores<E, kQueries, 3>(q, query_words, words, across, tile_words, z);
    default: return scores<E, kQueries, 4>(q, query_words, words, across, tile_words, z);
  }
}

// out[q][d] = correction[q] * out[q][d] + the weighted values, over the words of weight of tiles [first, end).
template <int E, int kQueries, int kColumns>
PONDER_INLINE void add_values(const uint32_t* weights, const float* correction, const uint32_t* rows, int64_t first, int64_t end,
                              int64_t width, float* out) {
  V16 acc[kQueries][kColumns];
  for (int i = 0; i < kQueries; ++i)
    for (int c = 0; c < kColumns; ++c) acc[i][c] = v_mul(v_load(out + i * width + 16 * c), v_set(correction[i]));
  for (int64_t w = first; w < end; ++w) {
    W16 value[kColumns];
    for (int c = 0; c < kColumns; ++c) value[c] = w_load(rows + w * width + 16 * c);
    for (int i = 0; i < kQueries; ++i) {
      const W16 p = w_set(weights[i * (kStepKeys / E) + w]);
      for (int c = 0; c < kColumns; ++c) acc[i][c] = mac<E>(acc[i][c], p, value[c]);
    }
  }
  for (int i = 0; i < kQueries; ++i)
    for (int c = 0; c < kColumns; ++c) v_store(out + i * width + 16 * c, acc[i][c]);
}

// One query's step of the online softmax over tiles [first, end): scores z become weights. Returns false if it sees none.
template <int E>
PONDER_INLINE bool softmax_step(const float* z, const AttentionRow& row, int64_t start, int64_t first, int64_t end, float scale,
                                float* largest, float* sum, uint32_t* weights, float* correction) {
  const V16 none = v_set(-__builtin_inff());
  V16 x[kStepTiles], most = none;
  for (int64_t t = 0; t < kStepTiles; ++t) {
    x[t] = none;
    if (t < first || t >= end) continue;
    int low, high;
    visible_lanes(start + 16 * t, row.first_visible, row.position, &low, &high);
    x[t] = only_lanes(v_mul(v_load(z + 16 * t), v_set(scale)), low, high, none);
    most = v_max(most, x[t]);
  }
  const float step_largest = v_largest(most);
  const float now = *largest > step_largest ? *largest : step_largest;
  *correction = 1.0f;
  if (now == -__builtin_inff()) {
    for (int64_t w = first * 16 / E; w < end * 16 / E; ++w) weights[w] = 0;
    return false;
  }
  const V16 shift = v_set(now);
  for (int64_t t = 0; t < kStepTiles; ++t) x[t] = t < first || t >= end ? v_zero() : v_exp(v_sub(x[t], shift));
  for (int64_t t = first; t < end; ++t) to_words_of_lanes<E>(x[t], weights + t * (kTileKeys / E));
  if (now != *largest) *correction = s_exp(*largest - now);
  *sum = *sum * *correction + v_sum(v_add(v_add(x[0], x[1]), v_add(x[2], x[3])));
  *largest = now;
  return true;
}

// kQueries queries against the tiles [first, end) of the step that begins at position `start`.
template <int E, int kQueries>
PONDER_INLINE void query_step(const AttentionBlock& b, const ForwardScratch<E>& s, int64_t query, int64_t start, int64_t first, int64_t end) {
  float z[kQueries * kStepKeys], correction[kQueries];
  uint32_t weights[kQueries * kStepKeys];
  const int64_t tile_words = s.query_words * kTileKeys;
  scores_of_tiles<E, kQueries>(end - first, s.q + query * s.query_words, s.query_words, words_of<E>(b.key_dim),
                               s.across + first * tile_words, tile_words, z + 16 * first);
  for (int i = 0; i < kQueries; ++i)
    softmax_step<E>(z + i * kStepKeys, b.rows[(query + i) / b.heads_per_key], start, first, end, b.scale, s.largest + query + i,
                    s.sum + query + i, weights + i * (kStepKeys / E), correction + i);
  float* out = s.out + query * s.value_width;
  int64_t d = 0;
  for (; d + 64 <= s.value_width; d += 64)
    add_values<E, kQueries, 4>(weights, correction, s.rows + d, first * 16 / E, end * 16 / E, s.value_width, out + d);
  for (; d < s.value_width; d += 16)
    add_values<E, kQueries, 1>(weights, correction, s.rows + d, first * 16 / E, end * 16 / E, s.value_width, out + d);
}

PONDER_INLINE int64_t key_row_at(const AttentionRow& row, int64_t position) {
  const int64_t i = position - row.first_key_position;
  return i < 0 || i >= row.keys ? -1 : row.key_rows[i];
}

PONDER_INLINE bool same_keys(const AttentionRow& row, int64_t start, const int64_t* ids) {
  for (int64_t j = 0; j < kTileKeys; ++j)
    if (key_row_at(row, start + j) != ids[j]) return false;
  return true;
}

// The storage tile of the 16 positions from `start` on, or -1.
PONDER_INLINE int64_t key_tile_at(const AttentionRow& row, int64_t start) {
  const int64_t i = start / kTileKeys - row.first_key_position / kTileKeys;
  return start < row.first_key_position || start >= row.first_key_position + row.keys ? -1 : row.key_tiles[i];
}

// Asks for the keys and values of 16 positions that another row will read: a cache is larger than what the processor
// keeps, and its pages are scattered.
template <int E>
PONDER_INLINE void prefetch_tile(const AttentionBlock& b, const AttentionRow& row, int64_t start) {
  const auto ask = [](const Element<E>* from, int64_t count) {
    for (int64_t d = 0; d < count; d += 64 / static_cast<int64_t>(sizeof(Element<E>))) __builtin_prefetch(from + d, 0, 2);
  };
  const int64_t from = larger(start, row.first_visible), to = smaller(start + kTileKeys - 1, row.position), tile = key_tile_at(row, start);
  if (tile >= 0 && from <= to) {
    ask(static_cast<const Element<E>*>(b.keys) + tile * b.key_tile_stride, kTileKeys * b.key_dim);
    if (b.values) ask(static_cast<const Element<E>*>(b.values) + tile * b.value_tile_stride, kTileKeys * b.value_dim);
    return;
  }
  for (int64_t at = from; at <= to; ++at) {
    const int64_t id = key_row_at(row, at);
    if (id < 0) continue;
    ask(vector_at<E>(b.keys, b.key_tile_stride, b.key_dim, id), b.key_dim);
    if (b.values) ask(vector_at<E>(b.values, b.value_tile_stride, b.value_dim, id), b.value_dim);
  }
}

// Brings the row's tiles [first, end) of a step into the scratch. What is there already, of another row, stays: so the
// keys of a shared prompt are read once for all rows of the block. Tile by tile it asks for what row `then` reads next.
template <int E>
PONDER_INLINE void load_step(const AttentionBlock& b, const ForwardScratch<E>& s, const AttentionRow& row, int64_t start, int64_t first,
                             int64_t end, const AttentionRow& then, int64_t then_start) {
  for (int64_t t = first; t < end; ++t) {
    prefetch_tile<E>(b, then, then_start + t * kTileKeys);
    int64_t* ids = s.loaded + t * kTileKeys;
    const int64_t at = start + t * kTileKeys, tile = key_tile_at(row, at);
    uint32_t *across = s.across + t * s.query_words * kTileKeys, *rows = s.rows + t * (kTileKeys / E) * s.value_width;
    Tile<E> keys, values;
    if (tile >= 0) {
      const int64_t whole = -3 - tile;
      if (ids[0] == whole) continue;
      ids[0] = whole;
      find_whole_tiles<E>(b, tile, &keys, &values);
      load_across<E, true>(keys, b.key_dim, across);
      load_rows<E, true>(values, b.value_dim, rows);
    } else {
      if (same_keys(row, at, ids)) continue;
      for (int64_t j = 0; j < kTileKeys; ++j) ids[j] = key_row_at(row, at + j);
      find_tiles<E>(b, ids, &keys, &values);
      load_across<E, false>(keys, b.key_dim, across);
      load_rows<E, false>(values, b.value_dim, rows);
    }
  }
}

PONDER_INLINE bool one_segment(const AttentionRow& a, const AttentionRow& b) {
  return a.key_rows == b.key_rows && a.keys == b.keys && a.first_key_position == b.first_key_position;
}

// One step for all rows: runs of rows with the same keys go together.
template <int E>
PONDER_INLINE void block_step(const AttentionBlock& b, const ForwardScratch<E>& s, int64_t start) {
  for (int64_t r = 0; r < b.count;) {
    const AttentionRow& row = b.rows[r];
    int64_t low = row.first_visible, high = row.position, run = r + 1;
    for (; run < b.count && one_segment(row, b.rows[run]); ++run) {
      low = smaller(low, b.rows[run].first_visible);
      high = larger(high, b.rows[run].position);
    }
    const int64_t first = larger(low - start, 0) / kTileKeys, end = smaller((high - start) / kTileKeys + 1, kStepTiles);
    if (high >= start && first < end) {
      const bool last_run = run == b.count;
      load_step<E>(b, s, row, start, first, end, b.rows[last_run ? 0 : run], last_run ? start + kStepKeys : start);
      int64_t q = r * b.heads_per_key;
      const int64_t last = run * b.heads_per_key;
      for (; q + 4 <= last; q += 4) query_step<E, 4>(b, s, q, start, first, end);
      switch (last - q) {
        case 3: query_step<E, 3>(b, s, q, start, first, end); break;
        case 2: query_step<E, 2>(b, s, q, start, first, end); break;
        case 1: query_step<E, 1>(b, s, q, start, first, end); break;
        default: break;
      }
    }
    r = run;
  }
}

template <int E>
PONDER_INLINE void attention_forward(const AttentionBlock& b) {
  const int64_t queries = b.count * b.heads_per_key;
  const ForwardScratch<E> s(b.scratch, queries, b.key_dim, b.value_dim);
  int64_t low = b.rows[0].first_visible, high = b.rows[0].position;
  for (int64_t r = 0; r < b.count; ++r) {
    low = smaller(low, b.rows[r].first_visible);
    high = larger(high, b.rows[r].position);
    for (int64_t h = 0; h < b.heads_per_key; ++h)
      to_words<E>(b.rows[r].q + h * b.key_dim, b.key_dim, s.q + (r * b.heads_per_key + h) * s.query_words);
  }
  for (int64_t i = 0; i < queries * s.value_width; ++i) s.out[i] = 0.0f;
  for (int64_t i = 0; i < queries; ++i) s.largest[i] = -__builtin_inff(), s.sum[i] = 0.0f;
  for (int64_t j = 0; j < kStepKeys; ++j) s.loaded[j] = -2;
  for (int64_t start = low / kStepKeys * kStepKeys; start <= high; start += kStepKeys) {
    for (int64_t j = 0; j < kStepKeys; ++j) s.loaded[j] = -2;
    block_step<E>(b, s, start);
  }
  for (int64_t i = 0; i < queries; ++i) {
    const AttentionRow& row = b.rows[i / b.heads_per_key];
    const int64_t head = i % b.heads_per_key;
    const V16 inverse = v_set(1.0f / s.sum[i]);
    for (int64_t d = 0; d < b.value_dim; d += 16)
      store_some(static_cast<Element<E>*>(row.out) + head * b.value_dim + d, v_mul(v_load(s.out + i * s.value_width + d), inverse),
                 b.value_dim - d);
    row.log_sum[head] = s.largest[i] + s_log(s.sum[i]);
  }
}

void attention_bf16(const AttentionBlock& b) { attention_forward<2>(b); }
void attention_f32(const AttentionBlock& b) { attention_forward<1>(b); }

}  // namespace
