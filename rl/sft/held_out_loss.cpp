#include "rl/sft/held_out_loss.h"

#include <cmath>

#include "kernels/watchdog.h"
#include "rl/score_tokens.h"

namespace rl {
namespace {

struct Sums {
  double loss = 0, tokens = 0, right = 0;
};

// texts[i] is rows[i]'s, prompt and tokens; place j of its scores is token j + 1.
void add(Sums& sums, const SftSequence& row, const ScoredText& scored) {
  for (size_t t = 0; t < row.tokens.size(); ++t) {
    if (!row.trained[t]) continue;
    const size_t place = row.prompt.size() + t - 1;
    sums.loss -= static_cast<double>(scored.logprobs[place]);
    sums.tokens += 1;
    sums.right += scored.top[place].front().first == row.tokens[t];
  }
}

}  // namespace

HeldOutLoss held_out_loss(const model::WeightSet& weights, const std::vector<SftSequence>& rows, int64_t max_rows, double& flops) {
  Sums sums;
  for (size_t first = 0; first < rows.size();) {
    std::vector<std::vector<int32_t>> texts;
    size_t end = first;
    for (int64_t taken = 0; end < rows.size() && (end == first || taken + rows[end].length() - 1 <= max_rows); ++end) {
      texts.push_back(rows[end].prompt);
      texts.back().insert(texts.back().end(), rows[end].tokens.begin(), rows[end].tokens.end());
      taken += rows[end].length() - 1;
    }
    std::vector<const std::vector<int32_t>*> asked;
    for (const auto& text : texts) asked.push_back(&text);
    const kernels::Wait wait("the held-back loss of a micro-batch");
    const auto scored = score_tokens(weights, asked, {.top = 1}, &flops);
    for (size_t i = first; i < end; ++i) add(sums, rows[i], scored[i - first]);
    first = end;
  }
  HeldOutLoss out;
  out.rows = static_cast<int64_t>(rows.size()), out.tokens = static_cast<int64_t>(sums.tokens);
  if (sums.tokens == 0) return out;
  out.loss = sums.loss / sums.tokens;
  out.perplexity = std::exp(out.loss);
  out.token_accuracy = sums.right / sums.tokens;
  return out;
}

}  // namespace rl
