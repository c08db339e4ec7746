#!/usr/bin/env bash
# The same seed gives the same metrics and weights, byte for byte except times, whatever the machine does.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/determinism.py "$temporary"
