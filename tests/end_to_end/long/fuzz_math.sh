#!/usr/bin/env bash
# libFuzzer on the math verifier's extraction, parser and comparison, ten minutes each. Skipped without clang.
exec bash "$PONDER_ROOT/tests/fuzz/run.sh" 600 math_extract math_parse math_compare
