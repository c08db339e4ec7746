#!/usr/bin/env bash
# Instructions of each op on the AVX2 and plain paths, against tests/bench/instruction_counts.json. With --record: writes it.
set -euo pipefail
program=$PONDER_BUILD/bench/counted_ops
[ -x "$program" ] || { echo "skipped: valgrind was not here when this build was configured"; exit 0; }
PYTHONDONTWRITEBYTECODE=1 python3 "$PONDER_ROOT/tests/bench/instruction_counts.py" "$program" "$@"
