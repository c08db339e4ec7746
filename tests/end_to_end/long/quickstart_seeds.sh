#!/usr/bin/env bash
# The quickstart on five seeds; writes tests/results/quickstart_seeds.md. Runs of this commit that are there already, in
# build/quickstart_seeds, are not repeated.
set -euo pipefail
cd "$PONDER_ROOT"
folder=build/quickstart_seeds/$(git rev-parse --short HEAD)
mkdir -p "$folder" tests/results
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end \
  python3 tests/end_to_end/quickstart.py seeds "$folder" tests/results/quickstart_seeds.md
