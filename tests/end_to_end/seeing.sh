#!/usr/bin/env bash
# A run with samples: ponder view, rescore, replay and compare on its folder. Needs PONDER_ROOT and PONDER_BUILD.
set -euo pipefail
cd "$PONDER_ROOT"
ponder=$PONDER_BUILD/ponder
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
train() { "$ponder" train tests/end_to_end/tiny.toml --set run.output_dir="$work/$1" --set log.dump_rollouts_every=1 "${@:2}" >"$work/$1.log" 2>&1; }
has() { grep -qF -- "$2" "$1" || { echo "FAIL: no \"$2\" in:"; cat "$1"; exit 1; }; }

train a; train b --set run.threads=1; train c --set run.seed=9
has "$work/a.log" "first sample:"

"$ponder" compare "$work/a" "$work/b" >"$work/out"
has "$work/out" "equal: metrics of"
if "$ponder" compare "$work/a" "$work/c" >"$work/out"; then echo "FAIL: two seeds are said to be equal"; exit 1; fi
has "$work/out" "weights: first differ after cold-start step 1"
has "$work/out" "seed: 3 | 9"
echo "  compare: equal across thread counts; two seeds part at their first step, with the first tensor named"

# One value of one weight, changed by hand in a copy of the states: the step and the tensor are found.
cp -r "$work/a" "$work/d"
python3 - "$work/d/states.jsonl" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
name = list(lines[4]["tensors"])[3]
lines[4]["tensors"][name] = "0" * 16
lines[4]["hash"] = "0" * 16
open(sys.argv[1], "w").write("".join(json.dumps(line) + "\n" for line in lines))
open(sys.argv[1] + ".name", "w").write(f"{lines[4]['stage']} step {lines[4]['step']}, in 1 of {len(lines[4]['tensors']) + 2} tensors, the first of them {name}")
PY
"$ponder" compare "$work/a" "$work/d" >"$work/out" && { echo "FAIL: a changed tensor was not seen"; exit 1; }
has "$work/out" "$(cat "$work/d/states.jsonl.name")"
echo "  compare: one changed tensor of one step is named"

"$ponder" view "$work/a" --list >"$work/out"; has "$work/out" "grpo"
"$ponder" view "$work/a" --step 2 --prompt 3 --tokens >"$work/out"; has "$work/out" "grpo step 2   prompt 3 of 16"; has "$work/out" "logprob"
"$ponder" rescore "$work/a" --reward exact --output "$work/again.jsonl" >"$work/out"
python3 - "$work/again.jsonl" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 6 * 128, len(lines)
assert all(line["reward"] == line["rescored"] for line in lines), "the run's own reward gave another score"
PY
if "$ponder" view "$work/a" --step 99 2>"$work/out"; then echo "FAIL: step 99"; exit 1; fi
has "$work/out" "has no samples of step 99"
echo "  view and rescore: pages, errors, and the run's own reward gives its own scores again"

# Every step again from its samples: kept ids, recorded experts, two updates a step, a moving reference.
train r --set checkpoint.keep_last=100 --set rollout.top_p=0.9 --set correction.truncation=keep_mask \
  --set moe.replay=rollout --set loss.updates_per_step=2 --set loss.epochs_per_step=2
"$ponder" view "$work/r" --step 2 --tokens >"$work/out"; has "$work/out" "logprob    kept"
for step in 1 2 3 4 5 6; do
  "$ponder" replay "$work/r" --step $step >"$work/out" 2>&1 || { echo "FAIL: replay of step $step"; cat "$work/out"; exit 1; }
  has "$work/out" "equal to the run's, bit for bit"
  grep -qE '^([0-9]+) of \1 metrics are equal' "$work/out" || { echo "FAIL: metrics of step $step"; cat "$work/out"; exit 1; }
done
"$ponder" replay "$work/r" --step 2 --set "model.offload_folder=$PONDER_BUILD/offloaded_state" >"$work/out" 2>&1 ||
  { echo "FAIL: replay with masters and moments in files"; cat "$work/out"; exit 1; }
has "$work/out" "equal to the run's, bit for bit"
train e --set checkpoint.keep_last=100 --set stage.cold-start.eval.every_steps=3 \
  --set stage.cold-start.early_stop.metric=eval/loss --set stage.cold-start.early_stop.patience=1 \
  --set stage.cold-start.early_stop.min_delta=99
has "$work/e.log" "ends here"
"$ponder" replay "$work/e" --step 1 >"$work/out" 2>&1 || { echo "FAIL: replay after an early stop"; cat "$work/out"; exit 1; }
has "$work/out" "step-000003"; has "$work/out" "equal to the run's, bit for bit"
"$ponder" replay "$work/r" --step 3 --set loss.kind=reinforce --set optimizer.lr=0.01 >"$work/out"
has "$work/out" "changed: loss.kind=reinforce, optimizer.lr=0.01"; has "$work/out" "tensors differ"
grep -qE '^  loss .* [+-]' "$work/out" || { echo "FAIL: another loss with the same value"; cat "$work/out"; exit 1; }
refused() { if "$ponder" replay "$@" >/dev/null 2>"$work/out"; then echo "FAIL: replay $*"; exit 1; fi; }
refused "$work/a" --step 2; has "$work/out" "Steps that can be replayed: grpo 6"
refused "$work/r" --step 99; has "$work/out" "has no samples of step 99"
refused "$work/r" --step 2 --set rollout.temperature=0.5; has "$work/out" "the samples were made already"
sed -i '1s/"tokens":\[[0-9]*/"tokens":[1/' "$work/r/rollouts/grpo-000002.jsonl"
refused "$work/r" --step 2; has "$work/out" "are not of the same samples"
echo "  replay: six steps, and one after an early stop, end in the run's state, bit for bit; another loss in another; errors"
