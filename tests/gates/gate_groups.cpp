#include "tests/gates/gate_groups.h"

#include "kernels/rng.h"
#include "model/transformer.h"

namespace gate {
namespace {

kernels::RandomKey key(uint64_t group, uint32_t sample, uint32_t position) {
  return {.seed = 99, .purpose = kernels::Purpose::data, .group = group, .sample = sample, .position = position};
}

int32_t random_token(uint64_t group, uint32_t sample, uint32_t position) {
  return static_cast<int32_t>(kernels::random_below(key(group, sample, position), 50));
}

// Branches that begin inside a tile of 16 positions, at its border, and after it.
const std::vector<std::pair<uint32_t, std::vector<uint32_t>>> kShapes = {
    {7, {9, 4, 1, 16}}, {16, {5, 23}}, {21, {11, 2, 7}}, {1, {3, 1, 8, 6, 13}}, {34, {10}}};

}  // namespace

std::vector<rl::TrainGroup> make_groups(const model::WeightSet& policy) {
  std::vector<rl::TrainGroup> groups;
  for (uint64_t g = 0; g < kShapes.size(); ++g) {
    rl::TrainGroup group;
    group.group_id = static_cast<int64_t>(g);
    for (uint32_t i = 0; i < kShapes[g].first; ++i) group.prompt.push_back(random_token(g, 1000, i));
    for (uint32_t s = 0; s < kShapes[g].second.size(); ++s) {
      rl::TrainSequence sequence;
      for (uint32_t i = 0; i < kShapes[g].second[s]; ++i) sequence.tokens.push_back(random_token(g, s, i));
      sequence.trained.assign(sequence.tokens.size(), 1);
      if (sequence.tokens.size() > 8) sequence.trained[3] = sequence.trained[4] = 0;
      sequence.logprobs.assign(sequence.tokens.size(), 0.0f);
      sequence.advantage = s % 2 ? -0.8 - 0.1 * static_cast<double>(g) : 1.1 - 0.2 * static_cast<double>(s);
      group.sequences.push_back(std::move(sequence));
    }
    groups.push_back(std::move(group));
  }
  const auto batch = rl::pack(groups, 0, groups.size(), kInverseTemperature);
  const auto output = model::forward_train(policy, batch.tokens, {.keep_tape = false});
  const float* logprob = kernels::f32(output.tokens.logprob);
  int64_t row = 0;
  for (auto& group : groups)
    for (auto& s : group.sequences) {
      for (size_t t = 0; t < s.tokens.size(); ++t, ++row)
        s.logprobs[t] = logprob[row] + 0.2f * kernels::random_normals(key(7, 0, static_cast<uint32_t>(row)))[0];
      row += static_cast<int64_t>(s.tokens.size() % 2);  // each branch has an even count of head rows
    }
  return groups;
}

}  // namespace gate
