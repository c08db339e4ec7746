#!/usr/bin/env bash
# Training with a reward plug-in that fails in every way.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/plugins.py "$temporary"
