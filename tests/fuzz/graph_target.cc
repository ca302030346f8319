#include "tests/fuzz/graph_target.h"

#include <fmt/format.h>

#include <span>

#include "base/byte_sink.h"
#include "base/hash.h"
#include "convert/conversion.h"
#include "mx2onnx/convert.h"
#include "onnx/reader.h"
#include "onnx/writer.h"
#include "tests/fuzz/fuzz_file.h"

namespace mx2onnx::fuzz {

HowToConvert HowToConvert::of(const std::uint8_t* data, std::size_t size) {
  const auto hash = content_hash(std::as_bytes(std::span(data, size))).first;
  constexpr int kOpsets = kLastOpset - kFirstOpset + 1;
  return {kFirstOpset + static_cast<int>(hash % kOpsets), (hash >> 32) % 4 != 0,
          (hash >> 40) % 2 == 0};
}

std::string HowToConvert::arguments() const {
  return fmt::format("--random-weights --opset {}{}{}", opset, optimize ? "" : " --no-optimize",
                     fixed_sizes ? " --fixed" : "");
}

void graph(const std::uint8_t* data, std::size_t size,
           const std::function<void(const std::string&, const HowToConvert&)>& check) {
  const auto how = HowToConvert::of(data, size);
  std::string bytes;
  with_file(data, size, [&](const std::string& path) {
    ConvertOptions options;
    options.opset = how.opset;
    options.optimize = how.optimize;
    options.fixed_sizes = how.fixed_sizes;
    options.random_weights = true;
    Source source{.symbol_path = path};
    source.unpack_limit = kMostBytesRead;
    const Conversion conversion = convert_graph(source, options);
    const onnx::ModelWriter writer(conversion.graph, conversion.info);
    if (writer.message_size() > kMostBytesRead) return;
    MemorySink sink;
    writer.write(sink);
    bytes = sink.take();
  });
  if (bytes.empty()) return;
  onnx::read_model(std::as_bytes(std::span(bytes)));
  check(bytes, how);
}

}  // namespace mx2onnx::fuzz
