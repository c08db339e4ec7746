#!/usr/bin/env bash
# Products with packed weights reach half of the bf16 peak that the same run measures, at 64 rows.
set -euo pipefail
"$PONDER_BUILD/bench/linear_bench" --require 0.5
