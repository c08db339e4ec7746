#!/usr/bin/env bash
# LoRA from end to end: training, resume, the adapter's folder in each command, merging.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/lora.py "$temporary"
