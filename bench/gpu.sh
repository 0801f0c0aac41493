#!/usr/bin/env bash
# A day with a GPU in under eight minutes: fixtures, times of the paper's models, 6×6 Sudoku trained; one JSON.
#   bench/gpu.sh [--wheels DIR] [--device cuda] [--quick] [--out FILE]
# --wheels: make .venv-torch from wheels carried along (pip download torch), for a machine without a registry.
# The library must be compiled (npm run build); of Node's packages the native engine and PyTorch need none.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --wheels ]]; then
  [[ -d ${2:-} ]] || { echo "--wheels: expected a folder of wheels, got ${2:-nothing}" >&2; exit 2; }
  python3 -m venv .venv-torch
  .venv-torch/bin/pip install --quiet --no-index --find-links "$2" torch
  shift 2
fi
[[ -f dist/index.js ]] || { echo "expected the compiled library in dist/, got none; run npm run build" >&2; exit 2; }
exec timeout --kill-after=10 470 node bench/gpu.mjs "$@"
