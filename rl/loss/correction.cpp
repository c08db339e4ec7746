#include "rl/loss/correction.h"

#include <algorithm>

#include "kernels/error.h"
#include "rl/loss/kl.h"

namespace rl {
namespace {

double factor_of(double w, bool truncate, const CorrectionConfig& config) {
  if (truncate) return std::clamp(w, config.lower, config.upper);
  return w < config.lower || w > config.upper ? 0.0 : w;
}

void correct(TrainSequence& s, const CorrectionConfig& config, CorrectionSums& sums) {
  if (s.old_logprobs.size() != s.tokens.size())
    kernels::fail("correction: a completion of {} tokens has {} old log-probabilities.", s.tokens.size(), s.old_logprobs.size());
  const bool whole = config.mode == "seq_mask", truncate = config.mode == "truncate";
  double log_product = 0;
  for (size_t t = 0; t < s.tokens.size(); ++t)
    if (s.trained[t]) log_product += double(s.old_logprobs[t]) - double(s.logprobs[t]);
  s.corrections.assign(s.tokens.size(), 0.0f);
  for (size_t t = 0; t < s.tokens.size(); ++t) {
    if (!s.trained[t]) continue;
    const double log_w = whole ? log_product : double(s.old_logprobs[t]) - double(s.logprobs[t]);
    const double factor = factor_of(exp_of_log_ratio(log_w), truncate, config);
    s.corrections[t] = static_cast<float>(factor);
    sums.tokens += 1, sums.dropped += factor == 0, sums.sum += factor;
    sums.least = std::min(sums.least, factor), sums.most = std::max(sums.most, factor);
  }
}

}  // namespace

CorrectionSums correct_for_sampler(std::vector<TrainGroup>& groups, const CorrectionConfig& config) {
  CorrectionSums sums;
  if (config.mode == "off") return sums;
  for (auto& g : groups)
    for (auto& s : g.sequences) correct(s, config, sums);
  return sums;
}

}  // namespace rl
