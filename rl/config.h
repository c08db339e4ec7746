// Every setting of a run. The TOML has the same names: [rollout] samples_per_prompt is config.rollout.samples_per_prompt.
//
// rl/config.cpp declares each key once, with unit, default, range and a sentence; reading, `--print-config`,
// `ponder config schema` and the README's table come from that declaration. A [[stage]] may repeat any section,
// overriding the top one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernels/dtype.h"
#include "model/chat/chat_template.h"
#include "model/config.h"
#include "model/lora/lora_parameters.h"
#include "reward/reward.h"
#include "rl/alarms.h"
#include "rl/cost.h"
#include "rl/early_stop.h"

namespace rl {

struct RunConfig {
  std::string name;                // default: the TOML file's stem
  int64_t seed = 0;
  int64_t steps = 0;               // caps each RL stage; 0: the stage's own number
  std::string output_dir;          // default: runs/<name>
  std::string device = "auto";     // auto | cpu | cuda
  std::string determinism = "exact";
  int64_t threads = 0;             // 0: all cores; never changes a result
  bool pin_threads = false;        // each helper thread has a processor of its own
  double wait_deadline_s = 1800;   // of everything that the run waits for; 0: none
  int64_t memory_mb = 0;           // budget for weights, optimizer, cache and activations; 0: 80 % of the machine's
};

struct ModelSettings {
  std::string path;                // a Hugging Face folder; empty when born here
  std::string init = "";           // "random": born here with the sizes below
  std::string family;              // of a born model; empty: llama, qwen3_moe or deepseek_v3, by the parts
  kernels::Dtype compute_dtype = kernels::Dtype::bf16;
  double init_std = 0.02;
  std::string activation_checkpointing = "auto";  // auto | off | block
  std::string offload_folder;      // masters and moments lie in files there; empty: in memory
  model::LoraConfig lora;          // rank above 0: the model is frozen, and an adapter is trained
  model::ModelConfig sizes;        // when init = "random"
  std::string alphabet;            // characters of a born model's tokenizer
  std::vector<std::string> special_tokens;  // its special tokens; the one named by eos_token ends a completion
  std::string eos_token;
};

// Of a model that `ponder init` makes, where it is not model.alphabet.
struct TokenizerSettings {
  std::string path;                // a tokenizer.json, or a folder with one
  std::vector<std::string> text;   // files that a new byte-level BPE is trained on
  int64_t vocab_size = 4096;       // of the new one, special tokens included
};

struct DataConfig {
  std::string train;               // a JSONL file, or "generator:arithmetic", "generator:countdown"
  std::string eval;                // JSONL or generator; empty: none
  std::string prompt_key = "question", answer_key = "answer", completion_key = "completion";
  std::string format = "auto";     // auto | messages | prompt | instruction: see data/row_forms.h
  std::string instruction_prompt =
      "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that "
      "appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:";
  std::string instruction_prompt_no_input =
      "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
      "### Instruction:\n{instruction}\n\n### Response:";
  std::string name;                // data source of rows that do not name their own; default: the file's or generator's name
  std::string source_key = "data_source";
  bool shuffle = true;
  int64_t max_prompt_tokens = 512;
  std::string overlong_prompt = "drop";  // drop | error | truncate_left
  int64_t eval_problems = 256;     // held back: training never draws them
  std::vector<std::string> allow_contamination;  // test sets that training data may hold: "gsm8k/test", "eval"
  // generator:arithmetic
  int64_t terms = 5, digits = 1;
  double worked_share = 0.3;       // SFT: share of completions with worked steps; the rest are bare answers
  // generator:countdown
  int64_t numbers = 4, largest = 99;
};

// Of sft stages.
struct SftConfig {
  std::string train_on = "completion";  // completion | assistant | all
  int64_t max_tokens = 0;          // of a row, prompt and end token included; 0: as many as the model has positions for
  std::string overlong = "error";  // drop | error | truncate: a row of more
};

struct RolloutConfig {
  int64_t prompts_per_step = 32, samples_per_prompt = 8, max_new_tokens = 256;
  double temperature = 1.0, top_p = 1.0, min_p = 0.0;
  int64_t top_k = 0;
  std::vector<std::string> stop;
  int64_t max_tokens_per_batch = 4096;  // rows of one forward pass of the engine
  int64_t max_sequences = 512;          // sequences that run at once
  int64_t cache_mb = 0;                 // 0: what the memory plan leaves
  bool prefix_cache = true;             // prompts that begin alike share their cache pages
  double overprovision = 1.0;           // groups asked for, over prompts_per_step; the first to finish make the step
  bool partial = false;                 // the other groups go on in the next step
  int64_t max_staleness_steps = 0;      // steps between the weights that sample and those that are trained; 0: none

  int64_t asked_prompts() const;        // prompts_per_step * overprovision, rounded up
};

struct AdvantageConfig {
  std::string baseline = "group_mean";  // group_mean | leave_one_out | length_weighted | batch_mean | none
  std::string scale = "group_std";      // group_std | batch_std | group_mean | none
  std::string std = "unbiased";         // unbiased | population
  double eps = 1e-6;
  std::string whiten = "off";           // off | samples | tokens
  std::string combine = "sum_then_normalize";   // sum_then_normalize | normalize_then_sum
  double reward_low = -1e6, reward_high = 1e6;  // the total reward is clipped to it

  bool compares_within_group() const;   // a group of one has nothing to compare with
};

struct LossConfig {
  std::string kind = "ppo_clip";           // ppo_clip | cispo | sapo | reinforce
  std::string ratio_level = "token";       // token | sequence | sequence_token
  double clip_low = 0.2, clip_high = 0.2;  // distances from 1
  double dual_clip = 0.0;                  // 0: off
  double sapo_tau_positive = 1.0, sapo_tau_negative = 1.05;
  std::string aggregation = "token_mean";  // token_mean | seq_mean | seq_mean_token_sum | constant
  int64_t constant_length = 0;
  double entropy_coef = 0.0;
  double entropy_target = 0.0;             // 0: the coefficient stays
  double entropy_coef_delta = 1e-4, entropy_coef_max = 5e-3;
  int64_t updates_per_step = 1, epochs_per_step = 1;
};

struct KlConfig {
  double coef = 0.0;                       // 0: no reference policy is kept
  std::string where = "loss";              // loss | reward | token_reward
  std::string value = "k3";                // k1 | k2 | k3
  std::string gradient = "unbiased";       // naive | k2 | unbiased
  std::string level = "token";             // token | sequence
  std::string reference_update = "never";  // never | every | polyak
  int64_t reference_every_steps = 400;
  double reference_polyak = 0.6;
  bool reset_optimizer = false;
};

struct CorrectionConfig {
  std::string mode = "off";                // off | truncate | mask | seq_mask
  double upper = 2.0, lower = 0.0;
  std::string old_logprobs = "rollout";    // rollout | recompute
  std::string truncation = "off";          // off | keep_mask
};

struct MoeConfig {
  double bias_update_rate = 0.0;           // sigmoid routers: step of the correction bias toward even loads
  bool train_router = true;
  double aux_loss_coef = 0.0;              // sequence-wise balance loss
  std::string replay = "off";              // off | trainer | rollout
};

struct OptimizerConfig {
  double lr = 1e-6, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.0;
  std::string schedule = "constant";       // constant | linear | cosine
  double final_lr_share = 0.0;             // linear, cosine: share of lr at the last step
  int64_t warmup_steps = 10;
  double max_grad_norm = 1.0;              // 0: no clipping
  std::string on_non_finite = "stop";      // stop | skip: a step whose loss or gradient is not finite
  int64_t max_tokens_per_microbatch = 16384;
};

struct FilterConfig {
  std::string zero_variance = "keep";      // keep | drop | refill
  std::string metric = "reward";           // reward | accuracy: what zero_variance compares
  int64_t max_refills = 10;                // refill: rounds of new prompts in a step
  std::string on_exhausted = "smaller_batch";  // smaller_batch | keep_zero_variance | stop
  std::string truncated = "keep";          // keep | mask | drop
  double max_infra_error_share = 0.05;     // the run stops above this share of samples that a reward failed on
  int64_t error_window_steps = 10;         // over these many last steps
  double rescore_share = 0.01;             // groups that are scored twice
};

struct CurriculumConfig {
  std::string kind = "none";               // none | pass_rate | failure
  double drop_solved_above = 0.95, drop_failed_below = 0.0;
  int64_t min_visits = 1;                  // times a problem is asked before it may be dropped
  int64_t return_after_epochs = 3;         // 0: never
  double decay = 0.5;                      // of older completions' weight in a pass rate, each time a problem is asked
  double floor = 0.05;                     // failure: least weight of a problem
};

struct EvalConfig {
  int64_t every_steps = 0;                 // 0: before and after each stage only
  int64_t samples = 1;
  double temperature = 0.0;                // 0: greedy
  int64_t max_new_tokens = 0;              // 0: rollout.max_new_tokens
};

struct CheckpointConfig {
  int64_t every_steps = 50;                // and at the end of each stage; 0: only there
  int64_t keep_last = 2;
  std::string resume = "off";              // off | auto | a checkpoint folder
  std::string keep_best;                   // a metric of evaluations; empty: no best checkpoint is kept
  std::string best_is = "auto";            // auto | max | min
};

struct LogConfig {
  bool tensorboard = true;
  int64_t dump_rollouts_every = 10;        // steps between dumps of all samples to rollouts/, the last step too; 0: none
  bool state_hash = true;                  // hashes of the weights after each step in states.jsonl
  bool show_first_sample = true;           // token by token, at the first step of an RL stage
};

// One [[dataset]]: [data] and [template] with the entry's own keys over them.
struct DatasetConfig {
  std::string name;
  double weight = 1.0;                     // of its draws, among the stage's sets
  std::vector<std::string> rewards;        // names of the [[reward]] entries that score it; empty: all
  DataConfig data;
  model::TemplateConfig chat_template;
};

// One stage with every section resolved.
struct StageConfig {
  std::string kind = "grpo";               // sft | grpo
  std::string name;
  int64_t steps = 0;
  int64_t epochs = 0;                      // sft: instead of steps
  int64_t epoch_steps = 0;                 // the steps that `epochs` make: no setting, known when the data is read
  int64_t sequences_per_step = 256;        // sft: sequences in one optimizer step
  DataConfig data;
  model::TemplateConfig chat_template;     // [template]
  std::vector<DatasetConfig> datasets;     // [[dataset]]; empty: [data] is the only one
  RolloutConfig rollout;
  AdvantageConfig advantage;
  LossConfig loss;
  KlConfig kl;
  CorrectionConfig correction;
  MoeConfig moe;
  OptimizerConfig optimizer;
  FilterConfig filter;
  CurriculumConfig curriculum;
  EvalConfig eval;
  SftConfig sft;
  EarlyStopConfig early_stop;
  AlarmConfig alarm;
  std::vector<reward::Settings> rewards;   // [[reward]]

  std::vector<DatasetConfig> sets() const;  // datasets, or one without a name made of [data] and [template]
  int64_t max_prompt_tokens() const;        // of all sets
  int64_t eval_problems() const;            // of all sets; 0: nothing is held back to evaluate on
};

struct Config {
  std::string file;                        // where it came from, for messages
  RunConfig run;
  ModelSettings model;
  TokenizerSettings tokenizer;             // read_sizes only
  CheckpointConfig checkpoint;
  LogConfig log;
  CostConfig cost;
  std::vector<StageConfig> stages;         // at least one
  // Where each value that is not a default was set: "run.seed" or "STAGE:data.train" -> "configs/x.toml:12", "--set ..." or
  // "preset dapo".
  // "STAGE:reward.0" is the stage's first [[reward]], "STAGE:dataset.0" its first [[dataset]].
  std::map<std::string, std::string> places;
};

// The place of a setting for an error message; the file when it is a default.
std::string place_of(const Config& config, const std::string& path, const std::string& stage = "");

// Reads a TOML file, the preset that it may name at its top, and `--set section.key=value` overrides (a value is TOML; a bare word is a string). Throws
// kernels::UsageError with "file:line: section.key: what is wrong. how to fix it." All errors of a file are joined by
// newlines, in line order.
Config read_config(const std::string& file, const std::vector<std::string>& overrides = {});

// Only the [[reward]] entries of a TOML file, which may hold nothing else, or be the settings of a whole run.
std::vector<reward::Settings> read_reward_file(const std::string& file);

// The file of `ponder init`: [run] seed, [model] and [tokenizer]; the other sections of a run may stand there too and are
// not looked at. model.sizes has no vocab_size and no end tokens unless the tokenizer is model.alphabet's.
Config read_sizes(const std::string& file, const std::vector<std::string>& overrides = {});

// The resolved config as TOML, each key with its value. It reads back as the same config.
std::string config_to_toml(const Config& config);
// The same with a comment on each line that says where the value came from: default, preset, file:line or --set.
std::string print_config(const std::string& file, const std::vector<std::string>& overrides);
std::string config_schema_json();     // JSON Schema, draft 7
std::string config_table_markdown();  // the README's table

}  // namespace rl
