#include "rl/sft/rows.h"

#include <algorithm>

#include "rl/data/mixture.h"

namespace rl {

SftRows open_sft_rows(const StageConfig& stage, uint64_t seed, const SftTokenizer& tokenizer) {
  // A generator keeps the function and asks it whenever a problem is drawn.
  const auto counts = std::make_shared<SftRows>();
  auto data = open_stage_data(stage, seed, [&tokenizer, counts](const DatasetConfig& set) -> Fits {
    return [own = tokenizer.only(set), counts](const Problem& problem) {
      const bool fits = own.sequence(problem).has_value();
      (problem.blank_completion ? counts->blank : counts->left_out) += !fits;
      return fits;
    };
  });
  return {std::move(data), counts->left_out, counts->blank};
}

int64_t sft_steps(const StageConfig& stage, int64_t rows) {
  if (stage.epochs == 0) return stage.steps;
  return (stage.epochs * rows + stage.sequences_per_step - 1) / stage.sequences_per_step;
}

RowRange rows_of_step(const StageConfig& stage, int64_t step, int64_t rows) {
  RowRange range{step * stage.sequences_per_step, (step + 1) * stage.sequences_per_step};
  if (stage.epochs > 0) range.end = std::min(range.end, stage.epochs * rows);
  return range;
}

}  // namespace rl
