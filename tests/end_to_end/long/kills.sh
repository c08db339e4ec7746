#!/usr/bin/env bash
# Kill -9 at 50 moments of a ten-step run of the quickstart's model; each resumed run must end in the undisturbed run's bits.
# Writes tests/results/kills.md. Usage: tests/end_to_end/long/kills.sh [KILLS, default 50] [SEED of the moments, default 0]
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end \
  python3 tests/end_to_end/long/kills.py "$temporary" tests/results/kills.md "${1:-50}" "${2:-0}"
