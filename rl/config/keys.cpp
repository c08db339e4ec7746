#include "rl/config/keys.h"

namespace rl {
namespace {

#define RUN(member) [](const Target& t) -> Slot { return &t.config->member; }
#define STAGE(member) [](const Target& t) -> Slot { return &t.stage->member; }
#define DATASET(member) [](const Target& t) -> Slot { return &t.dataset->member; }
#define REWARD(member) [](const Target& t) -> Slot { return &t.reward->member; }

Range any() { return {}; }
Range at_least(double low) { return {.low = low}; }
Range above(double low) { return {.low = low, .low_excluded = true}; }
Range between(double low, double high) { return {.low = low, .high = high}; }
Range share_below_one() { return {.low = 0, .high = 1, .high_excluded = true}; }
Range share_above_zero() { return {.low = 0, .high = 1, .low_excluded = true}; }

Slot betas(const Target& t) { return Pair{&t.stage->optimizer.beta1, &t.stage->optimizer.beta2}; }

Slot reward_range(const Target& t) { return Pair{&t.stage->advantage.reward_low, &t.stage->advantage.reward_high}; }

// {section, name, slot, unit, range, words, sentence, born_only}
std::vector<Key> declare() {
  return {
    {"run", "name", RUN(run.name), "", any(), {}, "Name of the run; the file's name when left out."},
    {"run", "seed", RUN(run.seed), "", at_least(0), {}, "Every random number follows from it: equal seeds give equal runs."},
    {"run", "steps", RUN(run.steps), "steps", at_least(0), {}, "Caps each RL stage; 0 leaves the stage's own number."},
    {"run", "output_dir", RUN(run.output_dir), "folder", any(), {},
     "Where metrics, report, checkpoints and the final model go; runs/NAME when left out."},
    {"run", "device", RUN(run.device), "", any(), {"auto", "cpu", "cuda"},
     "Where the model runs; auto takes a GPU if the build and the machine have one."},
    {"run", "determinism", RUN(run.determinism), "", any(), {"exact", "fast"},
     "exact: sampler and trainer agree bit for bit; fast: library kernels on a GPU, the mismatch is measured."},
    {"run", "threads", RUN(run.threads), "threads", between(0, 4096), {},
     "CPU threads; 0 takes all cores. Never changes a result."},
    {"run", "pin_threads", RUN(run.pin_threads), "", any(), {},
     "Binds each helper thread of the kernels to a processor, one of each core first, so that with several memory nodes (sockets) its "
     "part of large matrices lies next to it. The training thread, and that which samples ahead, are not bound. For a machine that does "
     "nothing else. Never changes a result."},
    {"run", "wait_deadline_s", RUN(run.wait_deadline_s), "s", at_least(0), {},
     "A run that waits longer for one thing (a pass of the engine, a checkpoint, a data file, the next prompts) writes what every thread does to "
     "RUN/stuck.txt and ends with exit code 3; 0: it waits for ever."},
    {"run", "memory_mb", RUN(run.memory_mb), "MB", at_least(0), {},
     "Budget for weights, optimizer, cache and activations; 0 takes 80 % of the machine's memory."},

    {"model", "path", RUN(model.path), "folder", any(), {}, "A Hugging Face folder to start from."},
    {"model", "init", RUN(model.init), "", any(), {"", "random"}, "random: the model is born here with the sizes below."},
    {"model", "compute_dtype", RUN(model.compute_dtype), "", any(), {"float32", "bf16"},
     "Type of weights and inputs of products; sums and master weights are float32."},
    {"model", "activation_checkpointing", RUN(model.activation_checkpointing), "", any(), {"auto", "off", "block"},
     "block: run each block again in the backward pass to save memory; auto: when the memory plan needs it."},
    {"model", "offload_folder", RUN(model.offload_folder), "folder", any(), {},
     "Master weights and AdamW's moments, 12 bytes a parameter, lie in files in this folder, on a fast local disk (ext4 or xfs), "
     "and are the program's memory only where a step works on them; what else the system has free it may use to cache them. "
     "Each step writes all of them. Changes no bit; empty: they stay in memory."},
    {"model", "lora_rank", RUN(model.lora.rank), "", between(0, 65536), {},
     "LoRA: rank of the pairs A, B that are trained beside the frozen weights; 0: all weights are trained, and there is no "
     "adapter. Dropout on the way into A is not offered."},
    {"model", "lora_alpha", RUN(model.lora.alpha), "", above(0), {},
     "LoRA: the pairs' product is multiplied by alpha / rank."},
    {"model", "lora_rslora", RUN(model.lora.rslora), "", any(), {},
     "LoRA: by alpha / sqrt(rank) instead (rank-stabilised)."},
    {"model", "lora_targets", RUN(model.lora.targets), "", any(), {},
     "LoRA: which products have a pair: names as in PEFT's target_modules (q_proj, v_proj, down_proj, experts.up_proj, "
     "kv_b_proj, ...), or all-linear: all but embeddings, head and routers."},
    {"model", "init_std", RUN(model.init_std), "", above(0), {}, "Standard deviation of a born model's weights.", true},
    {"model", "family", RUN(model.family), "", any(),
     {"", "llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "olmoe", "mixtral", "deepseek_v2", "deepseek_v3"},
     "Whose parts a born model has, and how it is saved; when left out llama, qwen3_moe or deepseek_v3, by the parts below. A "
     "family sets its own parts (its attention, biases, norms, router) where the file does not.", true},
    {"model", "layers", RUN(model.sizes.layers), "", at_least(0), {}, "Transformer blocks.", true},
    {"model", "width", RUN(model.sizes.width), "", at_least(0), {}, "Width of the residual stream.", true},
    {"model", "heads", RUN(model.sizes.heads), "", at_least(0), {}, "Query heads.", true},
    {"model", "attention", RUN(model.sizes.attention), "", any(), {"gqa", "mla"},
     "gqa: grouped-query attention; mla: multi-head latent attention.", true},
    {"model", "key_heads", RUN(model.sizes.key_heads), "", at_least(0), {}, "GQA: key and value heads.", true},
    {"model", "head_size", RUN(model.sizes.head_size), "", at_least(0), {}, "GQA: elements of a head.", true},
    {"model", "query_key_norm", RUN(model.sizes.query_key_norm), "", any(), {},
     "GQA: normalise each head's query and key.", true},
    {"model", "whole_query_key_norm", RUN(model.sizes.whole_query_key_norm), "", any(), {},
     "GQA: normalise all heads of a query and of a key together (olmoe).", true},
    {"model", "clip_qkv", RUN(model.sizes.clip_qkv), "", at_least(0), {},
     "GQA: queries, keys and values are clamped to this size; 0: not (olmoe).", true},
    {"model", "query_key_value_bias", RUN(model.sizes.query_key_value_bias), "", any(), {},
     "Biases on queries, keys and values; MLA: on the down projections.", true},
    {"model", "output_bias", RUN(model.sizes.output_bias), "", any(), {}, "A bias on the attention's output.", true},
    {"model", "feed_forward_bias", RUN(model.sizes.feed_forward_bias), "", any(), {},
     "Biases on the feed-forward's products (llama).", true},
    {"model", "window", RUN(model.sizes.window), "tokens", at_least(0), {},
     "Positions that a token sees, its own included; 0: all before it.", true},
    {"model", "full_layers", RUN(model.sizes.full_layers), "", at_least(0), {},
     "Layers, counted from 0, that see everything although there is a window.", true},
    {"model", "latent_rank", RUN(model.sizes.latent_rank), "", at_least(0), {}, "MLA: elements of the cached latent.", true},
    {"model", "nope_size", RUN(model.sizes.nope_size), "", at_least(0), {},
     "MLA: elements of a head's query and key without position.", true},
    {"model", "rope_size", RUN(model.sizes.rope_size), "", at_least(0), {},
     "MLA: elements of a head's query and key with rotary position.", true},
    {"model", "value_size", RUN(model.sizes.value_size), "", at_least(0), {}, "MLA: elements of a head's value.", true},
    {"model", "query_rank", RUN(model.sizes.query_rank), "", at_least(0), {},
     "MLA: rank of the query compression; 0 uses none.", true},
    {"model", "dense_width", RUN(model.sizes.dense_width), "", at_least(0), {}, "Hidden width of a dense feed-forward.", true},
    {"model", "first_dense_layers", RUN(model.sizes.first_dense_layers), "", at_least(0), {},
     "Layers before the mixture of experts starts.", true},
    {"model", "moe_every", RUN(model.sizes.moe_every), "", at_least(1), {},
     "After those, a layer has experts when its number, counted from 1, is a multiple of this (qwen3_moe).", true},
    {"model", "dense_layers", RUN(model.sizes.dense_layers), "", at_least(0), {},
     "Further layers without experts, counted from 0, ascending (qwen3_moe).", true},
    {"model", "experts", RUN(model.sizes.router.experts), "", at_least(0), {},
     "Routed experts of a layer; 0: a dense model.", true},
    {"model", "active_experts", RUN(model.sizes.router.active), "", at_least(0), {},
     "Routed experts that each token uses.", true},
    {"model", "expert_width", RUN(model.sizes.expert_width), "", at_least(0), {}, "Hidden width of one expert.", true},
    {"model", "shared_experts", RUN(model.sizes.shared_experts), "", at_least(0), {}, "Experts that every token uses.", true},
    {"model", "router", RUN(model.sizes.router.scoring), "", any(), {"softmax", "sigmoid"},
     "How the router scores experts; sigmoid carries a correction bias.", true},
    {"model", "router_groups", RUN(model.sizes.router.groups), "", at_least(1), {}, "Expert groups of the router.", true},
    {"model", "router_groups_kept", RUN(model.sizes.router.groups_kept), "", at_least(1), {},
     "Groups that may be chosen from, for each token.", true},
    {"model", "router_group_score", RUN(model.sizes.router.group_score), "", any(), {"two_largest", "largest"},
     "A group's score: the sum of its two largest (deepseek_v3) or its largest (deepseek_v2).", true},
    {"model", "normalize_router", RUN(model.sizes.router.normalize), "", any(), {},
     "Divide the chosen experts' scores by their sum.", true},
    {"model", "router_scale", RUN(model.sizes.router.scale), "", above(0), {}, "Factor on the experts' weights.", true},
    {"model", "rope_theta", RUN(model.sizes.rope_theta), "", above(0), {}, "Base of the rotary frequencies.", true},
    {"model", "rope_interleaved", RUN(model.sizes.rope_interleaved), "", any(), {},
     "MLA: rotary pairs are neighbours, as in released DeepSeek models, and not the two halves of a head.", true},
    {"model", "rope_scaling", RUN(model.sizes.rope_scaling.kind), "", any(), {"none", "linear", "llama3", "yarn"},
     "How rotary frequencies are stretched beyond rope_original_positions.", true},
    {"model", "rope_factor", RUN(model.sizes.rope_scaling.factor), "", at_least(1), {}, "Rope scaling: how many times longer.", true},
    {"model", "rope_original_positions", RUN(model.sizes.rope_scaling.original_positions), "tokens", at_least(1), {},
     "Rope scaling: the length before it.", true},
    {"model", "rope_low_frequency_factor", RUN(model.sizes.rope_scaling.low_frequency_factor), "", above(0), {},
     "llama3: waves longer than the original length over this are stretched whole.", true},
    {"model", "rope_high_frequency_factor", RUN(model.sizes.rope_scaling.high_frequency_factor), "", above(0), {},
     "llama3: waves shorter than the original length over this stay.", true},
    {"model", "rope_beta_fast", RUN(model.sizes.rope_scaling.beta_fast), "", above(0), {},
     "yarn: dimensions that turn more often than this in the original length stay.", true},
    {"model", "rope_beta_slow", RUN(model.sizes.rope_scaling.beta_slow), "", above(0), {},
     "yarn: dimensions that turn less often than this are stretched whole.", true},
    {"model", "rope_mscale", RUN(model.sizes.rope_scaling.mscale), "", at_least(0), {},
     "yarn: scale of queries and keys with the factor; 0: not given.", true},
    {"model", "rope_mscale_all_dim", RUN(model.sizes.rope_scaling.mscale_all_dim), "", at_least(0), {},
     "yarn: the same for the whole attention score (deepseek); 0: not given.", true},
    {"model", "rope_attention_factor", RUN(model.sizes.rope_scaling.attention_factor), "", at_least(0), {},
     "yarn: factor on queries and keys; 0: 0.1 ln(rope_factor) + 1.", true},
    {"model", "rope_truncate", RUN(model.sizes.rope_scaling.truncate), "", any(), {},
     "yarn: the ends of the ramp are rounded outward to whole dimensions.", true},
    {"model", "norm_eps", RUN(model.sizes.norm_eps), "", above(0), {}, "Epsilon of RMSNorm.", true},
    {"model", "max_positions", RUN(model.sizes.max_positions), "tokens", at_least(1), {}, "Longest sequence.", true},
    {"model", "tied_embedding", RUN(model.sizes.tied_embedding), "", any(), {}, "The head uses the embedding's weights.", true},
    {"model", "alphabet", RUN(model.alphabet), "", any(), {}, "Characters of a born model's tokenizer, one token each.", true},
    {"model", "special_tokens", RUN(model.special_tokens), "", any(), {}, "Special tokens of a born model's tokenizer.", true},
    {"model", "eos_token", RUN(model.eos_token), "", any(), {}, "The special token that ends a completion.", true},

    {"tokenizer", "path", RUN(tokenizer.path), "file", any(), {},
     "`ponder init`: a tokenizer.json, or a folder with one, instead of model.alphabet; a folder's template comes along."},
    {"tokenizer", "text", RUN(tokenizer.text), "file", any(), {},
     "`ponder init`: text files, or JSON-lines files with all their texts; a byte-level BPE is trained on them, instead of "
     "model.alphabet."},
    {"tokenizer", "vocab_size", RUN(tokenizer.vocab_size), "tokens", at_least(1), {},
     "tokenizer.text: tokens in all, special ones included."},

    {"data", "train", STAGE(data.train), "file", any(), {}, "A JSONL file or a JSON list, or generator:arithmetic, or generator:countdown."},
    {"data", "eval", STAGE(data.eval), "file", any(), {}, "Held-back problems: a JSONL file or a generator; empty: none."},
    {"data", "prompt_key", STAGE(data.prompt_key), "", any(), {}, "JSONL: the key of the question."},
    {"data", "answer_key", STAGE(data.answer_key), "", any(), {}, "JSONL: the key of the true answer."},
    {"data", "completion_key", STAGE(data.completion_key), "", any(), {},
     "JSONL: the key of the text that an SFT stage learns."},
    {"data", "format", STAGE(data.format), "", any(), {"auto", "messages", "prompt", "instruction"},
     "Form of the rows: messages is a conversation; prompt is prompt_key (or prompt) with completion_key or an answer; instruction is "
     "Alpaca's instruction, input and output; auto goes by each row's keys."},
    {"data", "instruction_prompt", STAGE(data.instruction_prompt), "", any(), {},
     "instruction rows: the prompt, with {instruction} and {input} filled in."},
    {"data", "instruction_prompt_no_input", STAGE(data.instruction_prompt_no_input), "", any(), {},
     "The same for rows without an input."},
    {"data", "name", STAGE(data.name), "", any(), {},
     "The data source that rewards are routed by (applies_to); the file's or generator's name when left out."},
    {"data", "source_key", STAGE(data.source_key), "", any(), {}, "JSONL: the key of a row's own data source, where it has one."},
    {"data", "shuffle", STAGE(data.shuffle), "", any(), {}, "A new order of the rows in each epoch, fixed by the seed."},
    {"data", "max_prompt_tokens", STAGE(data.max_prompt_tokens), "tokens", at_least(1), {},
     "Longest prompt, template included."},
    {"data", "overlong_prompt", STAGE(data.overlong_prompt), "", any(), {"drop", "error", "truncate_left"},
     "What happens to a longer prompt."},
    {"data", "eval_problems", STAGE(data.eval_problems), "problems", at_least(0), {},
     "Problems of data.eval, its first ones, held back for evaluation; training never draws them. 0, which only a generator may have: no "
     "evaluation."},
    {"data", "allow_contamination", STAGE(data.allow_contamination), "", any(), {},
     "Test sets that may stand in data.train, such as [\"gsm8k/test\"]; \"eval\" is data.eval. Any other is an error."},
    {"data", "terms", STAGE(data.terms), "", between(2, 64), {}, "generator:arithmetic: numbers in a sum."},
    {"data", "digits", STAGE(data.digits), "", between(1, 9), {},
     "generator:arithmetic: digits of a number; sums keep as many."},
    {"data", "worked_share", STAGE(data.worked_share), "share", between(0, 1), {},
     "generator:arithmetic: SFT completions with worked steps; the others are bare answers."},
    {"data", "numbers", STAGE(data.numbers), "", between(2, 8), {}, "generator:countdown: numbers to combine."},
    {"data", "largest", STAGE(data.largest), "", between(9, 9999), {},
     "generator:countdown: largest number and largest target."},

    {"template", "style", STAGE(chat_template.style), "", any(), {},
     "How a question becomes a prompt: auto, model, model:NAME, plain, r1-zero, chatml, llama3 or deepseek-r1. model is the chat "
     "template of the model's folder; auto is that if there is one, else plain."},
    {"template", "system", STAGE(chat_template.system), "", any(), {},
     "Chat templates: the system message; empty: the template's own, if any. It is saved with the model."},
    {"template", "prefill", STAGE(chat_template.prefill), "", any(), {},
     "Text put at the start of the assistant's turn, such as <think>."},
    {"template", "options", STAGE(chat_template.options), "", any(), {},
     "Variables for the chat template, each KEY=VALUE, such as enable_thinking=false."},
    {"template", "date", STAGE(chat_template.date), "", any(), {},
     "The day that a template shows which asks for today's; fixed, so that equal seeds give equal runs."},

    {"rollout", "prompts_per_step", STAGE(rollout.prompts_per_step), "prompts", at_least(1), {}, "Prompts drawn in a step."},
    {"rollout", "samples_per_prompt", STAGE(rollout.samples_per_prompt), "samples", at_least(1), {},
     "Completions of each prompt: the group."},
    {"rollout", "max_new_tokens", STAGE(rollout.max_new_tokens), "tokens", at_least(1), {},
     "Longest completion, end token included."},
    {"rollout", "temperature", STAGE(rollout.temperature), "", between(0, 100), {}, "Softmax temperature of training samples."},
    {"rollout", "top_p", STAGE(rollout.top_p), "share", share_above_zero(), {},
     "Keep the fewest tokens with this much mass; 1: all."},
    {"rollout", "top_k", STAGE(rollout.top_k), "tokens", at_least(0), {}, "Keep the k likeliest tokens; 0: all."},
    {"rollout", "min_p", STAGE(rollout.min_p), "share", share_below_one(), {},
     "Keep tokens at least this likely, against the likeliest; 0: all."},
    {"rollout", "stop", STAGE(rollout.stop), "", any(), {}, "Texts that end a completion, besides the end token."},
    {"rollout", "max_tokens_per_batch", STAGE(rollout.max_tokens_per_batch), "tokens", at_least(1), {},
     "Rows of one forward pass of the engine."},
    {"rollout", "max_sequences", STAGE(rollout.max_sequences), "sequences", at_least(1), {}, "Sequences that run at once."},
    {"rollout", "cache_mb", STAGE(rollout.cache_mb), "MB", at_least(0), {},
     "Memory of the key/value cache; 0: what the memory plan leaves."},
    {"rollout", "prefix_cache", STAGE(rollout.prefix_cache), "", any(), {},
     "Prompts that begin alike compute and keep what they share once. Never changes a result."},
    {"rollout", "overprovision", STAGE(rollout.overprovision), "", between(1, 8), {},
     "Ask for this many times prompts_per_step; the groups that finish first make the step, the others are aborted. "
     "Above 1 the step favours short completions, and the engine's budgets have a say in the result."},
    {"rollout", "partial", STAGE(rollout.partial), "", any(), {},
     "With overprovision: the groups that a step ended without go on in the next one, under its weights, instead of being "
     "thrown away. Their tokens then have several policy versions, the first of them a step older for each step that the group went on."},
    {"rollout", "max_staleness_steps", STAGE(rollout.max_staleness_steps), "steps", between(0, 64), {},
     "Sample this many steps ahead, on a thread of its own beside training. A step's samples are drawn with the weights of exactly "
     "so many steps before, so equal seeds still give equal runs; 0: with those that it trains. With rollout.partial that holds for the "
     "tokens drawn in the step itself: those that its groups brought along are older. Each step ahead costs one more copy of the "
     "weights. See correction.mode."},

    {"advantage", "baseline", STAGE(advantage.baseline), "", any(),
     {"group_mean", "leave_one_out", "length_weighted", "batch_mean", "none"},
     "What is subtracted from a reward: the group's mean; the mean of the others (RLOO); the mean weighted by completion length "
     "(OPO); the mean of the step."},
    {"advantage", "scale", STAGE(advantage.scale), "", any(), {"group_std", "batch_std", "group_mean", "none"},
     "What the difference is divided by; group_mean is MaxRL."},
    {"advantage", "std", STAGE(advantage.std), "", any(), {"unbiased", "population"},
     "unbiased divides by the count less one, population by the count."},
    {"advantage", "eps", STAGE(advantage.eps), "", at_least(0), {}, "Added to the divisor."},
    {"advantage", "whiten", STAGE(advantage.whiten), "", any(), {"off", "samples", "tokens"},
     "Last, bring the whole step's advantages to mean 0 and deviation 1: counted by completion, or by token (REINFORCE++)."},
    {"advantage", "combine", STAGE(advantage.combine), "", any(), {"sum_then_normalize", "normalize_then_sum"},
     "Several rewards: the advantage of their weighted sum, or the weighted sum of each one's advantage (GDPO)."},
    {"advantage", "reward_range", reward_range, "", any(), {}, "The total reward is clipped to this range."},

    {"loss", "kind", STAGE(loss.kind), "", any(), {"ppo_clip", "cispo", "sapo", "reinforce"},
     "ppo_clip: PPO's clipped ratio (GRPO, DAPO, GSPO); cispo: log-probability times the clipped ratio, held constant; sapo: a soft "
     "gate in place of the clip; reinforce: no ratio."},
    {"loss", "ratio_level", STAGE(loss.ratio_level), "", any(), {"token", "sequence", "sequence_token"},
     "sequence: one ratio for a completion, the geometric mean of its tokens' (GSPO); sequence_token: its value, each token's gradient "
     "(GSPO-token)."},
    {"loss", "clip_low", STAGE(loss.clip_low), "", at_least(0), {},
     "ppo_clip, cispo: the ratio is clipped below 1 - clip_low; 1 or more: it is not."},
    {"loss", "clip_high", STAGE(loss.clip_high), "", at_least(0), {}, "ppo_clip, cispo: the ratio is clipped above 1 + clip_high."},
    {"loss", "dual_clip", STAGE(loss.dual_clip), "", at_least(0), {},
     "ppo_clip: with a negative advantage the ratio counts as no more than this (also called delta); 0: off."},
    {"loss", "sapo_tau_positive", STAGE(loss.sapo_tau_positive), "", above(0), {},
     "sapo: steepness of the gate where the advantage is positive."},
    {"loss", "sapo_tau_negative", STAGE(loss.sapo_tau_negative), "", above(0), {}, "sapo: steepness of the gate elsewhere."},
    {"loss", "aggregation", STAGE(loss.aggregation), "", any(), {"token_mean", "seq_mean", "seq_mean_token_sum", "constant"},
     "What the sum over tokens is divided by: tokens of the update; each completion's own and their number; their number; or "
     "their number times constant_length (Dr. GRPO)."},
    {"loss", "constant_length", STAGE(loss.constant_length), "tokens", at_least(0), {},
     "aggregation = constant: the length that every completion counts as."},
    {"loss", "entropy_coef", STAGE(loss.entropy_coef), "", any(), {},
     "Bonus on the policy's entropy; with entropy_target, where the coefficient starts."},
    {"loss", "entropy_target", STAGE(loss.entropy_target), "nats", at_least(0), {},
     "The bonus works only while the last update's entropy was no higher, and its coefficient moves toward holding it; 0: the "
     "coefficient stays."},
    {"loss", "entropy_coef_delta", STAGE(loss.entropy_coef_delta), "", above(0), {}, "entropy_target: step of the coefficient."},
    {"loss", "entropy_coef_max", STAGE(loss.entropy_coef_max), "", above(0), {}, "entropy_target: most the coefficient grows to."},
    {"loss", "updates_per_step", STAGE(loss.updates_per_step), "updates", at_least(1), {},
     "Optimizer updates from one rollout; each takes its share of the groups."},
    {"loss", "epochs_per_step", STAGE(loss.epochs_per_step), "epochs", at_least(1), {},
     "How often these updates are gone through before the next rollout."},

    {"kl", "coef", STAGE(kl.coef), "", at_least(0), {}, "Weight of the KL penalty to the reference; 0 keeps no reference."},
    {"kl", "where", STAGE(kl.where), "", any(), {"loss", "reward", "token_reward"},
     "loss: a term of it; reward: a completion's sum is subtracted from its reward, before advantages; token_reward: each token's "
     "advantage loses the penalties from there on (REINFORCE++). Completions that filter.truncated masks pay none."},
    {"kl", "value", STAGE(kl.value), "", any(), {"k1", "k2", "k3"},
     "Estimate of the KL from the log-ratio d of policy to reference: d, d^2/2, or exp(-d) + d - 1."},
    {"kl", "gradient", STAGE(kl.gradient), "", any(), {"naive", "k2", "unbiased"},
     "where = loss: naive is the value's slope, which is not the KL's; k2 is d, right on-policy; unbiased weighs with the ratio, "
     "right for updates after the first too."},
    {"kl", "level", STAGE(kl.level), "", any(), {"token", "sequence"},
     "sequence: d is the completion's sum, squared as a whole (Kimi k1.5)."},
    {"kl", "reference_update", STAGE(kl.reference_update), "", any(), {"never", "every", "polyak"},
     "every: the reference becomes the current policy; polyak: it moves toward it by reference_polyak."},
    {"kl", "reference_every_steps", STAGE(kl.reference_every_steps), "steps", at_least(1), {},
     "reference_update = every, polyak: steps (rollouts) between."},
    {"kl", "reference_polyak", STAGE(kl.reference_polyak), "share", share_above_zero(), {},
     "polyak: the policy's share in the new reference."},
    {"kl", "reset_optimizer", STAGE(kl.reset_optimizer), "", any(), {}, "Forget AdamW's moments whenever the reference changes."},

    {"correction", "mode", STAGE(correction.mode), "", any(), {"off", "truncate", "mask", "seq_mask"},
     "Samples of older or other weights: each token's loss is multiplied by w = exp(old - sampler's log-probability): truncate cuts w "
     "to the bounds, mask drops tokens outside, seq_mask takes the completion's product of w and drops completions outside."},
    {"correction", "upper", STAGE(correction.upper), "", above(0), {}, "Upper bound of w."},
    {"correction", "lower", STAGE(correction.lower), "", at_least(0), {}, "Lower bound of w."},
    {"correction", "old_logprobs", STAGE(correction.old_logprobs), "", any(), {"rollout", "recompute"},
     "The bottom of the ratio: as sampled, or computed again by the weights at the step's start."},
    {"correction", "truncation", STAGE(correction.truncation), "", any(), {"off", "keep_mask"},
     "With top-p, top-k or min-p: off trains on the full softmax and warns with the mean kept mass; keep_mask records the ids that "
     "each token was drawn from (4 bytes an id, at most a bit for each of the vocabulary), and sampler, trainer, reference and entropy "
     "take the softmax over those alone (DeepSeek-V3.2)."},

    {"moe", "bias_update_rate", STAGE(moe.bias_update_rate), "", at_least(0), {},
     "Sigmoid routers: step of the correction bias toward even loads; 0: off."},
    {"moe", "train_router", STAGE(moe.train_router), "", any(), {}, "Whether the router's weights learn."},
    {"moe", "aux_loss_coef", STAGE(moe.aux_loss_coef), "", at_least(0), {},
     "Weight of the sequence-wise balance loss (DeepSeek-V3), which pushes each prompt's tokens toward even loads; 0: off."},
    {"moe", "replay", STAGE(moe.replay), "", any(), {"off", "trainer", "rollout"},
     "trainer: each token keeps the experts it had before the step's first update in all of them, so that a ratio is not moved by "
     "another choice of experts; costs one forward pass. rollout: the experts it had when it was sampled (R3, arXiv:2510.11370), which "
     "the samples carry; for samples of older weights too. The reference policy chooses for itself."},

    {"optimizer", "lr", STAGE(optimizer.lr), "", above(0), {}, "Learning rate of AdamW, before warm-up and schedule."},
    {"optimizer", "betas", betas, "", share_below_one(), {}, "Decay of the two moments."},
    {"optimizer", "eps", STAGE(optimizer.eps), "", above(0), {}, "Epsilon of AdamW."},
    {"optimizer", "weight_decay", STAGE(optimizer.weight_decay), "", at_least(0), {}, "Decoupled weight decay."},
    {"optimizer", "schedule", STAGE(optimizer.schedule), "", any(), {"constant", "linear", "cosine"},
     "How the learning rate falls: cosine after the warm-up, linear from the first step on."},
    {"optimizer", "final_lr_share", STAGE(optimizer.final_lr_share), "share", between(0, 1), {},
     "linear, cosine: share of lr that it falls to, reached one step after the last."},
    {"optimizer", "warmup_steps", STAGE(optimizer.warmup_steps), "steps", at_least(0), {},
     "Steps in which the learning rate rises from 0."},
    {"optimizer", "max_grad_norm", STAGE(optimizer.max_grad_norm), "", at_least(0), {},
     "The gradient is scaled down to this norm; 0: never."},
    {"optimizer", "on_non_finite", STAGE(optimizer.on_non_finite), "", any(), {"stop", "skip"},
     "An update whose loss or gradient is not finite is never applied, nor are those after it in its step; the samples are saved; then the "
     "run stops, or goes on with the next step, up to ten refused updates in a row."},
    {"optimizer", "max_tokens_per_microbatch", STAGE(optimizer.max_tokens_per_microbatch), "tokens", at_least(1), {},
     "Rows of one forward and backward pass; whole groups are packed up to it. Never changes a result."},

    {"filter", "zero_variance", STAGE(filter.zero_variance), "", any(), {"keep", "drop", "refill"},
     "Groups whose rewards are all equal, which teach nothing (but for a KL in the reward): refill asks new prompts in their place, in rounds of as many as are "
     "missing (DAPO's dynamic sampling)."},
    {"filter", "metric", STAGE(filter.metric), "", any(), {"reward", "accuracy"},
     "zero_variance = drop, refill: what must differ within a group. reward: the total reward; accuracy: whether a completion is right (the "
     "judge, the first reward that compares answers, gives it its full 1), so that a group all right or all wrong counts as equal though "
     "another reward tells its completions apart (DAPO: 0 < right ones < all)."},
    {"filter", "max_refills", STAGE(filter.max_refills), "rounds", at_least(1), {}, "zero_variance = refill: most rounds in a step."},
    {"filter", "on_exhausted", STAGE(filter.on_exhausted), "", any(), {"smaller_batch", "keep_zero_variance", "stop"},
     "zero_variance = refill: when groups are still missing after the last round, train on those there are; or fill up with groups "
     "that metric calls equal (of equal rewards they add nothing and count in the loss's divisor); or save and end the run."},
    {"filter", "truncated", STAGE(filter.truncated), "", any(), {"keep", "mask", "drop"},
     "Completions that ran into max_new_tokens: trained as they were scored; not trained, but their reward stays in the group's "
     "baseline; or out of their group. The reward \"overlong\" makes them cost something instead."},
    {"filter", "max_infra_error_share", STAGE(filter.max_infra_error_share), "share", between(0, 1), {},
     "The run stops, with a checkpoint, when more than this share of the last filter.error_window_steps steps' samples could not "
     "be scored because a reward failed or was late. Steps not yet taken count as free of errors."},
    {"filter", "error_window_steps", STAGE(filter.error_window_steps), "steps", at_least(1), {},
     "Steps that max_infra_error_share looks back on."},
    {"filter", "rescore_share", STAGE(filter.rescore_share), "share", between(0, 1), {},
     "Groups that are scored twice, to see whether the same input gets the same score. Never changes a result."},

    {"curriculum", "kind", STAGE(curriculum.kind), "", any(), {"none", "pass_rate", "failure"},
     "Which problems of a file are asked: all in turn; those that are neither solved nor hopeless, by their pass rate; or the more "
     "often, the more often they fail (prioritised sampling, Kimi k1.5)."},
    {"curriculum", "drop_solved_above", STAGE(curriculum.drop_solved_above), "share", between(0, 1), {},
     "pass_rate: a problem whose pass rate is above this is dropped."},
    {"curriculum", "drop_failed_below", STAGE(curriculum.drop_failed_below), "share", between(0, 1), {},
     "pass_rate: a problem whose pass rate is below this is dropped; 0: none."},
    {"curriculum", "min_visits", STAGE(curriculum.min_visits), "", at_least(1), {},
     "pass_rate: times that a problem is asked before it may be dropped."},
    {"curriculum", "return_after_epochs", STAGE(curriculum.return_after_epochs), "epochs", at_least(0), {},
     "pass_rate: a dropped problem is left out of so many epochs, then asked again; 0: for good."},
    {"curriculum", "decay", STAGE(curriculum.decay), "", between(0, 1), {},
     "What earlier completions of a problem keep of their weight in its pass rate when it is asked again; 0: only the last group "
     "counts, 1: all count alike."},
    {"curriculum", "floor", STAGE(curriculum.floor), "", share_above_zero(), {},
     "failure: least weight of a problem, whose weight is else 1 - its pass rate (1 before it is asked)."},

    {"eval", "every_steps", STAGE(eval.every_steps), "steps", at_least(0), {},
     "Steps between evaluations; 0: before and after each stage only."},
    {"eval", "samples", STAGE(eval.samples), "samples", at_least(1), {}, "Completions of each problem."},
    {"eval", "temperature", STAGE(eval.temperature), "", between(0, 100), {}, "0: greedy."},
    {"eval", "max_new_tokens", STAGE(eval.max_new_tokens), "tokens", at_least(0), {},
     "Longest completion; 0: rollout.max_new_tokens."},

    {"sft", "train_on", STAGE(sft.train_on), "", any(), {"completion", "assistant", "all"},
     "Tokens that are learnt: completion: what follows the prompt, and of a conversation that names no prompt all that the assistant "
     "says; assistant: all that the assistant says, in a prompt too; all: every token but the first."},
    {"sft", "max_tokens", STAGE(sft.max_tokens), "tokens", at_least(0), {},
     "Longest row, prompt and end token included; 0: as many as the model has positions for."},
    {"sft", "overlong", STAGE(sft.overlong), "", any(), {"drop", "error", "truncate"},
     "What happens to a longer row: it is left out, the run stops, or its end is cut off (and a row of which no learnt token is left is "
     "left out)."},

    {"early_stop", "metric", STAGE(early_stop.metric), "", any(), {},
     "A metric of evaluations, such as \"eval/accuracy\" or, of an sft stage, \"eval/loss\", that may end the stage early; empty: none."},
    {"early_stop", "best_is", STAGE(early_stop.best_is), "", any(), {"auto", "max", "min"},
     "Whether more of the metric is better; auto knows accuracies, losses and perplexities."},
    {"early_stop", "patience", STAGE(early_stop.patience), "evaluations", at_least(0), {},
     "The stage ends after so many evaluations in a row without improvement; 0: it does not."},
    {"early_stop", "min_delta", STAGE(early_stop.min_delta), "", at_least(0), {}, "An improvement is more than this."},
    {"early_stop", "target", STAGE(early_stop.target), "", any(), {}, "The stage ends at an evaluation that reaches this; 0: none."},

    {"alarm", "action", STAGE(alarm.action), "", any(), {"warn", "stop"},
     "What an alarm does beside saving the step's samples: a line on the terminal, or a checkpoint and the end of the run."},
    {"alarm", "window_steps", STAGE(alarm.window_steps), "steps", at_least(1), {}, "An alarm looks at the mean of these last steps."},
    {"alarm", "entropy_low", STAGE(alarm.entropy_low), "nats", at_least(0), {}, "Alarm when the entropy falls below this; 0: none."},
    {"alarm", "entropy_high", STAGE(alarm.entropy_high), "nats", at_least(0), {}, "Alarm when the entropy rises above this; 0: none."},
    {"alarm", "clipped_high", STAGE(alarm.clipped_high), "share", between(0, 1), {},
     "Alarm when more completions than this hit the token limit; 0: none."},
    {"alarm", "length_high", STAGE(alarm.length_high), "tokens", at_least(0), {}, "Alarm above this mean length; 0: none."},
    {"alarm", "repetition_high", STAGE(alarm.repetition_high), "share", between(0, 1), {},
     "Alarm when more of a completion than this repeats itself (4-grams); 0: none."},
    {"alarm", "no_answer_high", STAGE(alarm.no_answer_high), "share", between(0, 1), {},
     "Alarm when more completions than this hold no answer that can be read; 0: none."},
    {"alarm", "zero_variance_high", STAGE(alarm.zero_variance_high), "share", between(0, 1), {},
     "Alarm when more groups than this teach nothing, all rewards equal; 0: none."},
    {"alarm", "error_high", STAGE(alarm.error_high), "share", between(0, 1), {},
     "Alarm when a reward fails on more completions than this; 0: none."},
    {"alarm", "mismatch_high", STAGE(alarm.mismatch_high), "nats", at_least(0), {},
     "Alarm when sampler and trainer differ by more than this in the mean; 0: none."},
    {"alarm", "kl_high", STAGE(alarm.kl_high), "nats", at_least(0), {}, "Alarm when the KL to the reference rises above this; 0: none."},
    {"alarm", "grad_norm_high", STAGE(alarm.grad_norm_high), "", at_least(0), {}, "Alarm above this norm of the gradient; 0: none."},

    {"checkpoint", "every_steps", RUN(checkpoint.every_steps), "steps", at_least(0), {},
     "Steps between checkpoints; the end of each stage has one too. 0: only there."},
    {"checkpoint", "keep_last", RUN(checkpoint.keep_last), "", at_least(1), {}, "Checkpoints that are kept."},
    {"checkpoint", "resume", RUN(checkpoint.resume), "folder", any(), {},
     "off; auto: the newest whole checkpoint of output_dir, if any; or a checkpoint folder."},

    {"checkpoint", "keep_best", RUN(checkpoint.keep_best), "", any(), {},
     "A metric of evaluations, such as \"eval/accuracy\" or \"eval/loss\": the model of the stage's best evaluation is kept in "
     "checkpoints/best, whatever keep_last says; empty: none."},
    {"checkpoint", "best_is", RUN(checkpoint.best_is), "", any(), {"auto", "max", "min"},
     "Whether more of that metric is better; auto knows accuracies, losses and perplexities."},

    {"log", "tensorboard", RUN(log.tensorboard), "", any(), {}, "Write TensorBoard events too."},
    {"log", "dump_rollouts_every", RUN(log.dump_rollouts_every), "steps", at_least(0), {},
     "Steps between dumps of all samples to rollouts/; the last step is dumped too; 0: none."},
    {"log", "state_hash", RUN(log.state_hash), "", any(), {},
     "Hash weights and moments after each step into states.jsonl, for `ponder compare`."},
    {"log", "show_first_sample", RUN(log.show_first_sample), "", any(), {},
     "Print the first sample of an RL stage token by token: id, text, mask, log-probability, advantage."},

    {"cost", "watts", RUN(cost.watts), "W", at_least(0), {},
     "What the machine draws, for the energy of a run; 0: what the processor counts, where that may be read (RAPL)."},
    {"cost", "price_per_hour", RUN(cost.price_per_hour), "", at_least(0), {}, "Price of an hour of the machine."},
    {"cost", "price_per_kwh", RUN(cost.price_per_kwh), "", at_least(0), {}, "Price of electricity, added to that."},
    {"cost", "machine_prices", RUN(cost.machine_prices), "", any(), {},
     "Prices of an hour by machine, each TEXT=PRICE, such as [\"EPYC 9R14=0.24\"]: the first TEXT that stands in the machine's line "
     "(`ponder devices`) counts instead of price_per_hour."},
    {"cost", "currency", RUN(cost.currency), "", any(), {}, "Word behind prices."},

    {"stage", "kind", STAGE(kind), "", any(), {"sft", "grpo"}, "sft learns given completions; grpo learns from rewards."},
    {"stage", "name", STAGE(name), "", any(), {}, "Name in metrics and report; the kind when left out."},
    {"stage", "steps", STAGE(steps), "steps", at_least(0), {}, "Steps of the stage; a grpo stage may leave it to run.steps."},
    {"stage", "epochs", STAGE(epochs), "epochs", at_least(0), {},
     "sft, instead of steps: how often each row is trained on, of several data sets too."},
    {"stage", "sequences_per_step", STAGE(sequences_per_step), "sequences", at_least(1), {},
     "sft: sequences in one optimizer step."},

    {"dataset", "name", DATASET(name), "", any(), {},
     "Name in metrics (mix/NAME/...) and in --set; also the data source of its rows that do not name their own. Several [[dataset]] "
     "stand in place of data.train; each may have any key of [data] and [template], and takes the others from there."},
    {"dataset", "weight", DATASET(weight), "", above(0), {},
     "Its share of the draws is this over the sum of all sets' weights; 1 in an sft stage with epochs."},
    {"dataset", "rewards", DATASET(rewards), "", any(), {}, "Names of the [[reward]] entries that score it; empty: all."},

    {"reward", "name", REWARD(name), "", any(), {},
     "builtin: which reward; `ponder reward list` shows them with their options. Else a name of your choice."},
    {"reward", "kind", REWARD(kind), "", any(), {"builtin", "process", "library", "http"},
     "builtin: part of the program; process: a program that speaks JSON lines; library: a shared library with the interface of "
     "reward/plugin.h; http: a web service. Keys that are not in this table are options of the reward; a plug-in gets them as its "
     "config, every value as text."},
    {"reward", "role", REWARD(role), "", any(), {"sum", "gate", "metric"},
     "sum: weight times its value is added; gate: the sum is 0 where this reward is not above 0; metric: only logged."},
    {"reward", "weight", REWARD(weight), "", any(), {}, "Factor in the sum."},
    {"reward", "applies_to", REWARD(applies_to), "", any(), {},
     "Data sources it scores (data.name, or a row's own); \"math*\" stands for all that begin so; empty: all."},
    {"reward", "on_error", REWARD(on_error), "", any(), {"drop_sample", "zero", "abort"},
     "When it fails or is late: drop_sample: the completion leaves its group; zero: it counts as 0; abort: the run stops."},
    {"reward", "timeout_ms", REWARD(timeout_ms), "ms", at_least(1), {},
     "Deadline of one call (a group); what is late has no value. A process that misses it is killed."},
    {"reward", "workers", REWARD(workers), "", between(1, 256), {}, "Calls at once: processes, or connections."},
    {"reward", "command", REWARD(command), "", any(), {}, "process: the program and its arguments."},
    {"reward", "start_timeout_ms", REWARD(start_timeout_ms), "ms", at_least(1), {}, "process: from its start to its hello."},
    {"reward", "file", REWARD(file), "file", any(), {}, "library: the shared library."},
    {"reward", "isolate", REWARD(isolate), "", any(), {"none", "process"},
     "library: process runs it in child processes, so that a crash costs a few completions and not the run."},
    {"reward", "url", REWARD(url), "", any(), {}, "http: where to POST, such as http://127.0.0.1:8000/score."},
    {"reward", "payload", REWARD(payload), "", any(), {"ponder", "openrlhf", "slime"}, "http: shape of request and reply."},
    {"reward", "token_file", REWARD(token_file), "file", any(), {}, "http: a file that holds the bearer token."},
  };
}

}  // namespace

const std::vector<Key>& config_keys() {
  static const std::vector<Key> keys = declare();
  return keys;
}

const Key* find_key(const std::string& section, const std::string& name) {
  for (const auto& key : config_keys()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> key_names(const std::string& section) {
  std::vector<std::string> names;
  for (const auto& key : config_keys()) {
    if (key.section == section) names.push_back(key.name);
  }
  return names;
}

const std::vector<std::string>& run_sections() {
  static const std::vector<std::string> sections = {"run", "model", "checkpoint", "log", "cost"};
  return sections;
}

const std::vector<std::string>& init_sections() {
  static const std::vector<std::string> sections = {"tokenizer"};
  return sections;
}

const std::vector<std::string>& stage_sections() {
  static const std::vector<std::string> sections = {"data", "template", "rollout",    "advantage", "loss",  "kl",
                                                    "correction", "moe", "optimizer", "filter",    "curriculum", "eval", "sft",
                                                    "early_stop", "alarm"};
  return sections;
}

std::vector<const Key*> dataset_keys() {
  std::vector<const Key*> keys;
  for (const char* section : {"dataset", "data", "template"})
    for (const auto& key : config_keys())
      if (key.section == section && key.path() != "data.name") keys.push_back(&key);
  return keys;
}

const Key* find_dataset_key(const std::string& name) {
  for (const Key* key : dataset_keys())
    if (key->name == name) return key;
  return nullptr;
}

}  // namespace rl
