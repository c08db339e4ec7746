// Attention over key spans: against float64, and the same bits however the keys are laid out.
#include <cmath>

#include "kernels/attention.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

using namespace kernels;
using testing::random_f32;
using testing::same_bits;

namespace {

struct Problem {
  AttentionShape shape;
  int64_t length;
  int64_t window;
  bool value_in_key;
};

// float64: out[n][h][d] of a sequence whose key rows are 0..length-1. Inputs are float32 values, widened.
struct Exact {
  std::vector<double> out;
};

Exact exact_attention(const std::vector<double>& q, const std::vector<double>& k, const std::vector<double>& v, const Problem& p) {
  const auto& s = p.shape;
  const int64_t per_key = s.heads / s.key_heads;
  Exact e;
  e.out.assign(static_cast<size_t>(p.length * s.heads * s.value_dim), 0.0);
  for (int64_t n = 0; n < p.length; ++n)
    for (int64_t h = 0; h < s.heads; ++h) {
      const int64_t kh = h / per_key, first = p.window > 0 ? std::max<int64_t>(0, n - p.window + 1) : 0;
      std::vector<double> score;
      double largest = -1e300, sum = 0;
      for (int64_t j = first; j <= n; ++j) {
        double x = 0;
        for (int64_t d = 0; d < s.key_dim; ++d) x += q[(n * s.heads + h) * s.key_dim + d] * k[(j * s.key_heads + kh) * s.key_dim + d];
        score.push_back(x * s.scale);
        largest = std::max(largest, score.back());
      }
      for (double& x : score) sum += (x = std::exp(x - largest));
      for (int64_t j = first; j <= n; ++j)
        for (int64_t d = 0; d < s.value_dim; ++d) {
          const double value = p.value_in_key ? k[(j * s.key_heads + kh) * s.key_dim + d] : v[(j * s.key_heads + kh) * s.value_dim + d];
          e.out[(n * s.heads + h) * s.value_dim + d] += score[j - first] / sum * value;
        }
    }
  return e;
}

std::vector<double> wide(const at::Tensor& x) {
  if (!x.defined()) return {};
  const at::Tensor y = dtype_of(x) == Dtype::bf16 ? widened(x) : x;
  return std::vector<double>(f32(y), f32(y) + y.numel());
}

// Rows [R, K, d] as a storage, from row `first` on of one with at least `rows` rows.
at::Tensor stored(const at::Tensor& x, int64_t rows = 0, int64_t first = 0) {
  if (!x.defined()) return {};
  at::Tensor tiles = make_key_tiles(dtype_of(x), std::max(rows, first + x.size(0)), x.size(1), x.size(2));
  tiles.zero_();
  std::vector<int64_t> at;
  for (int64_t i = 0; i < x.size(0); ++i) at.push_back(first + i);
  store_key_rows(widened(x), at.data(), tiles);
  return tiles;
}

AttentionSegment whole(int64_t length, int64_t window) {
  AttentionSegment s;
  s.rows = length;
  s.window = window;
  s.spans = {{0, 0, length}};
  return s;
}

const Problem problems[] = {
    {{3, 1, 64, 64, 0.125f}, 40, 0, false}, {{4, 2, 6, 10, 0.4f}, 33, 0, false}, {{4, 1, 24, 16, 0.2f}, 37, 0, true},
    {{2, 2, 20, 20, 0.3f}, 50, 7, false},   {{1, 1, 2, 1, 1.0f}, 1, 0, false},   {{8, 1, 70, 66, 0.1f}, 18, 0, true},
    {{3, 1, 64, 64, 0.2f}, 150, 0, false},  {{2, 1, 34, 18, 0.2f}, 139, 70, false}, {{5, 1, 33, 16, 0.2f}, 131, 0, true},
};

}  // namespace

TEST_CASE("attention of two keys, by hand", "[attention]") {
  // One head of size 1: q = ln 3, keys 0 and 1: scores 0 and ln 3, softmax 1/4 and 3/4; values 8 and 4: 0.25*8 + 0.75*4 = 5.
  const at::Tensor q = empty_f32({2, 1, 1}), k = empty_f32({2, 1, 1}), v = empty_f32({2, 1, 1});
  f32(q)[0] = 1.0f, f32(q)[1] = std::log(3.0f), f32(k)[0] = 0.0f, f32(k)[1] = 1.0f, f32(v)[0] = 8.0f, f32(v)[1] = 4.0f;
  const auto out = attention(q, stored(k), stored(v), AttentionPlan({whole(2, 0)}), {1, 1, 1, 1, 1.0f});
  REQUIRE(f32(out.out)[0] == 8.0f);
  REQUIRE(f32(out.out)[1] == Approx(5.0).epsilon(1e-6));
  REQUIRE(f32(out.log_sum)[1] == Approx(std::log(4.0)).epsilon(1e-6));
}

TEST_CASE("attention agrees with float64 on every instruction set", "[attention]") {
  for (const Problem& p : problems) {
    for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
      const auto& s = p.shape;
      const at::Tensor q = random_f32({p.length, s.heads, s.key_dim}, 1);
      const at::Tensor k = rounded(random_f32({p.length, s.key_heads, s.key_dim}, 2), dtype);
      const at::Tensor v = p.value_in_key ? at::Tensor() : rounded(random_f32({p.length, s.key_heads, s.value_dim}, 3), dtype);
      const auto exact = exact_attention(wide(q), wide(k), wide(v), p);
      at::Tensor first;
      for (const char* isa : {"plain", "avx2", "avx512"}) {
        if (!cpu_kernels_named(isa)) { WARN("this processor lacks " << isa); continue; }
        use_cpu_kernels(isa);
        const auto out = attention(q, stored(k), stored(v), AttentionPlan({whole(p.length, 0)}, p.window), s);
        const auto got = wide(out.out);
        // bf16 output: half a unit in the last of 8 bits of numbers up to about 3.
        const double budget = dtype == Dtype::bf16 ? 0.01 : 3e-6;
        for (size_t i = 0; i < got.size(); ++i) REQUIRE(std::abs(got[i] - exact.out[i]) <= budget);
        if (first.defined()) REQUIRE(same_bits(first, out.log_sum));
        first = out.log_sum;
      }
    }
  }
}

TEST_CASE("a paged cache, chunked prefill, decoding and a group tree give the same bits as one packed sequence", "[attention]") {
  const AttentionShape s{4, 2, 20, 20, 0.3f};
  const int64_t prompt = 85, length = 141;
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor q = random_f32({length, s.heads, s.key_dim}, 1);
    const at::Tensor k = rounded(random_f32({length, s.key_heads, s.key_dim}, 2), dtype);
    const at::Tensor v = rounded(random_f32({length, s.key_heads, s.value_dim}, 3), dtype);
    const auto packed = attention(q, stored(k), stored(v), AttentionPlan({whole(length, 0)}), s);

    // Pages of 16 rows in a shuffled order.
    const std::vector<int64_t> page_of{2, 0, 1, 7, 5, 3, 4, 8, 6};
    const at::Tensor pk = make_key_tiles(dtype, 144, s.key_heads, s.key_dim), pv = make_key_tiles(dtype, 144, s.key_heads, s.value_dim);
    AttentionSegment paged;
    std::vector<int64_t> rows_of_cache;
    for (int64_t page = 0; page < 9; ++page) {
      const int64_t count = std::min<int64_t>(16, length - 16 * page);
      for (int64_t i = 0; i < count; ++i) rows_of_cache.push_back(16 * page_of[page] + i);
      paged.spans.push_back({16 * page_of[page], 16 * page, count});
    }
    store_key_rows(widened(k), rows_of_cache.data(), pk);
    store_key_rows(widened(v), rows_of_cache.data(), pv);
    for (int64_t chunk : {1, 7, 141}) {  // decoding one by one, chunks, all at once
      for (int64_t first = 0; first < length; first += chunk) {
        paged.rows = std::min(chunk, length - first);
        paged.first_position = first;
        const auto part = attention(q.narrow(0, first, paged.rows), pk, pv, AttentionPlan({paged}), s);
        REQUIRE(same_bits(part.out, packed.out.narrow(0, first, paged.rows)));
        REQUIRE(same_bits(part.log_sum, packed.log_sum.narrow(0, first, paged.rows)));
      }
    }

    // Eight sequences decoded together, of two kinds, with pages of their own.
    {
      const at::Tensor k2 = rounded(random_f32({length, s.key_heads, s.key_dim}, 5), dtype);
      const at::Tensor v2 = rounded(random_f32({length, s.key_heads, s.value_dim}, 6), dtype);
      const at::Tensor both_k = make_key_tiles(dtype, 288, s.key_heads, s.key_dim), both_v = make_key_tiles(dtype, 288, s.key_heads, s.value_dim);
      std::vector<int64_t> rows_of_other;
      AttentionSegment last = paged, other;
      for (const int64_t row : rows_of_cache) rows_of_other.push_back(row + 144);
      for (const KeySpan& span : paged.spans) other.spans.push_back({span.first_key_row + 144, span.first_position, span.length});
      store_key_rows(widened(k), rows_of_cache.data(), both_k), store_key_rows(widened(v), rows_of_cache.data(), both_v);
      store_key_rows(widened(k2), rows_of_other.data(), both_k), store_key_rows(widened(v2), rows_of_other.data(), both_v);
      last.rows = other.rows = 1, last.first_position = other.first_position = length - 1;
      const at::Tensor q8 = zeros_f32({8, s.heads, s.key_dim});
      std::vector<AttentionSegment> segments;
      for (int64_t i = 0; i < 8; ++i) {
        q8.narrow(0, i, 1).copy_(q.narrow(0, length - 1, 1));
        segments.push_back(i % 2 == 0 ? last : other);
        segments.back().first_row = i;
      }
      const auto own = attention(q, stored(k2), stored(v2), AttentionPlan({whole(length, 0)}), s);
      set_threads(1);  // four rows to a block
      const auto out = attention(q8, both_k, both_v, AttentionPlan(segments), s);
      set_threads(0);
      for (int64_t i = 0; i < 8; ++i)
        REQUIRE(same_bits(out.out.narrow(0, i, 1), (i % 2 == 0 ? packed : own).out.narrow(0, length - 1, 1)));
    }

    // A tree: the prompt's rows once, then two branches, the second being this sequence; some padding between.
    const int64_t branch = length - prompt, second = prompt + branch + 3;
    const int64_t rows = second + branch;
    at::Tensor tq = zeros_f32({rows, s.heads, s.key_dim}), tk = zeros_of(dtype, {rows, s.key_heads, s.key_dim}), tv = zeros_of(dtype, {rows, s.key_heads, s.value_dim});
    tq.narrow(0, 0, prompt).copy_(q.narrow(0, 0, prompt)), tq.narrow(0, second, branch).copy_(q.narrow(0, prompt, branch));
    tk.narrow(0, 0, prompt).copy_(k.narrow(0, 0, prompt)), tk.narrow(0, second, branch).copy_(k.narrow(0, prompt, branch));
    tv.narrow(0, 0, prompt).copy_(v.narrow(0, 0, prompt)), tv.narrow(0, second, branch).copy_(v.narrow(0, prompt, branch));
    AttentionSegment root = whole(prompt, 0), one, two;
    one.first_row = prompt, one.rows = branch, one.first_position = prompt, one.spans = {{0, 0, prompt}, {prompt, prompt, branch}};
    two = one, two.first_row = second, two.spans[1].first_key_row = second;
    for (int64_t n : {1, 3}) {
      set_threads(n);
      const auto tree = attention(tq, stored(tk), stored(tv), AttentionPlan({root, one, two}), s);
      REQUIRE(same_bits(tree.out.narrow(0, 0, prompt), packed.out.narrow(0, 0, prompt)));
      REQUIRE(same_bits(tree.out.narrow(0, second, branch), packed.out.narrow(0, prompt, branch)));
    }
    set_threads(0);
  }
}

TEST_CASE("the gradient of attention agrees with float64 finite differences", "[attention]") {
  for (const Problem& p : problems) {
    const auto& s = p.shape;
    const at::Tensor q = random_f32({p.length, s.heads, s.key_dim}, 1), k = random_f32({p.length, s.key_heads, s.key_dim}, 2);
    const at::Tensor v = p.value_in_key ? at::Tensor() : random_f32({p.length, s.key_heads, s.value_dim}, 3);
    const at::Tensor dout = random_f32({p.length, s.heads, s.value_dim}, 4);
    auto loss = [&](const std::vector<double>& qd, const std::vector<double>& kd, const std::vector<double>& vd) {
      const auto e = exact_attention(qd, kd, vd, p);
      double sum = 0;
      for (size_t i = 0; i < e.out.size(); ++i) sum += e.out[i] * f32(dout)[i];
      return sum;
    };
    at::Tensor first;
    for (const char* isa : {"plain", "avx2", "avx512"}) {
      if (!cpu_kernels_named(isa)) continue;
      use_cpu_kernels(isa);
      const AttentionPlan plan({whole(p.length, p.window)});
      const auto d = attention_backward(dout, q, stored(k), stored(v), attention(q, stored(k), stored(v), plan, s), plan, s);
      if (first.defined()) REQUIRE(same_bits(first, d.q));
      if (!first.defined()) {
        auto check = [&](int which, const at::Tensor& gradient, int64_t count) {
          for (int64_t i = 0; i < count; i += std::max<int64_t>(1, count / 12)) {
            std::vector<double> x[3] = {wide(q), wide(k), wide(v)};
            const double h = 1e-5, center = x[which][i];
            x[which][i] = center + h;
            const double up = loss(x[0], x[1], x[2]);
            x[which][i] = center - h;
            const double down = loss(x[0], x[1], x[2]);
            REQUIRE(f32(gradient)[i] == Approx((up - down) / (2 * h)).margin(2e-4).epsilon(2e-4));
          }
        };
        check(0, d.q, q.numel());
        check(1, d.keys, k.numel());
        if (v.defined()) check(2, d.values, v.numel());
      }
      first = d.q;
    }
  }
}

// float64, from the formulas: ds = scale p (dout.v - dout.out). Inputs are bf16 values, so that only p, ds and the output
// are rounded on the way.
TEST_CASE("the bf16 gradient of attention is a few bf16 roundings from float64", "[attention]") {
  const Problem p{{6, 2, 32, 48, 0.3f}, 100, 0, false};
  const auto& s = p.shape;
  const auto bf16_random = [](std::initializer_list<int64_t> shape, int seed) { return rounded(random_f32(shape, seed), Dtype::bf16); };
  const at::Tensor q = widened(bf16_random({p.length, s.heads, s.key_dim}, 1)), k = bf16_random({p.length, s.key_heads, s.key_dim}, 2);
  const at::Tensor v = bf16_random({p.length, s.key_heads, s.value_dim}, 3), dout = widened(bf16_random({p.length, s.heads, s.value_dim}, 4));
  const auto wq = wide(q), wk = wide(k), wv = wide(v), wd = wide(dout);
  std::vector<double> dq(wq.size()), dk(wk.size()), dv(wv.size());
  const int64_t per_key = s.heads / s.key_heads;
  for (int64_t n = 0; n < p.length; ++n)
    for (int64_t h = 0; h < s.heads; ++h) {
      const double *qn = &wq[(n * s.heads + h) * s.key_dim], *dn = &wd[(n * s.heads + h) * s.value_dim];
      std::vector<double> w, dp;
      double sum = 0, delta = 0;
      for (int64_t j = 0; j <= n; ++j) {
        const double *kj = &wk[(j * s.key_heads + h / per_key) * s.key_dim], *vj = &wv[(j * s.key_heads + h / per_key) * s.value_dim];
        double score = 0, product = 0;
        for (int64_t d = 0; d < s.key_dim; ++d) score += qn[d] * kj[d];
        for (int64_t d = 0; d < s.value_dim; ++d) product += dn[d] * vj[d];
        w.push_back(std::exp(score * s.scale)), dp.push_back(product);
        sum += w.back();
      }
      for (int64_t j = 0; j <= n; ++j) w[j] /= sum, delta += w[j] * dp[j];
      for (int64_t j = 0; j <= n; ++j) {
        const int64_t at = j * s.key_heads + h / per_key;
        const double ds = w[j] * (dp[j] - delta) * s.scale;
        for (int64_t d = 0; d < s.key_dim; ++d) {
          dq[(n * s.heads + h) * s.key_dim + d] += ds * wk[at * s.key_dim + d];
          dk[at * s.key_dim + d] += ds * qn[d];
        }
        for (int64_t d = 0; d < s.value_dim; ++d) dv[at * s.value_dim + d] += w[j] * dn[d];
      }
    }
  const AttentionPlan plan({whole(p.length, 0)});
  at::Tensor first[3];
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (!cpu_kernels_named(isa)) { WARN("this processor lacks " << isa); continue; }
    use_cpu_kernels(isa);
    const auto d = attention_backward(dout, q, stored(k), stored(v), attention(q, stored(k), stored(v), plan, s), plan, s);
    const at::Tensor got[3] = {d.q, d.keys, d.values};
    const std::vector<double>* exact[3] = {&dq, &dk, &dv};
    for (int i = 0; i < 3; ++i) {
      // Relative error of the whole tensor: a rounding to 8 bits is 2^-9 at most, and a few of them add up.
      double error = 0, norm = 0;
      for (int64_t e = 0; e < static_cast<int64_t>(exact[i]->size()); ++e) {
        error += std::pow(f32(got[i])[e] - (*exact[i])[e], 2), norm += std::pow((*exact[i])[e], 2);
      }
      CHECK(std::sqrt(error / norm) < 0.005);
      if (first[i].defined()) CHECK(same_bits(first[i], got[i]));
      first[i] = got[i];
    }
  }
}

TEST_CASE("neighbours that share a prompt give the bits that each gives alone", "[attention]") {
  // Ten branches of 1 row after a prompt of 70: the prompt's full tiles are shared, the last is each branch's own.
  const AttentionShape s{6, 2, 32, 32, 0.3f};
  const int64_t prompt = 70, branches = 10;
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor q = random_f32({branches, s.heads, s.key_dim}, 1);
    const at::Tensor k = rounded(random_f32({prompt + 5 * branches, s.key_heads, s.key_dim}, 2), dtype);
    const at::Tensor v = rounded(random_f32({prompt + 5 * branches, s.key_heads, s.value_dim}, 3), dtype);
    std::vector<AttentionSegment> all;
    for (int64_t i = 0; i < branches; ++i) {
      AttentionSegment branch;
      branch.first_row = i, branch.rows = 1, branch.first_position = prompt + i % 5;
      branch.spans = {{0, 0, prompt}, {prompt + 5 * i, prompt, i % 5 + 1}};
      all.push_back(branch);
    }
    for (int64_t n : {1, 2}) {
      set_threads(n);
      const auto together = attention(q, stored(k), stored(v), all, s);
      for (int64_t i = 0; i < branches; ++i) {
        AttentionSegment alone = all[i];
        alone.first_row = 0;
        const auto one = attention(q.narrow(0, i, 1), stored(k), stored(v), AttentionPlan({alone}), s);
        REQUIRE(same_bits(one.out, together.out.narrow(0, i, 1)));
        REQUIRE(same_bits(one.log_sum, together.log_sum.narrow(0, i, 1)));
      }
    }
    set_threads(0);
  }
}

TEST_CASE("spans that leave the storage or leave a gap are refused", "[attention]") {
  const at::Tensor q = zeros_f32({2, 1, 4}), k = zeros_f32({2, 1, 4});
  AttentionSegment s = whole(2, 0);
  s.spans = {{0, 0, 17}};
  REQUIRE_THROWS_WITH(attention(q, stored(k), stored(k), AttentionPlan({s}), {1, 1, 4, 4, 1.0f}), Catch::Contains("storage of 16 rows"));
  s.spans = {{0, 0, 1}, {1, 2, 1}};
  REQUIRE_THROWS_WITH(attention(q, stored(k), stored(k), AttentionPlan({s}), {1, 1, 4, 4, 1.0f}), Catch::Contains("does not follow"));
  s.spans = {{0, 0, 1}};
  REQUIRE_THROWS_WITH(attention(q, stored(k), stored(k), AttentionPlan({s}), {1, 1, 4, 4, 1.0f}), Catch::Contains("last row is at 1"));
}
