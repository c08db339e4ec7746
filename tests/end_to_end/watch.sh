#!/usr/bin/env bash
# A run that is disturbed: signals, alarms, a planted NaN, a full disk. Needs PONDER_ROOT and PONDER_BUILD.
set -euo pipefail
cd "$PONDER_ROOT"
PYTHONPATH=tests/end_to_end python3 tests/end_to_end/watch.py
