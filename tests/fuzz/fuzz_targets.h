// What the fuzzers do with bytes. Header-only, so that the same functions run as ordinary tests
// over the corpora, without libFuzzer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "convert/conversion.h"
#include "mx2onnx/convert.h"
#include "mx2onnx/lint.h"
#include "mxnet/json_upgrade.h"
#include "mxnet/param_files.h"
#include "mxnet/symbol_json.h"
#include "ops/record/registry.h"
#include "source/find_model.h"
#include "tests/fuzz/draw.h"
#include "tests/fuzz/fuzz_file.h"

namespace mx2onnx::fuzz {

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

inline void read_arrays(const FilePart& file, Unpacker& unpacker) {
  for (const auto& array : mxnet::read_param_file(file, unpacker)) {
    if (array.tensor.data != nullptr && array.tensor.size_bytes() <= kMostBytesRead)
      read_doubles(array.tensor);
  }
}

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
  // Reads the model, and what follows of it for each of the runtimes.
  tolerate_errors([&] { to_json(lint_model(std::as_bytes(std::span(data, size)), "model", {})); });
}

inline void attrs_of(const OpDef& def, const mxnet::Attributes& attributes, int opset) {
  // A number of inputs may be any; what takes more than the budget fails, as in a conversion.
  const BudgetScope budget(kMostBytesRead, kMostBytesRead);
  std::vector<AttrProblem> problems;
  const auto parsed = def.attrs.parse(attributes, problems);
  if (!problems.empty()) return;
  tolerate_errors([&] {
    const auto inputs = def.inputs(parsed.get());
    def.outputs(parsed.get(), inputs.size());
    def.problems_at(parsed.get(), {opset, false});
  });
}

inline std::vector<const OpDef*> all_records() {
  std::vector<const OpDef*> records;
  for (const auto& def : Registry::instance().ops()) {
    records.push_back(&def);
    for (const auto& variant : def.variants) records.push_back(variant.get());
  }
  return records;
}

/// Two bytes for the operator, one each for the opset, for the values of attributes and for the one
/// among them that has the text behind these bytes.
inline void attrs(const std::uint8_t* data, std::size_t size) {
  static const auto records = all_records();
  constexpr std::size_t kHead = 5;
  if (size < kHead) return;
  const OpDef& def = *records[(data[0] + 256U * data[1]) % records.size()];
  const auto& fields = def.attrs.fields();
  Draw draw(data[3]);
  mxnet::Attributes attributes;
  for (const auto& field : fields) {
    if (field.required || draw.once_in(2)) attributes[field.name] = draw.value(field);
  }
  if (!fields.empty())
    attributes[fields[data[4] % fields.size()].name] = text_of(data + kHead, size - kHead);
  attrs_of(def, attributes, kFirstOpset + data[2] % (kLastOpset - kFirstOpset + 1));
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
