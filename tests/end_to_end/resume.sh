#!/usr/bin/env bash
# Kills, interrupts and resumes small runs; each must end in the bits of the run that never stopped.
set -euo pipefail
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/resume.py "$temporary"
