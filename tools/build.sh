#!/usr/bin/env bash
# Configures (when needed) and builds the folder of a preset of CMakePresets.json: build.sh build/PRESET [CMake options].
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$(basename "$1")
shift
# The shared library is made of the objects of the static one: with ccache they are compiled once. CMake reads the variable when
# it configures a folder for the first time.
if command -v ccache > /dev/null && mkdir -p "$(ccache --get-config cache_dir)" 2> /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
log=build/$preset/build.log
mkdir -p "build/$preset"
if ! cmake --preset "$preset" "$@" > "$log" 2>&1 || ! cmake --build "build/$preset" >> "$log" 2>&1; then
  grep -E "error|Error|FAILED" -A 5 "$log" | head -60 >&2 || true
  echo "the build failed; all of it is in $log" >&2
  exit 1
fi
