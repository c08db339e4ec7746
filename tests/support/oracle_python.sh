# Sourced by scripts that compare with PyPI's packages: sets `python` to one that has tests/support/oracle_requirements.txt.
# PONDER_ORACLE_PYTHON names it; else a virtual environment is made once in PONDER_CACHE/oracle-venv (about 3 GB).
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
