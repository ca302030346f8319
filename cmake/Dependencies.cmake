# Third-party libraries. Each is taken from the system if CMake finds it there, and otherwise downloaded
# at a pinned version (FetchContent; a machine without network can point FETCHCONTENT_SOURCE_DIR_<NAME> at
# a copy). GoogleTest and Google Benchmark are for tests and benchmarks only.
include(FetchContent)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR}/find)

FetchContent_Declare(fmt
  URL https://github.com/fmtlib/fmt/archive/10.1.1.tar.gz
  URL_HASH SHA256=78b8c0a72b1c35e4443a7e308df52498252d1cefc2b08c9a97bc9ee6cfe61f8b
  FIND_PACKAGE_ARGS 9 GLOBAL)
FetchContent_Declare(nlohmann_json
  URL https://github.com/nlohmann/json/archive/v3.11.2.tar.gz
  URL_HASH SHA256=d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273
  FIND_PACKAGE_ARGS 3.10)
FetchContent_Declare(protozero
  URL https://github.com/mapbox/protozero/archive/refs/tags/v1.8.2.tar.gz
  URL_HASH SHA256=68d1df951b4d8397355c8fc9ffed40d9c06282a877fe847403feac6edcee3ef1
  SOURCE_SUBDIR include # headers alone
  FIND_PACKAGE_ARGS 1.7)
FetchContent_Declare(xxhash
  URL https://github.com/Cyan4973/xxHash/archive/v0.8.1.tar.gz
  URL_HASH SHA256=3bb6b7d6f30c591dd65aaaff1c8b7a5b94d81687998ca9400082c739a690436c
  SOURCE_SUBDIR tests # headers alone
  FIND_PACKAGE_ARGS 0.8)
FetchContent_Declare(ZLIB
  URL https://github.com/madler/zlib/archive/refs/tags/v1.3.1.tar.gz
  URL_HASH SHA256=17e88863f3600672ab49182f217281b6fc4d3c762bde361935e436a95214d05c
  FIND_PACKAGE_ARGS 1.2.9 GLOBAL)
FetchContent_Declare(CLI11
  URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.5.0.tar.gz
  URL_HASH SHA256=17e02b4cddc2fa348e5dbdbb582c59a3486fa2b2433e70a0c3bacb871334fd55
  FIND_PACKAGE_ARGS 2.1)
FetchContent_Declare(GTest
  URL https://github.com/google/googletest/archive/release-1.12.1.tar.gz
  URL_HASH SHA256=81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2
  FIND_PACKAGE_ARGS 1.12)
FetchContent_Declare(benchmark
  URL https://github.com/google/benchmark/archive/v1.7.1.tar.gz
  URL_HASH SHA256=6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7
  FIND_PACKAGE_ARGS 1.7)

# Their options as variables of this folder, also where they ask for an older CMake.
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
set(JSON_BuildTests OFF)
set(CLI11_BUILD_TESTS OFF)
set(CLI11_BUILD_EXAMPLES OFF)
set(BENCHMARK_ENABLE_TESTING OFF)
set(BENCHMARK_ENABLE_INSTALL OFF)
set(INSTALL_GTEST OFF)
set(ZLIB_BUILD_EXAMPLES OFF)
# What links our static library needs fmt and zlib beside it.
if(MX2ONNX_INSTALL AND NOT BUILD_SHARED_LIBS)
  set(FMT_INSTALL ON)
  set(SKIP_INSTALL_ALL OFF)
else()
  set(FMT_INSTALL OFF)
  set(SKIP_INSTALL_ALL ON) # zlib's
endif()

# What the library itself needs. A downloaded fmt is linked into it, whatever it becomes.
function(mx2onnx_find_libraries)
  set(BUILD_SHARED_LIBS OFF)
  if(NOT TARGET fmt::fmt)
    FetchContent_MakeAvailable(fmt)
  endif()
  if(NOT TARGET nlohmann_json::nlohmann_json)
    FetchContent_MakeAvailable(nlohmann_json)
  endif()
  if(NOT TARGET ZLIB::ZLIB AND NOT EMSCRIPTEN)
    FetchContent_MakeAvailable(ZLIB)
  endif()
  # Of protozero and xxHash the headers are used; a downloaded copy has no target of the name we use.
  FetchContent_MakeAvailable(protozero xxhash)
  if(NOT TARGET protozero::protozero)
    add_library(protozero::protozero INTERFACE IMPORTED)
    target_include_directories(protozero::protozero INTERFACE ${protozero_SOURCE_DIR}/include)
  endif()
  if(NOT TARGET xxhash::headers)
    add_library(xxhash::headers INTERFACE IMPORTED)
    target_include_directories(xxhash::headers INTERFACE ${xxhash_SOURCE_DIR})
  endif()
endfunction()
mx2onnx_find_libraries()

# fmt is compiled once where it is a library of its own. Where the system has it as a shared library alone and the
# result must stand by itself, its code goes into each file that uses it.
get_target_property(_fmt_type fmt::fmt TYPE)
if(MX2ONNX_SELF_CONTAINED AND _fmt_type STREQUAL SHARED_LIBRARY)
  set(MX2ONNX_FMT fmt::fmt-header-only)
else()
  set(MX2ONNX_FMT fmt::fmt)
endif()

# zlib. Emscripten has a port of it. Of a system's two forms programs take the static one where there is one, so that
# nothing more is loaded at their start; it is seldom made for shared libraries, and those (the Python extension: libz.so.1 is
# one of the libraries that wheels may expect) take the other. A downloaded copy is static and fit for both. What links the
# installed static library finds zlib itself (mx2onnxConfig.cmake).
add_library(mx2onnx_zlib INTERFACE)
set(MX2ONNX_ZLIB $<BUILD_INTERFACE:mx2onnx_zlib> $<INSTALL_INTERFACE:ZLIB::ZLIB>)
if(EMSCRIPTEN)
  target_compile_options(mx2onnx_zlib INTERFACE -sUSE_ZLIB=1)
  target_link_options(mx2onnx_zlib INTERFACE -sUSE_ZLIB=1)
elseif(TARGET ZLIB::ZLIB)
  find_library(MX2ONNX_STATIC_ZLIB libz.a)
  mark_as_advanced(MX2ONNX_STATIC_ZLIB)
  set(_linked ZLIB::ZLIB)
  if(MX2ONNX_STATIC_ZLIB)
    set(_linked $<IF:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>,${MX2ONNX_STATIC_ZLIB},ZLIB::ZLIB>)
  endif()
  target_include_directories(mx2onnx_zlib SYSTEM INTERFACE $<TARGET_PROPERTY:ZLIB::ZLIB,INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(mx2onnx_zlib INTERFACE ${_linked})
else()
  # The configured header is in the build folder.
  target_link_libraries(mx2onnx_zlib INTERFACE zlibstatic)
  target_include_directories(mx2onnx_zlib SYSTEM INTERFACE ${zlib_SOURCE_DIR} ${zlib_BINARY_DIR})
endif()
