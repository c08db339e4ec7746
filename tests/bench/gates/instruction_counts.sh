#!/usr/bin/env bash
# Instructions of each op on the AVX2 and plain paths, against tests/bench/instruction_counts.json. With --record: writes it.
set -euo pipefail
program=$PONDER_BUILD/bench/counted_ops
[ -x "$program" ] || { echo "skipped: this build has no counted_ops; install the Debian package valgrind and configure again"; exit 0; }
PYTHONDONTWRITEBYTECODE=1 python3 "$PONDER_ROOT/tests/bench/instruction_counts.py" "$program" "$@"
