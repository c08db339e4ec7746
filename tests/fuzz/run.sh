#!/usr/bin/env bash
# libFuzzer on the math verifier, with ASan and UBSan. Usage: tests/fuzz/run.sh SECONDS [math_extract|math_parse|math_compare...]
#
# SECONDS are for each target. The corpus grows in the build folder (PONDER_BUILD) and begins with the labelled cases. Needs clang.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1; shift
targets=("$@"); [ $# -gt 0 ] || targets=(math_extract math_parse math_compare)
compiler=$(command -v clang++ || true)
if [ -z "$compiler" ]; then echo "skipped: no clang++; install the Debian package clang"; exit 0; fi
out=${PONDER_BUILD:-build/release}/fuzz
mkdir -p "$out"
flags="-std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -I."

newest=$(find reward -name '*.h' -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
compile() {  # compile SOURCE OBJECT
  [ "$2" -nt "$1" ] && [ "$2" -nt "$newest" ] || "$compiler" $flags -c "$1" -o "$2"
}
objects=()
for source in reward/math/*.cpp reward/extract.cpp reward/options.cpp; do
  [ "$source" != reward/math/math_reward.cpp ] || continue
  object=$out/${source//\//_}.o
  compile "$source" "$object"
  objects+=("$object")
done

corpus() {  # corpus TARGET: the labelled cases as files, once
  [ ! -d "$out/$1.corpus" ] || return 0
  mkdir "$out/$1.corpus"
  python3 - "$1" "$out/$1.corpus" <<'PY'
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

for target in "${targets[@]}"; do
  compile "tests/fuzz/$target.cpp" "$out/$target.o"
  "$compiler" -fsanitize=fuzzer,address,undefined "$out/$target.o" "${objects[@]}" -lfmt -lflint-arb -lflint -lgmp -lpthread -o "$out/$target"
  corpus "$target"
  echo "$target: $seconds s"
  "$out/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=4096 -dict=tests/fuzz/math.dict \
    -artifact_prefix="$out/$target-" -print_final_stats=1 -verbosity=0 "$out/$target.corpus"
done
