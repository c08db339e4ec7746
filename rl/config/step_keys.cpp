#include "rl/config/key_list.h"

namespace rl {
namespace {

Slot betas(const Target& t) { return Pair{&t.stage->optimizer.beta1, &t.stage->optimizer.beta2}; }

Slot reward_range(const Target& t) { return Pair{&t.stage->advantage.reward_low, &t.stage->advantage.reward_high}; }

}  // namespace

std::vector<Key> step_keys() {
  return {
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
  };
}

}  // namespace rl
