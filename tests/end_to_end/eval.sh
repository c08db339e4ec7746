#!/usr/bin/env bash
# `ponder eval` on a tiny model: files, kill and resume, compare, and settings that must not be ignored.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/eval.py "$temporary"
