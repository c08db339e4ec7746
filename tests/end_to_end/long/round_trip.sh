#!/usr/bin/env bash
# What `ponder export` writes, read by other tools. SmolLM2: two training steps in float32, exported in shards, loaded by
# transformers: same logits, same greedy text; converted by llama.cpp and imported again: same weights, where
# PONDER_LLAMA_CPP names a checkout of llama.cpp (its converter needs the PyPI packages gguf and sentencepiece).
# Every family: a small model of `ponder init`, exported, loaded, saved again by transformers, and read back.
set -euo pipefail
cd "$PONDER_ROOT"
python=$(tests/support/oracle_python.sh)
./ponder fetch smollm2-135m
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="tests/end_to_end${PYTHONPATH:+:$PYTHONPATH}" "$python" tests/end_to_end/long/round_trip.py "$temporary"
