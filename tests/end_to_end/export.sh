#!/usr/bin/env bash
# A model is born, trained for two steps, exported and sampled: its small files survive byte for byte in checkpoints, final/
# and the export, and the export says what final/ says.
set -euo pipefail
cd "$PONDER_ROOT"
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
ponder=$PONDER_BUILD/ponder
fail() { echo "FAILED: $*"; exit 1; }

"$ponder" init tests/end_to_end/tiny.toml "$temporary/born" --set run.seed=5 --set model.compute_dtype=float32
echo '{"eos_token":   "<eos>"}' >"$temporary/born/special_tokens_map.json"
printf '{{ messages }}' >"$temporary/born/chat_template.jinja"
echo '{"eos_token_id": [17], "temperature": 0.60}' >"$temporary/born/generation_config.json"
cat >"$temporary/run.toml" <<TOML
[run]
seed = 3
threads = 1
[model]
path = "$temporary/born"
compute_dtype = "float32"
[template]
style = "plain"
[data]
train = "generator:arithmetic"
terms = 2
max_prompt_tokens = 16
eval_problems = 16
[rollout]
prompts_per_step = 2
samples_per_prompt = 4
max_new_tokens = 8
[[reward]]
name = "exact"
[[stage]]
kind = "sft"
steps = 2
sequences_per_step = 8
TOML
"$ponder" train "$temporary/run.toml" --set run.output_dir="$temporary/run" >"$temporary/log" 2>&1 || fail "$(cat "$temporary/log")"
final=$temporary/run/final checkpoint=$(echo "$temporary"/run/checkpoints/step-*) out=$temporary/out
"$ponder" export "$temporary/run" "$out"
for file in config.json tokenizer.json tokenizer_config.json special_tokens_map.json chat_template.jinja generation_config.json; do
  for folder in "$final" "$checkpoint" "$out"; do
    cmp "$temporary/born/$file" "$folder/$file" || fail "$file of $folder is not that of the model it came from"
  done
done
cmp "$final/model.safetensors" "$out/model.safetensors"
cmp -s "$temporary/born/model.safetensors" "$out/model.safetensors" && fail "training changed nothing"
grep -q '^library_name: transformers$' "$out/README.md" || fail "README.md has no front matter"
grep -q '^seed = 3$' "$out/README.md" || fail "README.md has no recipe"
"$ponder" export "$out" "$temporary/out" 2>"$temporary/error" && fail "a model was written over itself"
"$ponder" export "$final" "$temporary/shards" --shard-mb 1 --dtype bf16
"$ponder" export "$temporary/shards" "$temporary/wide" --dtype float32
"$ponder" export "$temporary/wide" "$temporary/narrow" --dtype bf16 --shard-mb 1
cmp "$temporary/shards/model.safetensors" "$temporary/narrow/model.safetensors"
text() { "$ponder" sample --model "$1" --prompt "3+4=" --template plain --temperature 0 --max-new-tokens 12 --dtype float32 2>/dev/null; }
[ "$(text "$final")" = "$(text "$out")" ] || fail "the exported model writes something else"
[ -z "$(find "$temporary" -name '*.partial' -o -name '*.tmp-*')" ] || fail "temporary files are left"
