#!/usr/bin/env bash
# Supervised fine-tuning: formats, epochs, held-out loss, best checkpoint, early stop, costs. Needs PONDER_ROOT and PONDER_BUILD.
set -euo pipefail
cd "$PONDER_ROOT"
PYTHONPATH=tests/end_to_end python3 tests/end_to_end/sft.py
