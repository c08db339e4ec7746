#!/usr/bin/env bash
# A run of 500 steps of the quickstart's model through injected faults: killed reward workers, a disk that is full for a while,
# SIGTERM, kill -9, rewards that no float32 holds. Writes tests/results/faults.md. Usage: tests/end_to_end/long/faults.sh [STEPS]
set -euo pipefail
temporary=$(mktemp -d); trap 'umount "$temporary/disk" 2>/dev/null || true; rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end \
  python3 tests/end_to_end/long/faults.py "$temporary" tests/results/faults.md "${1:-500}"
