#!/usr/bin/env bash
# transformers loads what `ponder train` saves, as llama, qwen3_moe and deepseek_v3, and gives the same ids and
# log-probabilities. tests/support/oracle_python.sh says where its Python comes from.
set -euo pipefail
cd "$PONDER_ROOT"
source tests/support/oracle_python.sh
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end "$python" tests/end_to_end/long/transformers_loads.py "$temporary"
