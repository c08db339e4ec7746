#!/usr/bin/env bash
# `ponder upcycle` of SmolLM2: the perplexity of 200 GSM8K problems before and after, by `ponder logprobs` and by
# transformers; writes tests/results/upcycle.md. Takes 3 GB of disk in the temporary folder and 6 GB of memory.
set -euo pipefail
cd "$PONDER_ROOT"
./ponder fetch smollm2-135m
python=$(tests/support/oracle_python.sh)
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end "$python" tests/end_to_end/long/upcycle.py "$temporary" tests/results/upcycle.md
