#!/usr/bin/env bash
# Writes configs/SETTINGS.md from the program's own declaration of its settings.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
{
  printf '# Settings\n\nEvery key of a settings file. Written by `tests/support/write_settings_page.sh` from `./ponder config table`; do not edit.\n\n'
  printf 'A `[[stage]]` may repeat any section but `run`, `model`, `checkpoint`, `log` and `cost` as `[stage.SECTION]`; its values go before the top ones.\n\n'
  "$root/ponder" config table
} >"$root/configs/SETTINGS.md.new"
mv "$root/configs/SETTINGS.md.new" "$root/configs/SETTINGS.md"
