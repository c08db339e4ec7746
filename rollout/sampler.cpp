#include "rollout/sampler.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "kernels/token_logprob.h"

namespace rollout {

namespace {

// The first draw of each row, all rows in one call.
void first_logprobs(const at::Tensor& logits, int64_t vocab, Draw* draws, int64_t count) {
  const int64_t rows = logits.size(0);
  std::vector<int32_t> targets(static_cast<size_t>(rows), -1);
  std::vector<float> inverse(static_cast<size_t>(rows), 1.0f);
  for (int64_t i = count - 1; i >= 0; --i) {
    if (!draws[i].kept.empty()) continue;
    targets[static_cast<size_t>(draws[i].row)] = draws[i].sampled.token;
    inverse[static_cast<size_t>(draws[i].row)] = inverse_temperature(*draws[i].sampling);
  }
  const kernels::TokenLogprob out = kernels::token_logprob(logits, vocab, targets.data(), inverse.data());
  const float* logprobs = kernels::f32(out.logprob);
  for (int64_t i = 0; i < count; ++i)
    if (draws[i].kept.empty()) draws[i].logprob = logprobs[draws[i].row];
}

}  // namespace

void check_sampling(const kernels::SamplingParameters& s) {
  // Written so that NaN fails.
  if (!(s.temperature == 0.0 || (s.temperature >= 1e-3 && s.temperature <= 1e3)))
    kernels::fail_usage("rollout.temperature: is {}; it must be 0 (the largest logit) or in [0.001, 1000].", s.temperature);
  if (s.top_k < 0) kernels::fail_usage("rollout.top_k: is {}; it must be 0 (all) or more.", s.top_k);
  if (!(s.top_p > 0.0 && s.top_p <= 1.0)) kernels::fail_usage("rollout.top_p: is {}; it must be in (0, 1].", s.top_p);
  if (!(s.min_p >= 0.0 && s.min_p <= 1.0)) kernels::fail_usage("rollout.min_p: is {}; it must be in [0, 1].", s.min_p);
  if (s.renormalise && s.temperature == 0.0)
    kernels::fail_usage("correction.truncation: is \"keep_mask\", but rollout.temperature is 0, which keeps one token. Set it above 0.");
}

float inverse_temperature(const kernels::SamplingParameters& sampling) {
  return sampling.temperature == 0.0 ? 1.0f : static_cast<float>(1.0 / sampling.temperature);
}

void draw_tokens(const at::Tensor& logits, int64_t vocab, Draw* draws, int64_t count) {
  const float* data = kernels::f32(logits);
  const int64_t stride = logits.size(1);
  const int64_t grain = std::max<int64_t>(1, 65536 / vocab);  // fewer draws are not worth waking a thread
  kernels::parallel_ranges(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Draw& d = draws[i];
      const float* row = data + d.row * stride;
      const bool keeps = d.sampling->renormalise;
      d.sampled = kernels::sample_token(row, vocab, *d.sampling, kernels::random_unit(d.key), keeps ? &d.kept : nullptr);
      if (!d.kept.empty())
        d.logprob = kernels::kept_token_logprob(row, d.kept.data(), static_cast<int64_t>(d.kept.size()), d.sampled.token,
                                                inverse_temperature(*d.sampling));
    }
  });
  if (std::all_of(draws, draws + count, [](const Draw& d) { return !d.kept.empty(); })) return;
  first_logprobs(logits, vocab, draws, count);
  // Other tokens drawn from the same row: a prompt that forks.
  for (int64_t i = 1; i < count; ++i) {
    if (draws[i].row != draws[i - 1].row || !draws[i].kept.empty()) continue;
    const float inverse = inverse_temperature(*draws[i].sampling);
    const at::Tensor row = logits.narrow(0, draws[i].row, 1);
    draws[i].logprob = *kernels::f32(kernels::token_logprob(row, vocab, &draws[i].sampled.token, &inverse).logprob);
  }
}

}  // namespace rollout
