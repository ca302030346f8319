#!/usr/bin/env bash
# Layout, layers, generated files, Python style, clang-tidy, the library without exceptions. `lint.sh --fix` lays out instead of checking.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh lint
mapfile -t cpp < <(git ls-files --cached --others --exclude-standard 'src/*.cc' 'src/*.h' 'include/*.h' 'bench/*.cc' 'tests/*.cc' 'tests/*.h' 'examples/*.cc')

if [[ "${1:-}" == --fix ]]; then
  clang-format-16 -i "${cpp[@]}"
  .venv/bin/ruff check --quiet --fix .
  .venv/bin/ruff format --quiet .
  exit 0
fi

step() { echo "lint: $1"; }
step "layout";    clang-format-16 --dry-run --Werror "${cpp[@]}"
step "layers";    .venv/bin/python tools/check_layers.py
step "python";    .venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check .
step "types";     .venv/bin/mypy
step "schema";    .venv/bin/python tools/gen_schema.py --check
step "names";     .venv/bin/python tools/gen_mxnet_names.py --check
if [[ -x build/release/mx2onnx ]]; then
  step "generated pages"; .venv/bin/python tools/gen_docs.py --check build/release/mx2onnx
fi
# Where the library is compiled without exceptions, as for WebAssembly, clang takes a throw for an error.
step "clang-tidy, and no exceptions in the library"
cmake --preset tidy > /dev/null
mapfile -t sources < <(git ls-files 'src/*.cc' | grep -v -e _test.cc -e src/python)
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-22 --quiet -p build/tidy 2> >(grep -v "warnings generated\|Suppressed\|Use -header-filter" >&2)
