#include "rl/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernels/error.h"
#include "rl/line_log.h"
#include "rl/report/tensorboard.h"

namespace rl {
namespace {

// Shortest text that reads back as the same double; counts as integers.
std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == std::floor(value) && std::abs(value) < 9007199254740992.0) return fmt::format("{}", static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

std::optional<MetricsLine> parse_line(const std::string& text) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("stage") || !json.contains("step")) return std::nullopt;
  if (!json["stage"].is_string() || !json["step"].is_number_integer()) return std::nullopt;
  MetricsLine line;
  line.stage = json["stage"].get<std::string>();
  line.step = json["step"].get<int64_t>();
  for (const auto& [name, value] : json.items()) {
    if (name == "stage" || name == "step") continue;
    line.values.emplace_back(name, value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return line;
}

bool matches(const std::string& pattern, const std::string& name) {
  const size_t star = pattern.find('*');
  if (star == std::string::npos) return pattern == name;
  const std::string head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return name.size() > head.size() + tail.size() && name.compare(0, head.size(), head) == 0 &&
         name.compare(name.size() - tail.size(), tail.size(), tail) == 0;
}

}  // namespace

const std::vector<MetricInfo>& metric_infos() {
  static const std::vector<MetricInfo> infos = {
      {"reward", "", "mean reward of the step's completions", "Reward"},
      {"reward_std", "", "mean standard deviation of the rewards within a group", "Reward spread"},
      {"rewards/*/mean", "", "mean of one reward, before its weight", "Rewards by name"},
      {"rewards/*/std", "", "standard deviation of one reward over the step", ""},
      {"rewards/*/frac_zero_std", "share", "groups in which one reward is the same for all", ""},
      {"rewards/*/error_share", "share", "completions that one reward failed on", "Reward failures"},
      {"rewards/*/timeout_share", "share", "completions that one reward did not score by its deadline", "Reward failures"},
      {"rewards/*/skip_share", "share", "completions that one reward does not apply to", ""},
      {"rescore/groups", "groups", "groups that were scored a second time", ""},
      {"rescore/mismatches", "completions", "of these, completions whose second score was another", "Reward failures"},
      {"frac_reward_zero_std", "share", "groups whose rewards are all equal, which teach nothing", "Reward spread"},
      {"eval/accuracy", "share", "held-back problems answered right, greedy", "Held-back accuracy"},
      {"eval/mean_length", "tokens", "mean length of greedy completions", "Held-back length"},
      {"eval/sampled_accuracy", "share", "held-back problems answered right, sampled at rollout.temperature", "Held-back accuracy"},
      {"eval/sampled_mean_length", "tokens", "mean length of sampled completions", "Held-back length"},
      {"eval/accuracy_standard_error", "share", "standard error of the accuracy", ""},
      {"eval/no_answer_share", "share", "completions without an answer that can be read", ""},
      {"eval/truncated_share", "share", "completions that hit the token limit", ""},
      {"eval/loss", "nats", "held-back rows of an sft stage: mean -log pi of their learnt tokens", "Held-back loss"},
      {"eval/perplexity", "", "exp of that", ""},
      {"eval/token_accuracy", "share", "learnt tokens of held-back rows that are the likeliest at their place", "Held-back token accuracy"},
      {"completions/mean_length", "tokens", "mean length of the completions", "Completion length"},
      {"completions/min_length", "tokens", "shortest completion", ""},
      {"completions/max_length", "tokens", "longest completion", "Completion length"},
      {"completions/clipped_ratio", "share", "completions that hit the token limit", "Truncated and unscored"},
      {"completions/mean_terminated_length", "tokens", "mean length of those that ended by themselves", "Completion length"},
      {"completions/repetition_share", "share", "4-grams of a completion that came before in it, mean", "Truncated and unscored"},
      {"completions/no_answer_share", "share", "completions without an answer that can be read", "Truncated and unscored"},
      {"completions/unscored_share", "share", "completions without a value: failed, late or not applicable", "Truncated and unscored"},
      {"completions/error_share", "share", "completions without a value because a reward failed or was late", ""},
      {"loss", "", "the loss that was minimised", "Loss"},
      {"policy_loss", "", "the same without KL and entropy bonus", "Loss"},
      {"aux_loss", "", "balance loss of the experts, before its coefficient; even loads give 1 a layer", ""},
      {"kl", "nats", "estimate (kl.value) of the divergence from the reference, per token; kl.level = sequence: half the squared sums, by tokens", "KL to the reference"},
      {"entropy", "nats", "mean entropy of the policy, per token", "Entropy"},
      {"entropy_coef", "", "coefficient of the entropy bonus in the last update", ""},
      {"clip_ratio/low_mean", "share", "tokens clipped at the lower bound", "Clipped tokens"},
      {"clip_ratio/high_mean", "share", "tokens clipped at the upper bound", "Clipped tokens"},
      {"clip_ratio/region_mean", "share", "tokens clipped at either bound", "Clipped tokens"},
      {"clip_ratio/low_min", "share", "of the completion with the fewest: its share clipped at the lower bound", ""},
      {"clip_ratio/high_max", "share", "of the completion with the most: its share clipped at the upper bound", ""},
      {"cispo_clip_ratio", "share", "tokens with a positive advantage whose weight the upper bound cut (loss.kind = cispo)", "Clipped tokens"},
      {"grad_norm", "", "norm of the gradient before clipping; of several updates the largest", "Gradient norm"},
      {"learning_rate", "", "learning rate of the step", "Learning rate"},
      {"num_tokens", "tokens", "tokens trained on since the stage began", ""},
      {"step_tokens", "tokens", "trained tokens of the step: the loss's denominator", ""},
      {"groups_dropped", "groups", "groups left out: too few values, or filtered", ""},
      {"sampling/sampling_logp_difference/mean", "nats", "|sampler's log-probability - trainer's| of tokens that the trainer's weights drew, mean",
       "Sampler against trainer"},
      {"sampling/sampling_logp_difference/max", "nats", "the same, largest", "Sampler against trainer"},
      {"sampling/stale_logp_difference/mean", "nats", "the same, of tokens that older weights drew", ""},
      {"sampling/stale_logp_difference/max", "nats", "the same, largest", ""},
      {"sampling/staleness_mean", "updates", "optimizer updates between the weights that drew a trained token and those that train it", ""},
      {"sampling/staleness_max", "updates", "the same, of the oldest token", ""},
      {"sampling/importance_sampling_ratio/min", "", "ratio of trainer's to sampler's probability, as corrected; smallest", ""},
      {"sampling/importance_sampling_ratio/mean", "", "the same, mean", ""},
      {"sampling/importance_sampling_ratio/max", "", "the same, largest", ""},
      {"correction/dropped_share", "share", "trained tokens that the importance correction dropped", ""},
      {"sampling/kept_mass_mean", "share", "probability that top-p, top-k and min-p kept", ""},
      {"sampling/kept_ids_mean", "ids", "vocabulary that a token was drawn from, with correction.truncation = keep_mask", ""},
      {"rollout/aborted_tokens", "tokens", "tokens sampled for groups that over-provisioning left out", ""},
      {"refill/rounds", "rounds", "rounds of new prompts in place of groups whose rewards are all equal", "Dynamic sampling"},
      {"refill/dropped_groups", "groups", "groups that were left out for others", "Dynamic sampling"},
      {"refill/exhausted", "", "1: groups were still missing after filter.max_refills rounds", ""},
      {"curriculum/asked_share", "share", "problems of the data that were asked at least once", "Curriculum"},
      {"curriculum/pass_rate", "share", "mean pass rate of these, as the curriculum sees it", "Curriculum"},
      {"curriculum/dropped_share", "share", "problems of the data that are left out, solved or hopeless", "Curriculum"},
      {"mix/*/share", "share", "groups of the step that are of one [[dataset]]", "Mixture"},
      {"mix/*/reward", "", "mean reward of one [[dataset]]'s completions", "Reward by data set"},
      {"mix/*/mean_length", "tokens", "mean length of one [[dataset]]'s completions", "Length by data set"},
      {"mix/*/eval_accuracy", "share", "held-back problems of one [[dataset]] answered right, greedy", "Held-back accuracy by data set"},
      {"mix/*/eval_mean_length", "tokens", "mean length of greedy completions of one [[dataset]]", ""},
      {"rollout/carried_tokens", "tokens", "tokens of unfinished groups that go on in the next step", ""},
      {"moe/load_min_share", "share", "tokens of the least used expert, of all routed", "Expert load"},
      {"moe/load_max_share", "share", "tokens of the most used expert, of all routed", "Expert load"},
      {"moe/load_max_violation", "", "most used expert over the even load, less 1; mean over layers", ""},
      {"timing/step_seconds", "s", "wall time of the step", "Seconds a step"},
      {"timing/rollout_seconds", "s", "sampling and scoring: from the first request to the last score", "Seconds a step"},
      {"timing/train_seconds", "s", "the update: from packing to the new weights", "Seconds a step"},
      {"timing/reward_seconds", "s", "scoring, on a thread of its own beside the sampling", ""},
      {"timing/rewards/*/p50_ms", "ms", "one reward's calls (a group each): median", ""},
      {"timing/rewards/*/p99_ms", "ms", "the same, 99th percentile", ""},
      {"timing/eval_seconds", "s", "evaluation", ""},
      {"timing/checkpoint_seconds", "s", "checkpoints since the line before; not in step_seconds", ""},
      {"timing/rollout_tokens_per_second", "tokens/s", "sampled tokens by second of rollout", "Tokens a second"},
      {"timing/train_tokens_per_second", "tokens/s", "trained tokens by second of the update", "Tokens a second"},
      {"timing/cached_prompt_tokens", "tokens", "prompt tokens that the prefix cache served", ""},
      {"timing/prompts_seconds", "s", "part of the step: waiting for its prompts", ""},
      {"timing/prefill_seconds", "s", "part of the step: forward passes over prompts (a mixed pass counts by rows)", "Parts of a step"},
      {"timing/decode_seconds", "s", "part of the step: forward passes over new tokens", "Parts of a step"},
      {"timing/sample_seconds", "s", "part of the step: choosing tokens from the logits", "Parts of a step"},
      {"timing/reward_wait_seconds", "s", "part of the step: waiting for scores after the last sample", ""},
      {"timing/rollout_wait_seconds", "s", "part of the step: waiting for samples that are drawn beside training", "Parts of a step"},
      {"timing/score_seconds", "s", "part of the step: log-probabilities of the reference or before the updates, and routes", ""},
      {"timing/pack_seconds", "s", "part of the step: samples into batches", ""},
      {"timing/forward_seconds", "s", "part of the step: training's forward passes", "Parts of a step"},
      {"timing/backward_seconds", "s", "part of the step: backward passes", "Parts of a step"},
      {"timing/optimizer_seconds", "s", "part of the step: clipping, AdamW and the new weights, packed", "Parts of a step"},
      {"timing/other_seconds", "s", "the rest of the step", ""},
      {"timing/cost/sampled_tokens", "tokens", "sampled since the line before", ""},
      {"timing/cost/prefilled_tokens", "tokens", "prompt tokens computed, without those of the cache", ""},
      {"timing/cost/trained_tokens", "tokens", "trained; each pass over one counts", ""},
      {"timing/cost/flops", "FLOP", "operations of all passes, counted as model/flops.h says", "FLOP a line"},
      {"timing/cost/seconds", "s", "wall time since the line before", ""},
      {"timing/cost/cpu_seconds", "s", "CPU time of all threads", ""},
      {"timing/cost/joules", "J", "energy: cost.watts, or what the processor counted", ""},
      {"timing/cost/price", "", "price, in cost.currency", ""},
      {"timing/memory_mb", "MB", "resident memory", ""},
  };
  return infos;
}

const MetricInfo* find_metric(const std::string& name) {
  for (const auto& info : metric_infos()) {
    if (matches(info.name, name)) return &info;
  }
  return nullptr;
}

std::string metrics_line(const std::string& stage, int64_t step, const Metrics& values) {
  std::string line = fmt::format("{{\"stage\":{},\"step\":{}", nlohmann::json(stage).dump(), step);
  for (const auto& [name, value] : values) line += fmt::format(",{}:{}", nlohmann::json(name).dump(), number(value));
  return line + "}";
}

std::vector<MetricsLine> read_metrics(const std::string& file) {
  std::vector<MetricsLine> lines;
  std::ifstream in(file, std::ios::binary);
  for (std::string text; std::getline(in, text);) {
    if (auto line = parse_line(text)) lines.push_back(std::move(*line));
  }
  return lines;
}

MetricsLog::MetricsLog(const std::string& directory, bool tensorboard) : file_(directory + "/metrics.jsonl") {
  std::filesystem::create_directories(directory);
  line_log(file_).sync();
  if (tensorboard) tensorboard_ = std::make_unique<TensorBoardWriter>(directory + "/tensorboard");
}

MetricsLog::~MetricsLog() = default;

void MetricsLog::log(const std::string& stage, int64_t step, const Metrics& values) {
  for (const auto& [name, unused] : values) {
    if (find_metric(name) == nullptr)
      kernels::fail("metrics: \"{}\" is not in the table of rl/metrics.cpp. Add it with its unit and meaning.", name);
  }
  line_log(file_).append(metrics_line(stage, step, values));
  if (tensorboard_) tensorboard_->write(stage, step, values);
}

void truncate_lines_after(const std::string& file, const std::vector<std::string>& stages, const std::string& stage, int64_t step,
                          bool no_evaluation) {
  const auto evaluates = [&](const MetricsLine& line) {
    return line.stage == stage && line.step == step &&
           std::any_of(line.values.begin(), line.values.end(), [](const auto& v) { return v.first.rfind("eval/", 0) == 0; });
  };
  const auto place = [&](const std::string& name) { return std::find(stages.begin(), stages.end(), name) - stages.begin(); };
  std::ifstream in(file, std::ios::binary);
  if (!in) return;
  std::uintmax_t kept = 0;
  std::uintmax_t at = 0;
  for (std::string text; std::getline(in, text) && !in.eof();) {
    at += text.size() + 1;
    const auto line = parse_line(text);
    if (!line) continue;  // what lies behind it may be whole
    if (place(line->stage) > place(stage) || (line->stage == stage && line->step > step)) break;
    if (no_evaluation && evaluates(*line)) break;
    kept = at;
  }
  in.close();
  std::filesystem::resize_file(file, kept);
}

}  // namespace rl
