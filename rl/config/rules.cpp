// Settings that are fine alone and wrong together. Those of the algorithm are in algorithm_rules.cpp.
#include <fmt/core.h>

#include "rl/best_metric.h"
#include "rl/config/datasets.h"
#include "rl/config/reader.h"

namespace rl {
namespace {

class Rules {
 public:
  Rules(const Resolved& resolved, ConfigErrors& errors) : resolved_(resolved), errors_(errors) {}

  void check() {
    check_model();
    check_best();
    check_cost();
    if (resolved_.config.checkpoint.resume.empty())
      fail(0, "checkpoint.resume", "is empty. Write \"off\", \"auto\" or a checkpoint folder.");
    for (size_t i = 0; i < resolved_.config.stages.size(); ++i) {
      check_stage(i);
      check_data_rules(resolved_, i, errors_);
      if (const std::string wrong = model::unknown_style(resolved_.config.stages[i].chat_template.style); !wrong.empty())
        fail(i, "template.style", wrong);
      if (resolved_.config.stages[i].kind == "grpo") check_grpo(i);
    }
  }

 private:
  void fail(size_t stage, const std::string& path, const std::string& what) {
    Source source = resolved_.source_of(stage, path);
    if (source.line == 0 && source.override_.empty()) source = resolved_.source_of(stage, "stage");
    errors_.add(source, path, what);
  }

  void check_model() {
    const ModelSettings& model = resolved_.config.model;
    const bool born = model.init == "random";
    if (!model.path.empty() && born) {
      fail(0, "model.init",
           fmt::format("is \"random\", but model.path is \"{}\": a model is either read or born here. "
                       "Remove one of the two.",
                       model.path));
      return;
    }
    if (model.path.empty() && !born)
      fail(0, "model.path",
           "is missing: there is no model. Give a Hugging Face folder, or set model.init = \"random\" with sizes.");
    for (const auto& key : config_keys()) {
      if (!key.born_only || born || model.path.empty() || resolved_.run_sources.count(key.path()) == 0) continue;
      fail(0, key.path(),
           fmt::format("is set, but the model is read from \"{}\", whose files say it. Remove the key.", model.path));
    }
    if (born) check_born(model);
    check_lora(model);
  }

  void check_lora(const ModelSettings& model) {
    if (!model.lora.on()) {
      Config config = resolved_.config;
      for (const char* name : {"lora_alpha", "lora_rslora", "lora_targets"}) {
        const Key& key = *find_key("model", name);
        if (value_text(key, {&config, nullptr, nullptr}) != default_text(key))
          fail(0, key.path(), "is set, but model.lora_rank is 0: there is no adapter. Set the rank, or remove the key.");
      }
      return;
    }
    if (model.init == "random")
      fail(0, "model.lora_rank",
           fmt::format("is {}, but a model that is born here has nothing to keep. Give model.path, or set the rank to 0.",
                       model.lora.rank));
    for (size_t i = 0; i < resolved_.config.stages.size(); ++i) {
      const MoeConfig& moe = resolved_.config.stages[i].moe;
      const char* frozen = "is above 0, but model.lora_rank freezes the routers. Set it to 0.";
      if (moe.bias_update_rate > 0) fail(i, "moe.bias_update_rate", frozen);
      if (moe.aux_loss_coef > 0) fail(i, "moe.aux_loss_coef", frozen);
    }
  }

  void check_born(const ModelSettings& model) {
    for (const auto& [path, what] : born_model_problems(resolved_)) fail(0, path, what);
    const bool sigmoid = model.sizes.router.scoring == kernels::RouterConfig::Scoring::sigmoid;
    for (size_t i = 0; i < resolved_.config.stages.size(); ++i) {
      if (resolved_.config.stages[i].moe.bias_update_rate > 0 && (model.sizes.router.experts == 0 || !sigmoid))
        fail(i, "moe.bias_update_rate",
             "is above 0, but only a sigmoid router has a correction bias. "
             "Set model.router = \"sigmoid\", or the rate to 0.");
      if (model.sizes.router.experts == 0 && resolved_.config.stages[i].moe.replay != "off")
        fail(i, "moe.replay", "is set, but model.experts is 0: there are no choices to replay. Remove the key.");
      if (model.sizes.router.experts == 0 && resolved_.config.stages[i].moe.aux_loss_coef > 0)
        fail(i, "moe.aux_loss_coef", "is above 0, but model.experts is 0: there are no loads to balance. Remove the key.");
    }
  }

  void check_stage(size_t index) {
    const StageConfig& stage = resolved_.config.stages[index];
    for (size_t other = 0; other < index; ++other) {
      if (resolved_.config.stages[other].name == stage.name)
        fail(index, "stage.name", fmt::format("\"{}\" names two stages. Give each its own name.", stage.name));
    }
    check_epochs(index);
    check_evaluations(index);
    if (stage.steps == 0 && stage.epochs == 0) {
      fail(index, "stage.steps",
           stage.kind == "sft" ? "is missing: how many steps? Set steps or epochs in this [[stage]]."
                               : "is missing: how many steps? Set run.steps, or steps in a [[stage]].");
    }
    if (stage.moe.aux_loss_coef > 0 && !stage.moe.train_router)
      fail(index, "moe.aux_loss_coef", "is above 0, but moe.train_router is false, so nothing learns from it. Set one of the two.");
    if (stage.optimizer.schedule == "constant" && stage.optimizer.final_lr_share > 0)
      fail(index, "optimizer.final_lr_share",
           fmt::format("is {}, but optimizer.schedule is \"constant\", which never falls. "
                       "Set schedule = \"linear\", or the share to 0.",
                       stage.optimizer.final_lr_share));
  }

  void check_epochs(size_t index) {
    const StageConfig& stage = resolved_.config.stages[index];
    for (const auto& [path, text] : {std::pair{"data.instruction_prompt", &stage.data.instruction_prompt},
                                     std::pair{"data.instruction_prompt_no_input", &stage.data.instruction_prompt_no_input}})
      if (text->find("{instruction}") == std::string::npos) fail(index, path, "has no {instruction}, which the row's stands for. Add it.");
    if (stage.epochs == 0) return;
    if (stage.kind != "sft")
      fail(index, "stage.epochs", "is set, but a grpo stage is counted in steps. Set steps; loss.epochs_per_step trains on a rollout more than once.");
    else if (stage.steps > 0)
      fail(index, "stage.epochs", fmt::format("is {}, but steps is {}: both say how long the stage is. Remove one of the two.", stage.epochs, stage.steps));
    else
      for (const DatasetConfig& set : stage.sets())
        if (set.data.train.rfind("generator:", 0) == 0)
          fail(index, "stage.epochs", fmt::format("is {}, but {} has no end. Set steps.", stage.epochs, set.data.train));
    for (const DatasetConfig& set : stage.datasets)
      if (stage.kind == "sft" && set.weight != 1)
        fail(index, "stage.epochs",
             fmt::format("is {}, which trains on each row of every [[dataset]] equally often, but the weight of {} is {:g}. "
                         "Remove the weights, or set steps.", stage.epochs, set.name, set.weight));
  }

  // What hangs on evaluations: early stop here, the best checkpoint once for the run.
  void check_evaluations(size_t index) {
    const StageConfig& stage = resolved_.config.stages[index];
    const EarlyStopConfig& stop = stage.early_stop;
    if (stop.metric.empty()) {
      if (stop.patience > 0 || stop.target != 0) fail(index, "early_stop.metric", "is missing: what should get better? Set it, such as \"eval/accuracy\".");
      return;
    }
    if (const std::string wrong = evaluation_metric_problem(stop.metric, stop.best_is, "early_stop.best_is"); !wrong.empty())
      fail(index, "early_stop.metric", wrong);
    else if (stop.patience == 0 && stop.target == 0)
      fail(index, "early_stop.metric", "is set, but nothing says when to stop. Set early_stop.patience or early_stop.target.");
    else if (stage.eval.every_steps == 0 || stage.eval_problems() == 0)
      fail(index, "early_stop.metric", "is set, but nothing is evaluated while the stage runs. Set data.eval and eval.every_steps.");
  }

  void check_best() {
    const CheckpointConfig& checkpoint = resolved_.config.checkpoint;
    if (checkpoint.keep_best.empty()) return;
    const std::string wrong = evaluation_metric_problem(checkpoint.keep_best, checkpoint.best_is, "checkpoint.best_is");
    if (!wrong.empty()) return fail(0, "checkpoint.keep_best", wrong);
    for (const auto& stage : resolved_.config.stages)
      if (stage.eval_problems() > 0) return;
    fail(0, "checkpoint.keep_best", "is set, but nothing is evaluated. Set data.eval, and eval.every_steps for evaluations on the way.");
  }

  void check_cost() {
    for (const auto& text : resolved_.config.cost.machine_prices)
      if (const std::string wrong = machine_price_problem(text); !wrong.empty()) fail(0, "cost.machine_prices", wrong);
  }

  void check_grpo(size_t index) {
    const StageConfig& stage = resolved_.config.stages[index];
    if (stage.rollout.temperature == 0)
      fail(index, "rollout.temperature",
           "is 0, but then all completions of a prompt are equal and nothing can be learnt. "
           "Set it above 0; eval.temperature is the one for evaluation.");
    check_algorithm(resolved_, index, errors_);
    check_rewards(index);
  }

  void check_rewards(size_t index) {
    const StageConfig& stage = resolved_.config.stages[index];
    if (stage.rewards.empty()) {
      fail(index, "reward",
           "is missing: a grpo stage learns from rewards. Add a [[reward]] with a name from `ponder reward list`.");
      return;
    }
    bool any_sum = false;
    for (size_t i = 0; i < stage.rewards.size(); ++i) {
      any_sum = any_sum || stage.rewards[i].role == "sum";
      check_reward(stage.rewards[i], resolved_.reward_sources[index][i]);
    }
    if (!any_sum)
      errors_.add(resolved_.reward_sources[index].front(), "reward.role",
                  "is \"sum\" for no reward, so there is nothing to learn from. Leave one [[reward]] without a role.");
  }

  // Each reward knows its own options: making it is the check.
  void check_reward(const reward::Settings& settings, const Source& source) {
    if (settings.name.empty()) return;  // told already
    try {
      reward::make_reward(settings);
    } catch (const reward::Error& error) {
      errors_.add(source, "reward", error.what());
    }
  }

  const Resolved& resolved_;
  ConfigErrors& errors_;
};

}  // namespace

void check_rules(const Resolved& resolved, ConfigErrors& errors) { Rules(resolved, errors).check(); }

}  // namespace rl
