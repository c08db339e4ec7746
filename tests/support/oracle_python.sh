#!/usr/bin/env bash
# Prints a Python that has the packages of tests/support/oracle_requirements.txt. Needs PyPI once (about 3 GB in
# PONDER_CACHE/oracle-venv); PONDER_ORACLE_PYTHON names a Python that has them already.
set -euo pipefail
cd "$PONDER_ROOT"
python=${PONDER_ORACLE_PYTHON:-}
if [ -z "$python" ]; then
  venv=${PONDER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ponder}/oracle-venv
  wanted=$(cksum <tests/support/oracle_requirements.txt)
  if [ "$(cat "$venv/complete" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"; mkdir -p "$(dirname "$venv")"
    base=python3; [ -x /usr/bin/python3 ] && base=/usr/bin/python3
    "$base" -m venv "$venv" || { echo "no venv: install the Debian package python3-venv" >&2; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/support/oracle_requirements.txt >&2
    echo "$wanted" >"$venv/complete"
  fi
  python=$venv/bin/python
fi
echo "$python"
