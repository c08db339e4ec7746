#!/usr/bin/env bash
# libFuzzer on the readers of files that somebody else wrote, five minutes each. Skipped without clang.
exec bash "$PONDER_ROOT/tests/fuzz/run.sh" 300 safetensors gguf config_json tokenizer_json template
