#!/usr/bin/env bash
# Sampling ahead of training, and partial rollouts: killed runs that are resumed end in the bits of those that never stopped.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/async.py "$temporary"
