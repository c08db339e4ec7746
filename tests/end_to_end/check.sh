#!/usr/bin/env bash
# `ponder check` on ten broken settings files and on those that ship.
set -euo pipefail
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/check.py
