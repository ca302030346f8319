#!/usr/bin/env bash
# Configures (when needed) and builds one build folder: build.sh FOLDER [CMake options].
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift
options=(-DCMAKE_BUILD_TYPE=Release -DMX2ONNX_TESTS=ON -DMX2ONNX_PYTHON=ON -DMX2ONNX_BENCHMARKS=ON
         -DPython_EXECUTABLE="$PWD/.venv/bin/python" "$@")
if command -v ccache > /dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
log=$folder/build.log
mkdir -p "$folder"
if ! cmake -S . -B "$folder" -G Ninja "${options[@]}" > "$log" 2>&1 || ! cmake --build "$folder" >> "$log" 2>&1; then
  grep -E "error|Error|FAILED" -A 5 "$log" | head -60 >&2 || true
  echo "the build failed; all of it is in $log" >&2
  exit 1
fi
