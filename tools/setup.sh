#!/usr/bin/env bash
# Installs what the build and the tests need and the machine lacks: system packages through apt where it may
# (root or sudo), and a private virtual environment in .venv. Says what is missing where it may not.
#
#   setup.sh          for building and testing
#   setup.sh web      also npm and a headless Chromium
#   setup.sh lint     also clang-format, clang-tidy and the fuzzer's runtime
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A packages=(
  [g++]=g++ [cmake]=cmake [ninja]=ninja-build
  [/usr/include/nlohmann/json.hpp]=nlohmann-json3-dev [/usr/include/CLI/CLI.hpp]=libcli11-dev
  [/usr/include/fmt/format.h]=libfmt-dev [/usr/include/xxhash.h]=libxxhash-dev
  [/usr/include/zlib.h]=zlib1g-dev
  [/usr/include/protozero/pbf_writer.hpp]=libprotozero-dev [/usr/include/gtest/gtest.h]=libgtest-dev
  [/usr/include/benchmark/benchmark.h]=libbenchmark-dev [strace]=strace [ccache]=ccache
)
if [[ "${1:-}" == lint ]]; then
  packages+=([clang++-16]=clang-16 [clang-format-16]=clang-format-16 [clang-tidy-22]=clang-tidy-22
             [/usr/lib/llvm-16/lib/clang/16/lib/linux/libclang_rt.fuzzer-x86_64.a]=libclang-rt-16-dev)
fi
if [[ "${1:-}" == web ]]; then
  packages+=([npm]=npm [/usr/bin/chromium-headless-shell]=chromium-headless-shell)
fi

missing=()
for thing in "${!packages[@]}"; do
  if [[ $thing == /* ]]; then [[ -e $thing ]] || missing+=("${packages[$thing]}");
  else command -v "$thing" > /dev/null || missing+=("${packages[$thing]}"); fi
done
# Python with the headers an extension needs, new enough for the test packages.
find_python() {
  for candidate in python3.13 python3.12 python3.11 python3.10 python3; do
    if "$candidate" -c 'import sys, sysconfig, os, ensurepip
assert (3, 10) <= sys.version_info[:2] <= (3, 13)
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2> /dev/null; then
      command -v "$candidate"; return
    fi
  done
}
python=$(find_python)
[[ -n $python || -x .venv/bin/python ]] || missing+=(python3 python3-dev python3-venv)

if ((${#missing[@]})); then
  as_root=()
  if ((EUID != 0)); then as_root=(sudo -n); fi
  if command -v apt-get > /dev/null && { ((EUID == 0)) || sudo -n true 2> /dev/null; }; then
    echo "installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
  else
    # CMake downloads libraries that the system lacks; compilers it cannot.
    echo "not installed, and apt cannot be used here: ${missing[*]}" >&2
  fi
  python=$(find_python)
fi

stamp=.venv/$(sha256sum tools/requirements.txt | cut -c1-16).stamp
if [[ ! -e $stamp ]]; then
  [[ -x .venv/bin/python ]] || "${python:?no Python from 3.10 to 3.13 with its headers}" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/requirements.txt
  rm -f .venv/*.stamp
  touch "$stamp"
fi
