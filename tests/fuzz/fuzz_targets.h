// What the fuzzers do with bytes. Header-only, so that the same functions run as ordinary tests
// over the corpora, without libFuzzer.
#pragma once

#include <unistd.h>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "convert/conversion.h"
#include "mx2onnx/convert.h"
#include "mxnet/json_upgrade.h"
#include "mxnet/param_files.h"
#include "mxnet/symbol_json.h"
#include "onnx/reader.h"
#include "ops/record/registry.h"
#include "source/find_model.h"

namespace mx2onnx::fuzz {

// Arrays beyond this are not read: a few bytes may describe gigabytes of zeros.
constexpr std::size_t kMostBytesRead = 1 << 20;

/// Runs a function in which an Error is as good as success.
template <typename Function>
void tolerate_errors(const Function& function) {
  try {
    function();
  } catch (const Error&) {
  }
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void symbol(const std::uint8_t* data, std::size_t size) {
  tolerate_errors([&] {
    auto symbol = mxnet::parse_symbol(text_of(data, size));
    const OperatorsOf operators(origin_of(symbol));
    mxnet::upgrade_symbol(std::move(symbol), operators);
  });
}

// Calls the function with the path of a file of these bytes.
template <typename Function>
void with_file(const std::uint8_t* data, std::size_t size, const Function& function) {
  const std::string path = "/tmp/mx2onnx_fuzz_" + std::to_string(::getpid());
  {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    std::fwrite(data, 1, size, file);
    std::fclose(file);
  }
  tolerate_errors([&] { function(path); });
  std::remove(path.c_str());
}

inline void read_arrays(const FilePart& file, Unpacker& unpacker) {
  for (const auto& array : mxnet::read_param_file(file, unpacker)) {
    if (array.tensor.data != nullptr && array.tensor.size_bytes() <= kMostBytesRead)
      read_doubles(array.tensor);
  }
}

// A small limit: the fuzzer would spend its time on writing zeros.
inline UnpackLimits fuzz_limits() { return {kMostBytesRead}; }

inline void params(const std::uint8_t* data, std::size_t size) {
  with_file(data, size, [](const std::string& path) {
    Unpacker unpacker(fuzz_limits());
    read_arrays(MappedFile::open(path), unpacker);
  });
}

inline void archive(const std::uint8_t* data, std::size_t size) {
  with_file(data, size, [](const std::string& path) {
    Unpacker unpacker(fuzz_limits());
    const auto found = source::find_model({.symbol_path = path}, unpacker);
    mxnet::parse_symbol(found.symbol_text);
    for (const auto& file : found.params) read_arrays(file, unpacker);
  });
}

inline void onnx_file(const std::uint8_t* data, std::size_t size) {
  tolerate_errors([&] { onnx::read_model(std::as_bytes(std::span(data, size))); });
}

inline void attrs(const std::uint8_t* data, std::size_t size) {
  // A number of inputs may be any; what takes more than the budget fails, as in a conversion.
  const BudgetScope budget(kMostBytesRead, size);
  const std::string text = text_of(data, size);
  for (const auto& def : Registry::instance().ops()) {
    mxnet::Attributes attributes;
    for (const auto& field : def.attrs.fields()) attributes[field.name] = text;
    std::vector<AttrProblem> problems;
    const auto parsed = def.attrs.parse(attributes, problems);
    if (!problems.empty()) continue;
    tolerate_errors([&] {
      def.inputs(parsed.get());
      if (def.check) def.check(parsed.get(), {kDefaultOpset, false});
    });
  }
}

/// A letter for the opset, then a line of inputs ("data:1,3,8,8 label:N"), then the symbol.
inline void pipeline(const std::uint8_t* data, std::size_t size) {
  const std::string text = text_of(data, size);
  const auto line_end = text.find('\n');
  if (text.empty() || line_end == std::string::npos) return;
  tolerate_errors([&] {
    ConvertOptions options;
    const int span = kLastOpset - kFirstOpset + 1;
    options.opset = kFirstOpset + static_cast<unsigned char>(text[0]) % span;
    options.random_weights = true;
    for (const auto part : split(std::string_view(text).substr(1, line_end - 1), ' ')) {
      if (!part.empty()) options.inputs.push_back(parse_input(part));
    }
    Source source{.symbol_path = "fuzz", .symbol_json = text.substr(line_end + 1)};
    source.unpack_limit = kMostBytesRead;
    const Conversion conversion = convert_graph(source, options);
    const onnx::ModelWriter writer(conversion.graph, conversion.info);
    MemorySink sink;
    if (writer.message_size() <= kMostBytesRead) writer.write(sink);
  });
}

}  // namespace mx2onnx::fuzz
