#!/usr/bin/env bash
# Runs the libFuzzer targets, each for SECONDS_EACH (60) seconds, on copies of the checked-in corpora; that of graphs gets
# windows of the graphs of tests/zoo and a case of each operator besides. What is found lies in build/fuzz/findings; put it
# into tests/fuzz/corpus/TARGET once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
python=$root/.venv/bin/python
tools/setup.sh lint
tools/build.sh build/fuzz
mkdir -p build/fuzz/findings build/fuzz/logs
for target in ${TARGETS:-symbol params onnx attrs pipeline archive graph}; do
  corpus=build/fuzz/corpus_$target
  if [ "$target" = graph ] && [ ! -d "$corpus" ]; then
    PYTHONPATH=build/release/python "$python" tools/fuzz_seeds.py "$corpus" --windows 200 --cases
  fi
  mkdir -p "$corpus"
  echo "fuzzing $target for ${SECONDS_EACH:-60} s"
  # A longer time than a model may take: the machine may have other things to do.
  MX2ONNX_FUZZ_LOADER="exec '$python' '$root/tests/fuzz/load_models.py'" MX2ONNX_FUZZ_FINDINGS=$root/build/fuzz/findings \
    "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="${SECONDS_EACH:-60}" -rss_limit_mb=3000 -timeout=30 -max_len=16384 \
    -artifact_prefix=build/fuzz/findings/ -print_final_stats=1 "$corpus" "tests/fuzz/corpus/$target" \
    > "build/fuzz/logs/$target" 2>&1 || true
  grep -E "stat::number_of_executed|ERROR|SUMMARY|does not load|DONE" "build/fuzz/logs/$target" | tail -8 || true
done
if compgen -G "build/fuzz/findings/*" > /dev/null; then
  echo "findings: $(ls build/fuzz/findings)" >&2
  exit 1
fi
