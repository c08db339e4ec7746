// Lists of kept ids, and log-probability, entropy and gradients over them.
#include "kernels/kept_ids.h"

#include <cmath>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/sample_token.h"
#include "kernels/thread_pool.h"
#include "kernels/token_logprob.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using namespace kernels;
using testing::random_f32;
using testing::same_bits;
using Ids = std::vector<int32_t>;

namespace {

Ids all_of(const KeptRow& row, int64_t first, int64_t end) {
  Ids out(static_cast<size_t>(end - first));
  out.resize(static_cast<size_t>(row.ids_in(first, end, out.data())));
  return out;
}

// Every `step`th id from `first` on.
Ids every(int64_t first, int64_t step, int64_t vocab) {
  Ids ids;
  for (int64_t id = first; id < vocab; id += step) ids.push_back(static_cast<int32_t>(id));
  return ids;
}

// Over the kept ids, in float64: log-probability, entropy and, with weights dl and de on them, the slope by each logit.
struct Exact {
  double logprob = 0, entropy = 0;
  std::vector<double> slopes;

  Exact(const std::vector<double>& logits, const Ids& kept, int32_t target, double inverse, double dl, double de) {
    double sum = 0, mean = 0, largest = -1e300;
    for (const int32_t v : kept) largest = std::max(largest, logits[static_cast<size_t>(v)] * inverse);
    for (const int32_t v : kept) sum += std::exp(logits[static_cast<size_t>(v)] * inverse - largest);
    const double log_z = largest + std::log(sum);
    const auto logp = [&](int32_t v) { return logits[static_cast<size_t>(v)] * inverse - log_z; };
    for (const int32_t v : kept) mean += std::exp(logp(v)) * logp(v);
    logprob = logp(target), entropy = -mean;
    slopes.assign(logits.size(), 0.0);
    for (const int32_t v : kept)
      slopes[static_cast<size_t>(v)] = inverse * (dl * ((v == target) - std::exp(logp(v))) - de * std::exp(logp(v)) * (logp(v) + entropy));
  }
};

PackedWeight packed(const at::Tensor& w, Dtype dtype) {
  PackedWeight p(dtype, 1, w.size(0), w.size(1));
  p.pack(matrix_view(f32(w), w.size(0), w.size(1)));
  return p;
}

// A list, a mask, one id, and no list.
struct Batch {
  int64_t rows = 4, vocab, width;
  at::Tensor x, w, dl, de;
  std::vector<Ids> lists;
  Ids targets;
  std::vector<float> inverse{1.0f, 0.8f, 1.5f, 1.0f};
  KeptIds kept;

  Batch(int64_t vocabulary, int64_t columns) : vocab(vocabulary), width(columns) {
    x = random_f32({rows, width}, 1), w = random_f32({vocab, width}, 2), dl = random_f32({rows}, 3), de = random_f32({rows}, 4);
    lists = {every(3, std::max<int64_t>(2, vocab / 7), vocab), every(1, 2, vocab), {7}, {}};
    targets = {lists[0].back(), lists[1][4], 7, 0};
    for (const auto& ids : lists) kept.add(ids);
  }
  Ids ids_of(size_t r) const { return lists[r].empty() ? every(0, 1, vocab) : lists[r]; }
  Exact exact(const std::vector<double>& xs, const std::vector<double>& ws, size_t r) const {
    std::vector<double> logits(static_cast<size_t>(vocab), 0.0);
    for (size_t v = 0; v < logits.size(); ++v)
      for (size_t d = 0; d < static_cast<size_t>(width); ++d) logits[v] += xs[r * width + d] * ws[v * width + d];
    return Exact(logits, ids_of(r), targets[r], inverse[r], f32(dl)[r], f32(de)[r]);
  }
};

template <typename Run>
void for_each_isa(Run run) {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (!cpu_kernels_named(isa)) continue;
    use_cpu_kernels(isa);
    run();
  }
}

std::vector<double> doubles(const at::Tensor& t) {
  const at::Tensor wide = widened(t);
  return {f32(wide), f32(wide) + wide.numel()};
}

}  // namespace

TEST_CASE("kept ids are a list while it is the shorter form, then a bit each", "[kept_ids]") {
  KeptIds kept;
  kept.add({0, 40});     // a mask would have 40 / 32 + 1 = 2 words too
  kept.add({0, 2, 33});  // 3 ids against 2 words: bits 0 and 2 of the first, bit 1 of the second
  kept.add({});
  kept.add({31});
  REQUIRE(kept.sizes == Ids{2, -2, 0, 1});
  REQUIRE(kept.words == Ids{0, 40, 5, 2, 31});
  REQUIRE(kept.counts() == std::vector<int64_t>{2, 3, 0, 1});
  const KeptRows rows(kept);
  REQUIRE(all_of(rows[0], 0, 50) == Ids{0, 40});
  REQUIRE(all_of(rows[1], 0, 50) == Ids{0, 2, 33});
  REQUIRE(all_of(rows[1], 1, 33) == Ids{2});
  REQUIRE(all_of(rows[0], 1, 41) == Ids{40});
  REQUIRE((rows[1].holds(33) && !rows[1].holds(32) && !rows[1].holds(64) && rows[0].holds(40) && !rows[0].holds(1)));
  REQUIRE((rows[1].fits(34) && !rows[1].fits(33) && rows[0].fits(41) && !rows[0].fits(40)));
  REQUIRE(rows[2].all());
  KeptIds copy;
  rows.copy(1, copy), rows.copy(3, copy);
  REQUIRE((copy.sizes == Ids{-2, 1} && copy.words == Ids{5, 2, 31}));
  kept.words.pop_back();
  REQUIRE_THROWS_AS(KeptRows(kept), Error);
}

TEST_CASE("a row of kept ids never takes more than a bit for each id of the vocabulary", "[kept_ids]") {
  const int64_t vocab = 49152;
  for (const int64_t step : {1, 2, 3, 31, 32, 33, 5000}) {
    KeptIds kept;
    const Ids ids = every(step / 2, step, vocab);
    kept.add(ids);
    REQUIRE(static_cast<int64_t>(kept.words.size()) * 4 <= vocab / 8);
    REQUIRE(all_of(KeptRows(kept)[0], 0, vocab) == ids);
  }
}

TEST_CASE("log pi over two kept ids leaves out the rest, however large their logits", "[kept_ids]") {
  const at::Tensor logits = zeros_f32({1, 3});
  f32(logits)[0] = 1000.0f, f32(logits)[2] = std::log(3.0f);
  const int32_t target = 2;
  const float one = 1.0f;
  KeptIds kept;
  kept.add({1, 2});
  const auto out = token_logprob(logits, 3, &target, &one, &kept);
  // Shares 1/4 and 3/4: log 3/4, and entropy log 4 - 3/4 log 3.
  REQUIRE(f32(out.logprob)[0] == Approx(std::log(0.75)).epsilon(1e-6));
  REQUIRE(f32(out.entropy)[0] == Approx(std::log(4.0) - 0.75 * std::log(3.0)).epsilon(1e-6));
}

TEST_CASE("over kept ids the head agrees with float64 and with the sampler's bits, on every instruction set", "[kept_ids]") {
  const testing::KernelSettings saved;
  for (const Dtype dtype : {Dtype::float32, Dtype::bf16})
    for (const int64_t vocab : {19, 9000}) {
      const Batch b(vocab, 6);
      const at::Tensor x = rounded(b.x, dtype), w = rounded(b.w, dtype);
      const PackedWeight p = packed(b.w, dtype);
      at::Tensor first;
      for_each_isa([&] {
        const auto out = linear_token_logprob(x, p, vocab, b.targets.data(), b.inverse.data(), &b.kept);
        const at::Tensor logits = linear(x, p);
        for (size_t r = 0; r < 4; ++r) {
          if (dtype == Dtype::float32) {
            const Exact e = b.exact(doubles(x), doubles(w), r);
            REQUIRE(f32(out.logprob)[r] == Approx(e.logprob).margin(2e-5));
            REQUIRE(f32(out.entropy)[r] == Approx(e.entropy).margin(2e-5));
          }
          const Ids ids = b.ids_of(r);
          const FlushDenormals flush;
          REQUIRE(f32(out.logprob)[r] == kept_token_logprob(f32(logits) + static_cast<int64_t>(r) * logits.size(1), ids.data(),
                                                            static_cast<int64_t>(ids.size()), b.targets[r], b.inverse[r]));
        }
        const auto plain = linear_token_logprob(x, p, vocab, b.targets.data(), b.inverse.data());
        REQUIRE(f32(plain.logprob)[3] == f32(out.logprob)[3]);  // no list: as ever
        REQUIRE(f32(plain.logprob)[1] < f32(out.logprob)[1]);
        if (first.defined()) REQUIRE(same_bits(first, out.logprob));
        first = out.logprob;
      });
    }
}

TEST_CASE("a list of all ids changes no bit", "[kept_ids]") {
  const int64_t vocab = 5000;
  const at::Tensor logits = random_f32({1, vocab}, 1, 4.0);
  const int32_t target = 77;
  const float inverse = 0.9f;
  KeptIds kept;
  kept.add(every(0, 1, vocab));
  const auto with = token_logprob(logits, vocab, &target, &inverse, &kept), without = token_logprob(logits, vocab, &target, &inverse);
  REQUIRE(same_bits(with.logprob, without.logprob));
  REQUIRE(same_bits(with.entropy, without.entropy));
}

TEST_CASE("gradients over kept ids agree with float64 finite differences, and the rest get none", "[kept_ids]") {
  const Batch b(19, 6);
  const PackedWeight p = packed(b.w, Dtype::float32);
  const auto forward = linear_token_logprob(b.x, p, 19, b.targets.data(), b.inverse.data(), &b.kept);
  const at::Tensor dw = zeros_f32({19, 6});
  const at::Tensor dx = linear_token_logprob_backward(b.dl, b.de, b.x, p, 19, b.targets.data(), b.inverse.data(), forward,
                                                      matrix_view(f32(dw), 19, 6), &b.kept);
  std::vector<double> xs = doubles(b.x), ws = doubles(b.w);
  const auto loss = [&] {
    double sum = 0;
    for (size_t r = 0; r < 4; ++r) {
      const Exact e = b.exact(xs, ws, r);
      sum += f32(b.dl)[r] * e.logprob + f32(b.de)[r] * e.entropy;
    }
    return sum;
  };
  const auto check = [&](std::vector<double>& values, const at::Tensor& gradient) {
    for (int64_t i = 0; i < gradient.numel(); ++i) {
      double& value = values[static_cast<size_t>(i)];
      const double h = 1e-5, center = value;
      value = center + h;
      const double up = loss();
      value = center - h;
      const double down = loss();
      value = center;
      REQUIRE(f32(gradient)[i] == Approx((up - down) / (2 * h)).margin(1e-5).epsilon(1e-4));
    }
  };
  check(xs, dx);
  check(ws, dw);
}

TEST_CASE("gradients over kept ids are right across the parts of a large vocabulary, in the same bits everywhere", "[kept_ids]") {
  const testing::KernelSettings saved;
  const int64_t vocab = 9000;  // three parts: 47 panels of 64 ids each, the last not full
  for (const Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const Batch b(vocab, 4);
    f32(b.dl)[3] = f32(b.de)[3] = 0;  // the row without a list gives nothing
    const at::Tensor x = rounded(b.x, dtype), w = rounded(b.w, dtype);
    const PackedWeight p = packed(b.w, dtype);
    const std::vector<double> xs = doubles(x), ws = doubles(w);
    at::Tensor first_dx, first_dw;
    for_each_isa([&] {
      const auto forward = linear_token_logprob(x, p, vocab, b.targets.data(), b.inverse.data(), &b.kept);
      const at::Tensor dw = zeros_f32({vocab, 4});
      const at::Tensor dx = linear_token_logprob_backward(b.dl, b.de, x, p, vocab, b.targets.data(), b.inverse.data(), forward,
                                                          matrix_view(f32(dw), vocab, 4), &b.kept);
      for (size_t r = 0; r < 3; ++r) {
        const Exact e = b.exact(xs, ws, r);
        for (size_t d = 0; d < 4; ++d) {
          double wanted = 0;
          for (size_t v = 0; v < e.slopes.size(); ++v) wanted += e.slopes[v] * ws[v * 4 + d];
          REQUIRE(f32(dx)[r * 4 + d] == Approx(wanted).margin(dtype == Dtype::bf16 ? 2e-2 : 1e-4));
        }
      }
      for (int64_t v = 0; v < vocab; ++v)
        if (v % 2 == 0 && !KeptRows(b.kept)[0].holds(static_cast<int32_t>(v))) REQUIRE(f32(dw)[v * 4] == 0.0f);
      if (first_dx.defined()) REQUIRE((same_bits(first_dx, dx) && same_bits(first_dw, dw)));
      first_dx = dx, first_dw = dw;
    });
  }
}

TEST_CASE("the sampler names exactly the ids that top-k, top-p and min-p leave", "[kept_ids]") {
  const std::vector<float> logits{std::log(4.0f), 0.0f, std::log(2.0f), std::log(1.0f), std::log(8.0f)};  // 4 1 2 1 8 of 16
  Ids kept{99};
  const auto ids = [&](const SamplingParameters& p) {
    sample_token(logits.data(), 5, p, 0.5, &kept);
    return kept;
  };
  REQUIRE(ids({.top_k = 3}) == Ids{0, 2, 4});
  REQUIRE(ids({.top_p = 0.7}) == Ids{0, 4});    // 8 + 4 of 16 is 0.75
  REQUIRE(ids({.min_p = 0.2}) == Ids{0, 2, 4});  // at least 1.6
  REQUIRE(ids({.top_k = 4, .min_p = 0.4}) == Ids{0, 4});
  REQUIRE(ids({}).empty());
}

TEST_CASE("kept ids that do not fit are refused", "[kept_ids]") {
  const at::Tensor logits = zeros_f32({1, 3});
  const int32_t target = 0;
  const float one = 1.0f;
  const auto of = [](const Ids& ids) {
    KeptIds kept;
    kept.add(ids);
    return kept;
  };
  for (const Ids& ids : {Ids{1, 2}, Ids{0, 3}, Ids{0, 0}, Ids{1, 0}, Ids{-1, 0}}) {
    KeptIds kept;
    kept.sizes = {static_cast<int32_t>(ids.size())}, kept.words = ids;
    REQUIRE_THROWS_AS(token_logprob(logits, 3, &target, &one, &kept), Error);
  }
  KeptIds two = of({0});
  two.add({0});
  REQUIRE_THROWS_AS(token_logprob(logits, 3, &target, &one, &two), Error);
  REQUIRE_NOTHROW(token_logprob(logits, 3, &target, &one, nullptr));
}
