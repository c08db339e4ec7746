#!/usr/bin/env bash
# `ponder data contamination` and `identity` on the data sets beside the checkout, where they are: known numbers of common problems.
set -euo pipefail
cd "$PONDER_ROOT" && PYTHONDONTWRITEBYTECODE=1 python3 tests/end_to_end/contamination.py "$@"
