#!/usr/bin/env bash
# Chat templates of published models, and random ones, against jinja2 as transformers runs it. Needs network and python3.
# Usage: tests/end_to_end/long/templates.sh [RANDOM TEMPLATES, default 20000]
#
# The real templates come from two packages and are not kept here: trl ships some 70 as trl/chat_templates, llama-cpp-python's source
# some 70 as vendor/llama.cpp/models/templates. Every template meets every conversation of tests/support/template_cases.py.
set -euo pipefail
cd "$(dirname "$0")/../../.."
count=${1:-20000}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet transformers==5.23.0 jinja2==3.1.6
"$work/venv/bin/pip" download --quiet --no-deps --dest "$work" trl==1.16.0
"$work/venv/bin/pip" download --quiet --no-deps --no-build-isolation --no-binary :all: --dest "$work" llama-cpp-python==0.3.36
python3 -m zipfile -e "$work"/trl-*.whl "$work/trl"
mkdir "$work/llama"
tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/llama" --wildcards '*.jinja' '*/llama_chat_format.py'
g++ -std=c++20 -O2 -I. model/chat/jinja/*.cpp tests/support/render_template.cpp -lfmt -lutf8proc -o "$work/render"
"$work/venv/bin/python" tests/end_to_end/long/templates.py "$work/render" "$count" "$work/trl/trl/chat_templates" "$work/llama" models
