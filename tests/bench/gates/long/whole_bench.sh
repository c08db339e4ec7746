#!/usr/bin/env bash
# Every benchmark beside its peers; writes tests/results/bench. Fails when a goal is missed. About an hour on two cores, and
# an hour more when the peers must be built (3 GB from PyPI).
set -euo pipefail
cd "$PONDER_ROOT"
output=build/bench/$(git rev-parse --short HEAD)
status=0
export PYTHONDONTWRITEBYTECODE=1
python3 tests/bench/bench.py all --build "$PONDER_BUILD" --output "$output" --install-peers --require || status=$?
mkdir -p tests/results/bench
cp "$output"/bench.md "$output"/ops.json "$output"/engine.json "$output"/step.json tests/results/bench/
exit $status
