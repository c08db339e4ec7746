#!/usr/bin/env bash
# transformers loads what `ponder train` saves, as llama, qwen3_moe and deepseek_v3, and gives the same ids and
# log-probabilities. Needs PyPI once (about 3 GB in PONDER_CACHE/oracle-venv); PONDER_ORACLE_PYTHON names a Python that
# has the packages of tests/support/oracle_requirements.txt already.
set -euo pipefail
cd "$PONDER_ROOT"
python=${PONDER_ORACLE_PYTHON:-}
if [ -z "$python" ]; then
  venv=${PONDER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ponder}/oracle-venv
  wanted=$(cksum <tests/support/oracle_requirements.txt)
  if [ "$(cat "$venv/complete" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"; mkdir -p "$(dirname "$venv")"
    base=python3; [ -x /usr/bin/python3 ] && base=/usr/bin/python3
    "$base" -m venv "$venv" || { echo "no venv: install the Debian package python3-venv"; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/support/oracle_requirements.txt
    echo "$wanted" >"$venv/complete"
  fi
  python=$venv/bin/python
fi
temporary=$(mktemp -d); trap 'rm -rf "$temporary"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/end_to_end "$python" tests/end_to_end/long/transformers_loads.py "$temporary"
