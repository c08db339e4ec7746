#!/usr/bin/env bash
# Every reference solution of HumanEval and MBPP through code_function, and every copy with one operator flipped. Plain Python
# must agree with each verdict. Writes canonical_code.md into the build folder; tests/results holds the last one looked at.
set -euo pipefail
data=${PONDER_DATA:-$PONDER_ROOT/../shared/data}
if [ ! -e "$data/humaneval/HumanEval.jsonl.gz" ]; then
  echo "canonical_code: skipped, no HumanEval in $data (set PONDER_DATA to a folder with humaneval/ and mbpp/)"
  exit 0
fi
python3 "$PONDER_ROOT/tests/support/canonical_code.py" check "$data" "$PONDER_BUILD/ponder" \
  --every "${CANONICAL_EVERY:-1}" --output "$PONDER_BUILD/canonical_code.md"
