#include "rl/config/key_list.h"

namespace rl {

std::vector<Key> course_keys() {
  return {
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

}  // namespace rl
