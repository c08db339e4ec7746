#!/usr/bin/env bash
# AVX-512: a bf16 product at 64 rows against the peak that the same run measures. Wide, for machines that do other work too.
set -euo pipefail
"$PONDER_BUILD/bench/ops_bench" --gate 0.45
