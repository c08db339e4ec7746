#!/usr/bin/env bash
# Every preset trains, and a run with all that an algorithm keeps between steps resumes bit for bit.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/algorithms.py "$temporary"
