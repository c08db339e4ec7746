#!/usr/bin/env bash
# SmolLM2-135M on countdown after a short cold start, one seed; writes tests/results/countdown.md and .svg. A run of this commit,
# in build/countdown, goes on where it was stopped. Needs models/smollm2-135m. Usage: countdown.sh [STEPS of GRPO, default 100]
set -euo pipefail
cd "$PONDER_ROOT"
if [ ! -d models/smollm2-135m ]; then echo "skipped: models/smollm2-135m is not here"; exit 0; fi
folder=build/countdown/$(git rev-parse --short HEAD)
mkdir -p "$folder" tests/results
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end python3 tests/end_to_end/long/countdown.py "$folder" tests/results "${1:-100}"
