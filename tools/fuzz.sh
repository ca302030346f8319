#!/usr/bin/env bash
# Runs the libFuzzer targets, each for SECONDS_EACH (60) seconds, on copies of the checked-in corpora. What is
# found lies in build/fuzz/findings; put it into tests/fuzz/corpus/TARGET once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh lint
CC=clang-16 CXX=clang++-16 tools/build.sh build/fuzz -DMX2ONNX_FUZZERS=ON -DMX2ONNX_TESTS=OFF -DMX2ONNX_PYTHON=OFF \
  -DMX2ONNX_BENCHMARKS=OFF -DMX2ONNX_CLI=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo
mkdir -p build/fuzz/findings
for target in ${TARGETS:-symbol params onnx attrs pipeline archive}; do
  corpus=build/fuzz/corpus_$target
  mkdir -p "$corpus"
  echo "fuzzing $target for ${SECONDS_EACH:-60} s"
  "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="${SECONDS_EACH:-60}" -rss_limit_mb=3000 -timeout=10 -max_len=16384 \
    -artifact_prefix=build/fuzz/findings/ -print_final_stats=1 "$corpus" "tests/fuzz/corpus/$target" 2>&1 |
    grep -E "stat::number_of_executed|ERROR|SUMMARY|cov:" | tail -3
done
if compgen -G "build/fuzz/findings/*" > /dev/null; then
  echo "findings: $(ls build/fuzz/findings)" >&2
  exit 1
fi
