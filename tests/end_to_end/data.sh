#!/usr/bin/env bash
# A mixture of data sets with a curriculum and refilling: what it draws, and resuming after any step in equal bits.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/data.py "$temporary"
