#!/usr/bin/env bash
# A disk that fills up while a model is exported: a clear error, nothing left behind. Needs the right to mount a tmpfs;
# without it the test says so and passes.
set -euo pipefail
cd "$PONDER_ROOT"
temporary=$(mktemp -d)
trap 'umount "$temporary/disk" 2>/dev/null || true; rm -rf "$temporary"' EXIT
mkdir "$temporary/disk"
mount -t tmpfs -o size=1m tmpfs "$temporary/disk" 2>/dev/null || { echo "no tmpfs can be mounted here: skipped"; exit 0; }
"$PONDER_BUILD/ponder" init configs/quickstart.toml "$temporary/born"
if "$PONDER_BUILD/ponder" export "$temporary/born" "$temporary/disk/out" 2>"$temporary/error"; then echo "FAILED: it fitted"; exit 1; fi
grep "the disk has .* MB free, but the model needs" "$temporary/error"
[ -z "$(ls -A "$temporary/disk")" ] || { echo "FAILED: something was left"; exit 1; }
