#!/usr/bin/env bash
# Builds with the libraries that CMake would download, from sources that apt-get brings, and tests the result: what happens on a
# machine that has none of them. The system's apt settings are read, not changed. What apt-get cannot bring is
# skipped by name.
#
#   FETCHED=FOLDER test_fetchcontent.sh      keeps the sources in FOLDER, or takes them from there
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${FETCHED:-build/fetched}")
build=build/fetchcontent
# FetchContent's name of each, and Debian's.
declare -A sources=([fmt]=fmtlib [nlohmann_json]=nlohmann-json3 [protozero]=protozero [xxhash]=xxhash [ZLIB]=zlib [CLI11]=cli11
                    [GTest]=googletest [benchmark]=benchmark)

skip() { echo "skipped: $1"; exit 0; }
command -v apt-get > /dev/null && command -v dpkg-source > /dev/null || skip "there is no apt-get and dpkg-source here"

# apt with lists of its own, in which each repository of the system has its sources, too.
apt=$folder/apt
apt_options=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Etc::SourceList=$apt/sources.list" -o "Dir::Cache=$apt/cache"
             -o "Dir::Etc::SourceParts=$apt/sources.list.d" -o "APT::Sandbox::User=$(id -un)" -qq)
read_lists() {
  mkdir -p "$apt/lists/partial" "$apt/sources.list.d" "$apt/cache/archives/partial"
  local system_list system_parts part
  eval "$(apt-config shell system_list Dir::Etc::SourceList/f system_parts Dir::Etc::SourceParts/d)"
  if [[ -e $system_list ]]; then sed 's/^deb /deb-src /' "$system_list" > "$apt/sources.list"; else : > "$apt/sources.list"; fi
  for part in "$system_parts"*.list; do
    if [[ -e $part ]]; then sed 's/^deb /deb-src /' "$part" > "$apt/sources.list.d/${part##*/}"; fi
  done
  for part in "$system_parts"*.sources; do
    if [[ -e $part ]]; then sed 's/^Types:.*/Types: deb-src/' "$part" > "$apt/sources.list.d/${part##*/}"; fi
  done
  apt-get "${apt_options[@]}" update
}

mkdir -p "$folder"
options=()
for name in "${!sources[@]}"; do
  source=${sources[$name]}
  if ! compgen -G "$folder/$source-*/" > /dev/null; then
    [[ -e $apt/sources.list ]] || read_lists || skip "apt-get cannot read lists of sources"
    (cd "$folder" && apt-get "${apt_options[@]}" source "$source" > "$apt/$source.log" 2>&1) || true
  fi
  trees=("$folder/$source"-*/)
  if [[ -d ${trees[0]} ]]; then
    # This comes before what the system has.
    options+=("-DFETCHCONTENT_SOURCE_DIR_${name^^}=${trees[0]%/}")
  else
    echo "skipped: $name, which apt-get cannot bring ($(grep -m 1 '^E:' "$apt/$source.log")); the system's is used"
  fi
done
((${#options[@]})) || skip "apt-get cannot bring any source"

# Debian leaves out what zlib has for Windows; its CMake file names it on every system.
for zlib in "$folder"/zlib-*/; do
  if [[ -d $zlib ]]; then mkdir -p "$zlib/win32" && touch "$zlib/win32/zlib1.rc"; fi
done

rm -rf "$build"
if command -v ccache > /dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
# Without optimisation: it is the libraries that are tried. Debian has benchmark's version from its packaging: GIT_VERSION.
cmake -S . -B "$build" -G Ninja -Wno-dev -Wno-deprecated -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DMX2ONNX_TESTS=ON -DMX2ONNX_BENCHMARKS=ON \
  -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DGIT_VERSION=0.0.0 "${options[@]}" > "$build.log"
cmake --build "$build" >> "$build.log" || { tail -n 40 "$build.log" >&2; exit 1; }
ctest --test-dir "$build" --output-on-failure --parallel "$(nproc)" --quiet

# What is installed finds its fmt where it was installed, and nothing of the other libraries came along.
prefix=$(realpath "$build")/prefix
cmake --install "$build" --prefix "$prefix" > /dev/null
[[ ! -e $prefix/include/protozero && ! -e $prefix/include/gtest && ! -e $prefix/include/benchmark && ! -e $prefix/include/CLI ]]
cmake -S examples/find_package -B "$build/example" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" > /dev/null
cmake --build "$build/example" > /dev/null
"$build/example/convert_model" tests/models/digits_cnn-symbol.json tests/models/digits_cnn-0000.params "$build/out.onnx" data:N,1,8,8 > /dev/null
grep -q "^fmt_DIR:PATH=$prefix" "$build/example/CMakeCache.txt"
"$build/mx2onnx" convert tests/models/digits_cnn-symbol.json tests/models/digits_cnn-0000.params -o "$build/tool.onnx" --input data:N,1,8,8 --quiet
cmp "$build/out.onnx" "$build/tool.onnx"
echo "built with downloaded libraries: passed"
