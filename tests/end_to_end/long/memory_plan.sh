#!/usr/bin/env bash
# The memory plan against what runs take; writes tests/results/memory_plan.md. Needs models/smollm2-135m for most rows.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT"
mkdir -p tests/results
PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/memory_plan.py "$temporary" tests/results/memory_plan.md
