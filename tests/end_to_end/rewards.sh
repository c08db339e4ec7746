#!/usr/bin/env bash
# `ponder score` and `ponder reward`: what they print and how they end.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/rewards.py "$temporary"
