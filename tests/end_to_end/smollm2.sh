#!/usr/bin/env bash
# The real model: fetched and imported, its log-probabilities against transformers' golden ones, its run's settings checked.
set -euo pipefail
cd "$PONDER_ROOT"
./ponder fetch smollm2-135m
"$PONDER_BUILD/tests/model_test" "[smollm2]"
"$PONDER_BUILD/ponder" check configs/gsm8k_smollm2.toml
