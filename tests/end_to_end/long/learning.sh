#!/usr/bin/env bash
# The quickstart's task learned by each preset on five seeds; writes tests/results/learning.md and learning.svg. Runs of this
# commit that are there already, in build/learning, are not repeated. Usage: learning.sh [SEEDS, default 5] [PRESET...]
set -euo pipefail
cd "$PONDER_ROOT"
folder=build/learning/$(git rev-parse --short HEAD)
mkdir -p "$folder" tests/results
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end python3 tests/end_to_end/long/learning.py "$folder" tests/results "${@:-5}"
