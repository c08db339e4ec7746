#!/usr/bin/env bash
# libFuzzer with ASan and UBSan. Usage: tests/fuzz/run.sh SECONDS [TARGET...]
#
# Targets: math_extract math_parse math_compare (the math verifier); safetensors gguf config_json tokenizer_json template
# (files that somebody else wrote). SECONDS are for each. The corpus grows in the build folder (PONDER_BUILD); it begins
# with the labelled cases, or with tests/fuzz/corpus/TARGET and the golden files. Needs clang.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1; shift
math=(math_extract math_parse math_compare)
files=(safetensors gguf config_json tokenizer_json template)
targets=("$@"); [ $# -gt 0 ] || targets=("${math[@]}" "${files[@]}")
compiler=$(command -v clang++ || true)
if [ -z "$compiler" ]; then echo "skipped: no clang++; install the Debian package clang"; exit 0; fi
out=${PONDER_BUILD:-build/release}/fuzz
mkdir -p "$out"
flags="-std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -I."

newest=$(find reward model kernels -name '*.h' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
compile() {  # compile SOURCE OBJECT
  [ "$2" -nt "$1" ] && [ "$2" -nt "$newest" ] || "$compiler" $flags -c "$1" -o "$2"
}

sources_of() {  # sources_of TARGET: what it is linked with
  case $1 in
    math_*) ls reward/math/*.cpp reward/extract.cpp reward/options.cpp | grep -v math_reward.cpp ;;
    tokenizer_json | template)
      ls kernels/dtype.cpp model/files/json_fields.cpp model/tokenizer/*.cpp tests/fuzz/one_thread.cpp
      [ "$1" != template ] || ls model/chat/*.cpp model/chat/jinja/*.cpp ;;
    *) # the readers alone: without the network and LibTorch
      ls kernels/dtype.cpp model/config.cpp model/rope_scaling.cpp model/families/*.cpp model/files/json_fields.cpp \
        model/files/mapped_file.cpp model/files/safetensors.cpp model/gguf/*.cpp model/tokenizer/utf8.cpp |
        grep -v -e gguf_import.cpp -e tensor_names.cpp ;;
  esac
}

labelled() {  # labelled TARGET FOLDER: the labelled cases of the math verifier as files
  python3 - "$1" "$2" <<'PY'
import glob, json, sys
target, folder = sys.argv[1:]
for file in glob.glob("tests/reward/math/cases/*.jsonl"):
    for line in open(file, encoding="utf-8"):
        case = json.loads(line)
        gold = case["gold"] if isinstance(case["gold"], str) else case["gold"][0]
        text = "\0" + case["prediction"] + "\n" + gold if target == "math_compare" else case["prediction"]
        with open(f"{folder}/{case['id']}", "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write(text)
PY
}

corpus() {  # corpus TARGET: what it begins with, once
  [ ! -d "$out/$1.corpus" ] || return 0
  mkdir "$out/$1.corpus"
  case $1 in
    math_*) labelled "$1" "$out/$1.corpus" ;;
    safetensors) cp tests/fuzz/corpus/safetensors/* tests/model/golden/*.safetensors "$out/$1.corpus" ;;
    gguf) cp tests/fuzz/corpus/gguf/* tests/model/golden/*.gguf "$out/$1.corpus" ;;
    *)
      cp "tests/fuzz/corpus/$1"/* "$out/$1.corpus"
      [ "$1" != config_json ] || for file in tests/model/families/golden/*/config.json; do
        cp "$file" "$out/$1.corpus/$(basename "$(dirname "$file")")"
      done ;;
  esac
}

for target in "${targets[@]}"; do
  if [ ! -e "tests/fuzz/$target.cpp" ]; then echo "$target: there is no tests/fuzz/$target.cpp"; continue; fi
  objects=()
  while read -r source; do
    object=$out/${source//\//_}.o
    compile "$source" "$object"
    objects+=("$object")
  done < <(sources_of "$target")
  compile "tests/fuzz/$target.cpp" "$out/$target.o"
  libraries="-lfmt -lpthread"; longest=65536 dictionary=
  case $target in
    math_*) libraries+=" -lflint-arb -lflint -lgmp"; longest=4096 ;;
    *) libraries+=" -lpcre2-8 -lutf8proc -lsimdjson" ;;
  esac
  [ ! -e "tests/fuzz/${target%%_*}.dict" ] || dictionary=-dict=tests/fuzz/${target%%_*}.dict
  "$compiler" -fsanitize=fuzzer,address,undefined "$out/$target.o" "${objects[@]}" $libraries -o "$out/$target"
  corpus "$target"
  echo "$target: $seconds s"
  "$out/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=$longest $dictionary \
    -artifact_prefix="$out/$target-" -print_final_stats=1 -print_funcs=0 -verbosity=0 "$out/$target.corpus"
done
