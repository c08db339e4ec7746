#!/usr/bin/env bash
# PEFT loads the adapters that `ponder train` saves and gives the same log-probabilities. PONDER_ORACLE_PYTHON may name a
# Python with tests/support/oracle_requirements.txt; SmolLM2 is looked at where models/smollm2-135m is here.
set -euo pipefail
cd "$PONDER_ROOT"
python=$(tests/support/oracle_python.sh)
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end "$python" tests/end_to_end/long/lora_peft.py "$temporary"
