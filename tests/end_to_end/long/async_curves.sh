#!/usr/bin/env bash
# The quickstart's RL stage with samples of older weights: staleness 0, 1 and 4, with and without importance correction, five
# seeds each; writes tests/results/async_curves.md and .svg. Usage: async_curves.sh [SEEDS [STEPS]]
# Runs of this commit that are there already, in build/async_curves, are not repeated.
set -euo pipefail
cd "${PONDER_ROOT:-.}"
folder=build/async_curves/$(git rev-parse --short HEAD)
mkdir -p "$folder" tests/results
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end \
  python3 tests/end_to_end/long/async_curves.py "$folder" tests/results/async_curves "${1:-5}" "${2:-50}"
