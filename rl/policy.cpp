#include "rl/loss/non_finite.h"
#include "rl/policy.h"

#include <algorithm>
#include <cmath>

#include "kernels/adamw.h"
#include "kernels/error.h"
#include "kernels/trace.h"
#include "kernels/watchdog.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_files.h"
#include "model/files/write_folder.h"
#include "model/lora/adapted_weights.h"
#include "model/lora/adapter_folder.h"
#include "model/parameter_counts.h"
#include "rl/report/terminal.h"
#include "rl/schedule.h"
#include "rollout/sampler.h"

namespace rl {
namespace {

model::ModelConfig config_of(const ModelSettings& settings) {
  if (settings.init != "random") return model::read_config(settings.path);
  model::ModelConfig config = settings.sizes;
  const auto tokenizer = model::Tokenizer::from_json(model::character_tokenizer_json(settings.alphabet, settings.special_tokens), "[model]");
  config.vocab_size = tokenizer->size();
  const int32_t eos = tokenizer->id_of(settings.eos_token);
  if (eos < 0) kernels::fail_usage("model.eos_token: '{}' is not one of model.special_tokens.", settings.eos_token);
  config.eos_token_ids = {eos};
  model::check(config);
  return config;
}

model::ParameterList parameters_of(const ModelSettings& settings) {
  const model::ModelConfig config = config_of(settings);
  return settings.lora.on() ? model::adapter_parameters(config, settings.lora) : model::ParameterList(config);
}

// Whether an adapter leaves its base as it is.
bool adds_nothing(const model::ParameterStore& adapter) {
  for (const auto& p : adapter.parameters()) {
    const float* values = adapter.master_of(p.name);
    const bool is_up = p.init == model::Parameter::Init::zeros;
    if (is_up && std::any_of(values, values + p.size, [](float x) { return x != 0; })) return false;
  }
  return true;
}

// -log pi on each trained token.
PolicyGradient sft_loss(const MicroBatch& micro, const kernels::TokenLogprob& head, LossSums& sums) {
  PolicyGradient out;
  out.dlogprobs = kernels::zeros_f32({head.logprob.size(0)});
  const float *logprob = kernels::f32(head.logprob), *entropy = kernels::f32(head.entropy), *weight = kernels::f32(micro.token_weights);
  const bool* trained = static_cast<const bool*>(micro.mask.data_ptr());
  for (int64_t s = 0; s < head.logprob.size(0); ++s) {
    if (!trained[s]) continue;
    if (!std::isfinite(logprob[s])) fail_non_finite("the log-probability of a token is {}", logprob[s]);
    sums.loss -= double(weight[s]) * double(logprob[s]);
    kernels::f32(out.dlogprobs)[s] = -weight[s];
    sums.entropy += entropy[s];
    sums.tokens += 1;
  }
  return out;
}

// The sequences of groups [first, end) are those of the batch, in their order.
void add_sampler_difference(UpdateStatistics& sums, const std::vector<TrainGroup>& groups, size_t first, size_t end,
                            const MicroBatch& micro, const kernels::TokenLogprob& head, int64_t version) {
  const float *policy = kernels::f32(head.logprob), *sampler = kernels::f32(micro.sampler_logprobs);
  auto range = micro.sequences.begin();
  for (size_t g = first; g < end; ++g)
    for (const TrainSequence& s : groups[g].sequences) {
      const int64_t row = (range++)->first;
      for (size_t t = 0; t < s.tokens.size(); ++t) {
        if (!s.trained[t]) continue;
        const auto i = row + static_cast<int64_t>(t);
        const double difference = double(policy[i]) - double(sampler[i]), ratio = std::exp(difference);
        UpdateStatistics::Difference& own = s.versions.empty() || s.versions[t] == version ? sums.own : sums.stale;
        own.sum += std::abs(difference);
        own.max = std::max(own.max, std::abs(difference));
        own.tokens += 1;
        sums.ratio_sum += ratio;
        sums.ratio_min = std::min(sums.ratio_min, ratio);
        sums.ratio_max = std::max(sums.ratio_max, ratio);
      }
    }
}

// Of the logits, as they were sampled.
float inverse_temperature_of(const StageConfig& stage) {
  return stage.kind == "sft" ? 1.0f : rollout::inverse_temperature({.temperature = stage.rollout.temperature});
}

bool is_router(const std::string& name) {
  const std::string end = "mlp.gate.weight";
  return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

void add_loads(ExpertLoads& sum, const ExpertLoads& loads) {
  if (sum.empty()) sum.resize(loads.size());
  for (size_t i = 0; i < loads.size(); ++i) {
    if (sum[i].size() < loads[i].size()) sum[i].resize(loads[i].size(), 0);
    for (size_t e = 0; e < loads[i].size(); ++e) sum[i][e] += loads[i][e];
  }
}

Policy::Policy(const ModelSettings& settings, uint64_t seed, bool with_training)
    : lora_(settings.lora), path_(settings.path), store_(parameters_of(settings), /*with_training=*/false, with_training ? settings.offload_folder : ""),
      dtype_(settings.compute_dtype), flop_counter_(store_.config(), /*frozen=*/lora_.on()) {
  if (settings.init == "random") {
    tokenizer_ = model::Tokenizer::from_json(model::character_tokenizer_json(settings.alphabet, settings.special_tokens), "[model]");
    store_.init_random(seed, settings.init_std);
  } else {
    tokenizer_ = model::Tokenizer::from_directory(settings.path);
    source_ = model::read_source_files(settings.path);
    if (lora_.on()) {
      base_ = model::read_packed_weights(settings.path, config(), dtype_);
      model::init_adapters(store_, lora_.rank, seed);
    } else {
      model::read_weights(settings.path, store_);
    }
  }
  for (int64_t id : config().eos_token_ids) stop_tokens_.push_back(static_cast<int32_t>(id));
  weights_ = pack_masters(version_);
  if (with_training) store_.allocate_training();  // after the file is read and closed: both at once would be the peak
}

std::string Policy::description() const {
  const model::ModelConfig& c = config();
  const double total = static_cast<double>(model::count_parameters(c).total);
  std::string text = fmt::format("{}, {} layers, width {}, {} parameters", c.family, c.layers, c.width, count_text(total));
  if (lora_.on())
    text += fmt::format(", frozen; a LoRA adapter of rank {} with {} is trained", lora_.rank,
                        count_text(static_cast<double>(store_.size())));
  return text;
}

std::shared_ptr<const model::WeightSet> Policy::pack_masters(int64_t version, std::shared_ptr<const model::WeightSet> reuse) const {
  return base_ ? model::adapted_weights(*base_, store_, lora_.scale(), version, std::move(reuse))
               : model::pack_weights(store_, dtype_, version, std::move(reuse));
}

std::shared_ptr<const model::WeightSet> Policy::weights_of(const at::Tensor& master) {
  const at::Tensor own = store_.master;
  store_.master = master;
  auto weights = base_ && adds_nothing(store_) ? base_ : pack_masters(version_);
  store_.master = own;
  return weights;
}

void Policy::score(std::vector<TrainGroup>& groups, const StageConfig& stage, const MicroBatchPlan& plan,
                   const model::WeightSet& weights, std::vector<float> TrainSequence::*into) const {
  for (const auto& [first, end] : split_micro_batches(groups, std::min(plan.rows, stage.optimizer.max_tokens_per_microbatch))) {
    const MicroBatch micro = pack(groups, first, end, inverse_temperature_of(stage));
    const kernels::Span span("score", nullptr, "rows", micro.tokens.rows());
    const kernels::Wait wait("a micro-batch to be scored");
    flops_ += flop_counter_.forward(micro.tokens).total();
    const auto head = model::forward_train(weights, micro.tokens, {.keep_tape = false, .routes = micro.routes.empty() ? nullptr : &micro.routes}).tokens;
    const float* logprob = kernels::f32(head.logprob);
    auto range = micro.sequences.begin();
    for (size_t g = first; g < end; ++g)
      for (TrainSequence& s : groups[g].sequences) {
        std::vector<float>& out = s.*into;
        out.assign(logprob + range->first, logprob + range->first + range->count);
        for (size_t t = 0; t < out.size(); ++t)
          if (!s.trained[t]) out[t] = 0;
        ++range;
      }
  }
}

void Policy::record_routes(std::vector<TrainGroup>& groups, const StageConfig& stage, const MicroBatchPlan& plan) const {
  for (auto& g : groups) g.routes.clear();
  for (const auto& [first, end] : split_micro_batches(groups, std::min(plan.rows, stage.optimizer.max_tokens_per_microbatch))) {
    const MicroBatch micro = pack(groups, first, end, inverse_temperature_of(stage));
    const kernels::Span span("record routes", nullptr, "rows", micro.tokens.rows());
    const kernels::Wait wait("the routes of a micro-batch");
    flops_ += flop_counter_.forward(micro.tokens).total();
    const auto routes = model::forward_train(*weights_, micro.tokens, {.keep_tape = false, .keep_routes = true}).routes;
    int64_t row = 0;
    for (size_t g = first; g < end; ++g) {
      const int64_t rows = rows_of(groups[g]);
      for (const at::Tensor& layer : routes)
        groups[g].routes.push_back(layer.defined() ? layer.narrow(0, row, rows).clone() : at::Tensor());
      row += rows;
    }
  }
}

UpdateStatistics Policy::accumulate(const std::vector<TrainGroup>& groups, const StageConfig& stage, const MicroBatchPlan& plan,
                                    double entropy_coef) {
  UpdateStatistics statistics;
  const bool sft = stage.kind == "sft";
  const double share = 1.0 / static_cast<double>(std::max<size_t>(1, groups.size()));  // a group's in the balance loss
  for (const auto& [first, end] : split_micro_batches(groups, std::min(plan.rows, stage.optimizer.max_tokens_per_microbatch))) {
    kernels::Span packing("pack", &statistics.pack_seconds);
    const MicroBatch micro = pack(groups, first, end, inverse_temperature_of(stage));
    packing.end();
    const int64_t rows = micro.tokens.rows();
    const kernels::Wait wait("a micro-batch's gradient");
    kernels::Span forward("forward", &statistics.forward_seconds, "rows", rows);
    auto output = model::forward_train(*weights_, micro.tokens, {.keep_tape = true, .recomputed_blocks = plan.recomputed_blocks,
                                                                  .routes = micro.routes.empty() ? nullptr : &micro.routes,
                                                                  .balance_weight = stage.moe.aux_loss_coef * share});
    forward.end();
    for (const double balance : output.balance) statistics.aux_loss += balance * share;
    if (!sft) add_sampler_difference(statistics, groups, first, end, micro, output.tokens, version_);
    const PolicyGradient gradient = sft ? sft_loss(micro, output.tokens, statistics.sums)
                                        : policy_loss(micro, output.tokens, stage.loss, stage.kl, entropy_coef, statistics.sums);
    const kernels::Span backward("backward", &statistics.backward_seconds, "rows", rows);
    model::backward(*weights_, output, gradient.dlogprobs, gradient.dentropy, store_);
    add_loads(statistics.expert_loads, output.expert_loads);
    flops_ += flop_counter_.training(micro.tokens, plan.recomputed_blocks);
  }
  trained_tokens_ += static_cast<int64_t>(statistics.sums.tokens);
  statistics.sums.loss += stage.moe.aux_loss_coef * statistics.aux_loss;
  return statistics;
}

void Policy::apply(UpdateStatistics& statistics, const StageConfig& stage, int64_t step, int64_t steps) {
  const kernels::Span optimizer("optimizer", &statistics.optimizer_seconds);
  const kernels::Wait wait("the optimizer's step");
  store_.complete_gradient();
  const auto frozen = [&](const model::Parameter& p) { return !p.trained || (!stage.moe.train_router && is_router(p.name)); };
  for (const auto& p : store_.parameters())
    if (p.trained && frozen(p)) store_.gradient.narrow(0, p.offset, p.size).zero_();

  statistics.grad_norm = std::sqrt(kernels::sum_of_squares(store_.gradient));
  if (!std::isfinite(statistics.grad_norm))
    fail_non_finite("the gradient's norm is {}", statistics.grad_norm);
  const double limit = stage.optimizer.max_grad_norm;
  const double scale = limit > 0 && statistics.grad_norm > limit ? limit / (statistics.grad_norm + 1e-6) : 1.0;
  statistics.learning_rate = learning_rate(stage.optimizer, step, steps);
  ++optimizer_steps_;
  // Aux-loss-free balance (DeepSeek-V3 report, section 2.1.2): toward experts with less than the mean load.
  for (size_t layer = 0; layer < statistics.expert_loads.size() && stage.moe.bias_update_rate > 0; ++layer) {
    const std::string name = "model.layers." + std::to_string(layer) + ".mlp.gate.e_score_correction_bias";
    const auto& loads = statistics.expert_loads[layer];
    if (loads.empty() || !store_.has(name)) continue;
    int64_t total = 0;
    for (int64_t x : loads) total += x;
    float* bias = store_.master_of(name);
    for (size_t e = 0; e < loads.size(); ++e) {
      const int64_t below = total - loads[e] * static_cast<int64_t>(loads.size());  // sign of mean - load
      bias[e] += static_cast<float>(below > 0 ? stage.moe.bias_update_rate : below < 0 ? -stage.moe.bias_update_rate : 0.0);
    }
  }
  const kernels::AdamwStep adamw{store_.master, store_.gradient, store_.first_moment, store_.second_moment, scale, optimizer_steps_};
  const auto rule = [&](const model::Parameter& p) -> kernels::AdamwConfig {
    return {statistics.learning_rate, stage.optimizer.beta1, stage.optimizer.beta2, stage.optimizer.eps,
            p.decayed ? stage.optimizer.weight_decay : 0.0};
  };
  if (base_) {  // packing reads some of an adapter twice, so all of it is stepped before
    for (const auto& p : store_.parameters()) kernels::adamw_step(adamw, p.offset, p.offset + p.size, rule(p));
    weights_ = pack_masters(++version_, std::move(weights_));
    return;
  }
  // One pass over memory: each run of masters is stepped, its gradient zeroed, and the new values packed while in cache.
  const auto stepped = [&](const model::Parameter& p) -> kernels::ReadRun {
    const float* values = store_.master_of(p.name);
    if (frozen(p)) return [values](int64_t first, int64_t, float*) { return values + first; };
    return kernels::adamw_reader(adamw, p.offset, rule(p));
  };
  auto& over = weights_.use_count() == 1 ? weights_ : spare_;
  weights_ = model::pack_weights(store_, stepped, dtype_, ++version_, std::move(over));
}

void Policy::recycle(std::shared_ptr<const model::WeightSet> set) {
  if (set && set != weights_) spare_ = std::move(set);
}

void Policy::discard_gradient() {
  store_.gradient.zero_();
  if (config().tied_embedding && !base_) store_.tied_embedding_gradient = model::SparseRows(config().vocab_size, config().width);
}

void Policy::reset_optimizer() {
  store_.first_moment.zero_();
  store_.second_moment.zero_();
  optimizer_steps_ = 0;
}

void Policy::restore(int64_t version, int64_t optimizer_steps) {
  version_ = version;
  optimizer_steps_ = optimizer_steps;
  weights_ = pack_masters(version_, std::move(weights_));
}

void Policy::save(const std::string& directory, const std::string& chat_template) const {
  if (base_) {
    model::make_folder(directory);
    model::write_tokenizer_files(directory, config(), *tokenizer_, chat_template, source_);
    return model::write_adapter(directory, store_, lora_, path_);
  }
  model::write_model(directory, store_, *tokenizer_, dtype_, chat_template, source_);
}

}  // namespace rl
