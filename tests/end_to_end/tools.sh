#!/usr/bin/env bash
# The tools for a model folder: logprobs, tokenize, detokenize, inspect, upcycle, on a small imported model; wrong input too.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/tools.py "$temporary"
