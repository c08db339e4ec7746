#!/usr/bin/env bash
# transformers loads what `ponder train` saves, as llama, qwen3_moe and deepseek_v3, and gives the same ids and
# log-probabilities.
set -euo pipefail
cd "$PONDER_ROOT"
python=$(tests/support/oracle_python.sh)
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end "$python" tests/end_to_end/long/transformers_loads.py "$temporary"
