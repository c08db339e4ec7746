#!/usr/bin/env bash
# Chat templates of published models, and random ones, against jinja2 as transformers runs it.
# Usage: tests/end_to_end/long/templates.sh [RANDOM TEMPLATES, default 20000] [FOLDERS with templates]
#
# Without folders the real templates come from two packages on PyPI and are not kept here: trl ships some 70 as
# trl/chat_templates, llama-cpp-python's source some 70 as vendor/llama.cpp/models/templates; SmolLM2's come from models/.
# Every template meets every conversation of tests/support/template_cases.py.
set -euo pipefail
: "${PONDER_ROOT:=$(cd "$(dirname "$0")/../../.." && pwd)}"
export PONDER_ROOT
cd "$PONDER_ROOT"
count=${1:-20000}
[ $# -eq 0 ] || shift
python=$(tests/support/oracle_python.sh)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
  "$python" -m pip download --quiet --no-deps --dest "$work" trl==1.16.0
  "$python" -m pip download --quiet --no-deps --no-binary :all: --dest "$work" llama-cpp-python==0.3.36
  "$python" -m zipfile -e "$work"/trl-*.whl "$work/trl"
  mkdir "$work/llama"
  tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/llama" --wildcards '*.jinja' '*/llama_chat_format.py'
  set -- "$work/trl/trl/chat_templates" "$work/llama"
fi
g++ -std=c++20 -O2 -I. model/chat/jinja/*.cpp tests/support/render_template.cpp -lfmt -lutf8proc -o "$work/render"
PYTHONDONTWRITEBYTECODE=1 "$python" tests/end_to_end/long/templates.py "$work/render" "$count" "$@" models
