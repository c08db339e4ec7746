#include "tests/bench/train_runs.h"

#include <cmath>

#include "kernels/rng.h"
#include "rl/batch.h"

namespace bench {
namespace {

std::unique_ptr<model::ParameterStore> born(const model::ModelConfig& config) {
  auto store = std::make_unique<model::ParameterStore>(config, true);
  store->init_random(17, 0.05);
  return store;
}

std::vector<rl::TrainGroup> make_groups(const TrainLoad& load, int64_t vocab) {
  std::vector<rl::TrainGroup> groups;
  uint32_t position = 0;
  const auto token = [&] {
    const kernels::RandomKey key{.seed = 2, .purpose = kernels::Purpose::data, .position = position++};
    return static_cast<int32_t>(kernels::random_below(key, static_cast<uint64_t>(vocab)));
  };
  for (int64_t g = 0; g < load.prompts; ++g) {
    rl::TrainGroup group;
    group.group_id = g;
    for (int64_t i = 0; i < load.prompt_tokens; ++i) group.prompt.push_back(token());
    for (int64_t s = 0; s < load.samples; ++s) {
      rl::TrainSequence sequence;
      for (int64_t i = 0; i < load.new_tokens; ++i) sequence.tokens.push_back(token());
      sequence.logprobs.assign(sequence.tokens.size(), 0.0f);
      sequence.trained.assign(sequence.tokens.size(), 1);
      sequence.advantage = s % 2 ? 1.0 : -1.0;
      group.sequences.push_back(std::move(sequence));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

TrainRunner::TrainRunner(const model::ModelConfig& config, kernels::Dtype dtype, const TrainLoad& load)
    : TrainRunner(born(config), dtype, load) {}

TrainRunner::TrainRunner(std::unique_ptr<model::ParameterStore> store, kernels::Dtype dtype, const TrainLoad& load)
    : store_(std::move(store)), weights_(model::pack_weights(*store_, dtype, 1)) {
  const auto groups = make_groups(load, store_->config().vocab_size);
  batch_ = rl::pack(groups, 0, groups.size(), 1.0f).tokens;
  trained_ = load.prompts * load.samples * load.new_tokens;
  dlogprob_ = kernels::zeros_f32({batch_.head_count()});
  for (int64_t i = 0; i < batch_.head_count(); ++i) kernels::f32(dlogprob_)[i] = 1.0f / float(trained_);
}

double TrainRunner::seconds(bool recompute) {
  store_->gradient.zero_();
  const double start = now();
  auto output = model::forward_train(*weights_, batch_, {.keep_tape = true, .recompute = recompute});
  model::backward(*weights_, output, dlogprob_, {}, *store_);
  const double seconds = now() - start;
  for (int64_t i = 0; i < output.tokens.logprob.size(0); ++i)
    if (!std::isfinite(kernels::f32(output.tokens.logprob)[i])) wrong("a log-probability is not finite");
  return seconds;
}

}  // namespace bench
