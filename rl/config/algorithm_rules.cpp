// Settings of [advantage], [loss], [kl], [correction], [filter] and [curriculum] that are fine alone and wrong together.
#include <fmt/core.h>

#include "rl/config/reader.h"

namespace rl {
namespace {

// A setting that the others leave without effect.
struct Unused {
  std::string path, why;
};

std::vector<Unused> unused_settings(const StageConfig& stage) {
  const LossConfig& loss = stage.loss;
  std::vector<Unused> unused;
  const auto add = [&](bool when, std::initializer_list<const char*> paths, const std::string& why) {
    for (const char* path : paths)
      if (when) unused.push_back({path, why});
  };
  const std::string kind = fmt::format("loss.kind is \"{}\"", loss.kind);
  add(loss.kind != "ppo_clip" && loss.kind != "cispo", {"loss.clip_low", "loss.clip_high"},
      kind + ", which does not clip. Set loss.kind = \"ppo_clip\", or remove the key.");
  add(loss.kind != "ppo_clip", {"loss.dual_clip"}, kind + ". Set loss.kind = \"ppo_clip\", or remove the key.");
  add(loss.kind != "sapo", {"loss.sapo_tau_positive", "loss.sapo_tau_negative"}, kind + ". Set loss.kind = \"sapo\", or remove the key.");
  add(loss.kind == "reinforce", {"loss.ratio_level"}, kind + ", which has no ratio. Set loss.kind = \"ppo_clip\", or remove the key.");
  add(loss.aggregation != "constant", {"loss.constant_length"},
      fmt::format("loss.aggregation is \"{}\", which does not use it. Set aggregation = \"constant\", or remove the key.",
                  loss.aggregation));
  add(loss.entropy_target == 0, {"loss.entropy_coef_delta", "loss.entropy_coef_max"},
      "loss.entropy_target is 0, so the coefficient stays. Set entropy_target, or remove the key.");
  add(stage.kl.coef == 0,
      {"kl.where", "kl.value", "kl.gradient", "kl.level", "kl.reference_update", "kl.reference_every_steps", "kl.reference_polyak",
       "kl.reset_optimizer"},
      "kl.coef is 0, so no reference is kept. Set kl.coef above 0, or remove the key.");
  add(stage.kl.coef > 0 && stage.kl.where != "loss", {"kl.gradient"},
      fmt::format("kl.where is \"{}\", where the KL is a constant. Remove the key.", stage.kl.where));
  const std::string reference = fmt::format("kl.reference_update is \"{}\". ", stage.kl.reference_update);
  add(stage.kl.coef > 0 && stage.kl.reference_update == "never", {"kl.reference_every_steps"},
      reference + "Set reference_update = \"every\" or \"polyak\", or remove the key.");
  add(stage.kl.coef > 0 && stage.kl.reference_update != "polyak", {"kl.reference_polyak"},
      reference + "Set reference_update = \"polyak\", or remove the key.");
  add(stage.advantage.scale != "group_std" && stage.advantage.scale != "batch_std" && stage.advantage.whiten == "off", {"advantage.std"},
      fmt::format("advantage.scale is \"{}\", which divides by no standard deviation. Set scale = \"group_std\", or remove the key.",
                  stage.advantage.scale));
  add(stage.correction.mode == "off", {"correction.upper", "correction.lower"},
      "correction.mode is \"off\". Set mode = \"truncate\", \"mask\" or \"seq_mask\", or remove the key.");
  add(stage.filter.zero_variance != "refill", {"filter.max_refills", "filter.on_exhausted"},
      fmt::format("filter.zero_variance is \"{}\". Set zero_variance = \"refill\", or remove the key.", stage.filter.zero_variance));
  add(stage.filter.zero_variance == "keep", {"filter.metric"},
      "filter.zero_variance is \"keep\", so no group is left out. Set zero_variance = \"drop\" or \"refill\", or remove the key.");
  const std::string curriculum = fmt::format("curriculum.kind is \"{}\"", stage.curriculum.kind);
  add(stage.curriculum.kind != "pass_rate",
      {"curriculum.drop_solved_above", "curriculum.drop_failed_below", "curriculum.min_visits", "curriculum.return_after_epochs"},
      curriculum + ". Set kind = \"pass_rate\", or remove the key.");
  add(stage.curriculum.kind != "failure", {"curriculum.floor"}, curriculum + ". Set kind = \"failure\", or remove the key.");
  add(stage.curriculum.kind == "none", {"curriculum.decay"}, curriculum + ". Set kind = \"pass_rate\" or \"failure\", or remove the key.");
  add(stage.rollout.top_k == 0 && stage.rollout.top_p >= 1 && stage.rollout.min_p <= 0, {"correction.truncation"},
      "rollout.top_p, top_k and min_p are off, so nothing is cut. Set one of them, or remove the key.");
  return unused;
}

const Key& key_of(const std::string& path) {
  const size_t dot = path.find('.');
  return *find_key(path.substr(0, dot), path.substr(dot + 1));
}

class AlgorithmRules {
 public:
  AlgorithmRules(const Resolved& resolved, size_t index, ConfigErrors& errors)
      : resolved_(resolved), index_(index), stage_(resolved.config.stages[index]), errors_(errors) {}

  void check() {
    check_unused();
    check_advantage();
    check_loss();
    check_aggregation();
    check_kl();
    check_correction();
    check_sampling();
    check_experts();
  }

 private:
  void fail(const std::string& path, const std::string& what) {
    Source source = resolved_.source_of(index_, path);
    if (source.line == 0 && source.override_.empty()) source = resolved_.source_of(index_, "stage");
    errors_.add(source, path, what);
  }

  void check_unused() {
    StageConfig stage = stage_;
    for (const Unused& u : unused_settings(stage)) {
      const std::string value = value_text(key_of(u.path), {nullptr, &stage, nullptr});
      if (value != default_text(key_of(u.path))) fail(u.path, fmt::format("is {}, but {}", value, u.why));
    }
  }

  void check_advantage() {
    const AdvantageConfig& a = stage_.advantage;
    if (stage_.rollout.samples_per_prompt < 2 && a.compares_within_group())
      fail("rollout.samples_per_prompt",
           "is 1, but GRPO compares completions of one prompt with each other, "
           "so a group of one always has advantage 0. Set it to 2 or more.");
    if (a.reward_low > a.reward_high)
      fail("advantage.reward_range", fmt::format("is [{}, {}], which is empty. Write the lower end first.", a.reward_low, a.reward_high));
    if (a.scale == "group_mean" && a.reward_low < 0)
      fail("advantage.scale",
           fmt::format("is \"group_mean\", which divides by the mean reward and so takes rewards of 0 or more, but reward_range begins "
                       "at {:g}. Set advantage.reward_range = [0, 1].",
                       a.reward_low));
    const bool kl_in_reward = stage_.kl.coef > 0 && stage_.kl.where == "reward";
    if (a.scale == "group_mean" && (kl_in_reward || a.combine == "normalize_then_sum"))
      fail("advantage.scale",
           fmt::format("is \"group_mean\", which divides by the mean reward and so takes rewards of 0 or more, but {}. Set scale to "
                       "\"group_std\" or \"none\".",
                       kl_in_reward ? "kl.where = \"reward\" subtracts from it"
                                    : "advantage.combine = \"normalize_then_sum\" gives it each reward alone, which reward_range does not bound"));
    if (stage_.filter.zero_variance != "keep" && (a.baseline == "batch_mean" || a.baseline == "none"))
      fail("filter.zero_variance",
           fmt::format("is \"{}\", but advantage.baseline is \"{}\", with which a group of equal rewards teaches too. Set zero_variance = "
                       "\"keep\".",
                       stage_.filter.zero_variance, a.baseline));
    if (a.combine == "normalize_then_sum" && stage_.kl.coef > 0 && stage_.kl.where == "reward")
      fail("kl.where",
           "is \"reward\", but advantage.combine = \"normalize_then_sum\" has no total reward to take the KL from. Set kl.where to "
           "\"loss\" or \"token_reward\".");
  }

  void check_loss() {
    const LossConfig& loss = stage_.loss;
    if (loss.kind == "ppo_clip" && loss.dual_clip > 0 && loss.dual_clip <= 1 + loss.clip_high)
      fail("loss.dual_clip",
           fmt::format("is {:g}, but the ratio is clipped to 1 + loss.clip_high = {:g} already. Set it above that, or to 0.",
                       loss.dual_clip, 1 + loss.clip_high));
    if (loss.updates_per_step > stage_.rollout.prompts_per_step)
      fail("loss.updates_per_step",
           fmt::format("is {}, but a step has {} groups and an update takes whole groups. "
                       "Set it to {} or less.",
                       loss.updates_per_step, stage_.rollout.prompts_per_step, stage_.rollout.prompts_per_step));
  }

  void check_aggregation() {
    const LossConfig& loss = stage_.loss;
    if (loss.aggregation == "constant" && loss.constant_length == 0)
      fail("loss.constant_length",
           fmt::format("is missing: loss.aggregation = \"constant\" divides by it. "
                       "Set it, for example to rollout.max_new_tokens ({}).",
                       stage_.rollout.max_new_tokens));
    if (loss.ratio_level != "token" && loss.kind != "reinforce" && loss.aggregation != "seq_mean")
      fail("loss.aggregation",
           fmt::format("is \"{}\", but loss.ratio_level is \"{}\": one ratio for a completion, which would then count by its length. "
                       "Set aggregation = \"seq_mean\", or ratio_level = \"token\".",
                       loss.aggregation, loss.ratio_level));
  }

  void check_kl() {
    const KlConfig& kl = stage_.kl;
    if (kl.reset_optimizer && kl.coef > 0 && kl.reference_update == "never")
      fail("kl.reset_optimizer",
           "is true, but kl.reference_update is \"never\", so that moment never comes. Set reference_update = \"every\" or \"polyak\".");
    if (kl.coef > 0 && kl.level == "sequence" && (kl.value != "k2" || kl.where != "loss" || kl.gradient == "unbiased"))
      fail("kl.level",
           "is \"sequence\", which is the squared log-ratio of the whole completion in the loss. Set kl.value = \"k2\", kl.where = "
           "\"loss\" and kl.gradient = \"naive\", or level = \"token\".");
  }

  void check_correction() {
    const CorrectionConfig& c = stage_.correction;
    if (c.mode != "off" && c.old_logprobs == "rollout")
      fail("correction.mode",
           fmt::format("is \"{}\", but correction.old_logprobs is \"rollout\", so old and sampler are the same and every factor is 1. "
                       "Set old_logprobs = \"recompute\", or mode = \"off\".",
                       c.mode));
    if (c.lower >= c.upper)
      fail("correction.lower", fmt::format("is {:g}, but correction.upper is {:g}. Set it lower.", c.lower, c.upper));
  }

  void check_sampling() {
    const RolloutConfig& rollout = stage_.rollout;
    if (rollout.temperature < 0.001)
      fail("rollout.temperature",
           fmt::format("is {:g}, but samples are drawn at 0.001 or more: greedy ones would all be equal and teach nothing.",
                       rollout.temperature));
    if (stage_.eval.temperature > 0 && stage_.eval.temperature < 0.001)
      fail("eval.temperature", fmt::format("is {:g}. Set it to 0, which is greedy, or to 0.001 or more.", stage_.eval.temperature));
    if (rollout.partial && rollout.asked_prompts() == rollout.prompts_per_step)
      fail("rollout.partial",
           fmt::format("is true, but rollout.overprovision is {:g}: a step asks for the {} groups that it needs, and no group is left "
                       "unfinished. Set overprovision above 1, for example to 1.5, or partial = false.",
                       rollout.overprovision, rollout.prompts_per_step));
  }

  void check_experts() {
    const MoeConfig& moe = stage_.moe;
    if (moe.replay == "trainer" && stage_.loss.updates_per_step * stage_.loss.epochs_per_step == 1)
      fail("moe.replay",
           fmt::format("is \"{}\", but a step has one update, whose experts are the rollout's already. Set loss.updates_per_step or "
                       "epochs_per_step above 1, or replay = \"off\".",
                       moe.replay));
  }

  const Resolved& resolved_;
  size_t index_;
  const StageConfig& stage_;
  ConfigErrors& errors_;
};

}  // namespace

void forget_unused_presets(StageConfig& stage, std::map<std::string, Source>& sources) {
  for (const Unused& u : unused_settings(stage)) {
    const auto source = sources.find(u.path);
    if (source == sources.end() || source->second.preset.empty()) continue;
    assign(key_of(u.path), read_toml_value(default_text(key_of(u.path))), {nullptr, &stage, nullptr});
    sources.erase(source);
  }
}

void check_algorithm(const Resolved& resolved, size_t stage, ConfigErrors& errors) { AlgorithmRules(resolved, stage, errors).check(); }

}  // namespace rl
