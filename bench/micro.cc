// Micro-benchmarks: what one node costs in each part of a conversion. To be read as ratios between
// lines of one run.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "ir/dim.h"
#include "mx2onnx/convert.h"
#include "mxnet/symbol_json.h"

namespace {

// A chain of activations.
std::string chain(std::int64_t length) {
  std::string nodes = R"({"op": "null", "name": "data", "inputs": []})";
  for (std::int64_t i = 0; i < length; ++i) {
    nodes += fmt::format(
        R"(, {{"op": "Activation", "name": "act{}", "attrs": {{"act_type": "relu"}}, "inputs": [[{}, 0, 0]]}})",
        i, i);
  }
  return fmt::format(
      R"({{"nodes": [{}], "heads": [[{}, 0, 0]], "attrs": {{"mxnet_version": ["int", 10901]}}}})",
      nodes, length);
}

void parse_symbol(benchmark::State& state) {
  const std::string text = chain(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(mx2onnx::mxnet::parse_symbol(text));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(parse_symbol)->Range(1 << 10, 1 << 15)->Complexity(benchmark::oN);

void convert_chain(benchmark::State& state) {
  mx2onnx::ConvertOptions options;
  options.inputs = {mx2onnx::parse_input("data:N,8")};
  const mx2onnx::Source source{"chain", chain(state.range(0)), {}, {}};
  for (auto _ : state) benchmark::DoNotOptimize(mx2onnx::convert_to_memory(source, options));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(convert_chain)->Range(1 << 10, 1 << 15)->Complexity(benchmark::oN);

void dim_of_pooled_size(benchmark::State& state) {
  for (auto _ : state) {
    mx2onnx::DimArena arena;
    mx2onnx::Dim size = arena.symbol("height");
    for (int i = 0; i < 5; ++i) size = floor_div(size + 2 - 3, 2) + 1;
    benchmark::DoNotOptimize(size);
  }
}
BENCHMARK(dim_of_pooled_size);

}  // namespace
