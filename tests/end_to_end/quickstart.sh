#!/usr/bin/env bash
# The quickstart with its own settings: a small model must find that thinking pays.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/quickstart.py run "$temporary/run"
