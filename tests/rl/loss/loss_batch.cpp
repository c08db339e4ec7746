#include "tests/rl/loss/loss_batch.h"

#include <ATen/ops/empty.h>

#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

namespace testing {

LossBatch loss_batch(const std::vector<LossToken>& tokens, bool with_reference, bool with_corrections) {
  const auto size = static_cast<int64_t>(tokens.size());
  const auto tensor = [&](double LossToken::*member) {
    at::Tensor t = kernels::empty_f32({size});
    for (int64_t i = 0; i < size; ++i) kernels::f32(t)[i] = static_cast<float>(tokens[static_cast<size_t>(i)].*member);
    return t;
  };
  LossBatch batch;
  batch.head.logprob = tensor(&LossToken::policy);
  batch.head.entropy = tensor(&LossToken::entropy);
  batch.micro.old_logprobs = tensor(&LossToken::old);
  batch.micro.sampler_logprobs = batch.micro.old_logprobs;
  batch.micro.advantages = tensor(&LossToken::advantage);
  batch.micro.token_weights = tensor(&LossToken::weight);
  if (with_reference) batch.micro.reference_logprobs = tensor(&LossToken::reference);
  if (with_corrections) batch.micro.corrections = tensor(&LossToken::correction);
  batch.micro.mask = at::empty({size}, at::TensorOptions().dtype(at::kBool));
  for (int64_t i = 0; i < size; ++i) {
    const LossToken& token = tokens[static_cast<size_t>(i)];
    static_cast<bool*>(batch.micro.mask.data_ptr())[i] = token.trained;
    const bool first = i == 0 || token.sequence != tokens[static_cast<size_t>(i) - 1].sequence;
    if (first) batch.micro.sequences.push_back({i, 0});
    ++batch.micro.sequences.back().count;
  }
  return batch;
}

std::vector<LossToken> random_tokens(int64_t count, uint64_t seed) {
  const auto noise = testing::values(random_f32({count, 7}, seed));
  std::vector<LossToken> tokens;
  int64_t sequence = 0, left = 3;
  for (int64_t i = 0; i < count; ++i) {
    const float* x = noise.data() + i * 7;
    if (left-- == 0) ++sequence, left = 1 + (sequence * 5) % 7;
    LossToken token;
    token.policy = x[0], token.old = x[0] + 0.3f * x[1];
    token.advantage = x[2], token.weight = 0.01f * x[3], token.entropy = x[4];
    token.reference = x[0] + x[5], token.correction = 1.0f + 0.2f * x[6];
    token.sequence = sequence, token.trained = i % 7 != 3;
    tokens.push_back(token);
  }
  return tokens;
}

LossResult loss_of(const LossBatch& batch, const rl::LossConfig& loss, const rl::KlConfig& kl, double entropy_coef) {
  LossResult result;
  const auto gradient = rl::policy_loss(batch.micro, batch.head, loss, kl, entropy_coef, result.sums);
  result.dlogprobs = values(gradient.dlogprobs);
  if (gradient.dentropy.defined()) result.dentropy = values(gradient.dentropy);
  return result;
}

}  // namespace testing
