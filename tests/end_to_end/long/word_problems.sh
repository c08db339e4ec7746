#!/usr/bin/env bash
# SmolLM2-135M learns arithmetic stories by dr-grpo, grpo-paper and, as a control, a random reward; writes
# tests/results/word_problems.md and .svg. Runs of this commit, in build/word_problems, go on where they were stopped.
# Needs models/smollm2-135m. Usage: word_problems.sh [SEEDS, default 3 [STEPS, default 100]]
set -euo pipefail
cd "$PONDER_ROOT"
if [ ! -d models/smollm2-135m ]; then echo "skipped: models/smollm2-135m is not here"; exit 0; fi
folder=build/word_problems/$(git rev-parse --short HEAD)
mkdir -p "$folder" tests/results
[ -f build/word_problems.jsonl ] || python3 tests/support/make_word_problems.py build/word_problems.jsonl 2000
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end python3 tests/end_to_end/long/word_problems.py "$folder" tests/results "${1:-3}" "${2:-100}"
