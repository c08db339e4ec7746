#!/usr/bin/env bash
# Peak memory and step time of LoRA beside full training; writes tests/results/lora.md. Needs models/smollm2-135m.
set -euo pipefail
cd "$PONDER_ROOT"
if [ ! -d models/smollm2-135m ]; then echo "skipped: models/smollm2-135m is not here"; exit 0; fi
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
mkdir -p tests/results
PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/long/lora_cost.py "$temporary" tests/results/lora.md "$@"
