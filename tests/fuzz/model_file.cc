#include "tests/fuzz/model_file.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/unpack.h"
#include "mxnet/symbol_json.h"
#include "source/find_model.h"
#include "tests/fuzz/fuzz_file.h"

namespace mx2onnx::fuzz {
namespace {

JsonValue number(std::int64_t value) { return {value}; }

JsonValue entry_json(const mxnet::NodeEntry& entry) {
  return {JsonArray{number(entry.node), number(entry.index), number(0)}};
}

JsonValue symbol_json(const mxnet::Symbol& symbol);

JsonValue node_json(const mxnet::Node& node) {
  JsonArray inputs;
  for (const auto& input : node.inputs) inputs.push_back(entry_json(input));
  JsonObject attrs;
  for (const auto& [key, value] : node.attrs) attrs.emplace_back(key, JsonValue{value});
  JsonObject object{{"op", {node.is_variable() ? std::string("null") : node.op}},
                    {"name", {node.name}},
                    {"attrs", {std::move(attrs)}},
                    {"inputs", {std::move(inputs)}}};
  if (!node.subgraphs.empty()) {
    JsonArray bodies;
    for (const auto& body : node.subgraphs) bodies.push_back(symbol_json(*body));
    object.emplace_back("subgraphs", JsonValue{std::move(bodies)});
  }
  return {std::move(object)};
}

JsonValue symbol_json(const mxnet::Symbol& symbol) {
  JsonArray nodes;
  JsonArray variables;
  JsonArray heads;
  for (std::size_t i = 0; i < symbol.nodes.size(); ++i) {
    nodes.push_back(node_json(symbol.nodes[i]));
    if (symbol.nodes[i].is_variable()) variables.push_back(number(static_cast<std::int64_t>(i)));
  }
  for (const auto& head : symbol.heads) heads.push_back(entry_json(head));
  JsonObject about;
  const auto say = [&](const char* key, std::int64_t value) {
    about.emplace_back(key, JsonValue{JsonArray{{std::string("int")}, number(value)}});
  };
  if (symbol.says_version) say("mxnet_version", symbol.mxnet_version);
  if (symbol.np_shape) say("is_np_shape", 1);
  return {JsonObject{{"nodes", {std::move(nodes)}},
                     {"arg_nodes", {std::move(variables)}},
                     {"heads", {std::move(heads)}},
                     {"attrs", {std::move(about)}}}};
}

template <typename T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// The list of `mx.nd.save`, with the records of 1.x, or those of NumPy's shapes where a shape is
// empty.
std::string list_file(const std::vector<mxnet::StoredArray>& arrays) {
  std::string bytes;
  append<std::uint64_t>(bytes, 0x112);
  append<std::uint64_t>(bytes, 0);
  append<std::uint64_t>(bytes, arrays.size());
  for (const auto& array : arrays) {
    const Tensor& tensor = array.tensor;
    const bool is_np = tensor.dims.empty() || tensor.count() == 0;
    append<std::uint32_t>(bytes, is_np ? 0xF993faca : 0xF993fac9);
    append<std::int32_t>(bytes, 0);
    append<std::int32_t>(bytes, static_cast<std::int32_t>(tensor.dims.size()));
    for (const auto dim : tensor.dims) append<std::int64_t>(bytes, dim);
    append<std::int32_t>(bytes, 1);
    append<std::int32_t>(bytes, 0);
    append<std::int32_t>(bytes, static_cast<std::int32_t>(tensor.dtype));
    const TensorBytes content(tensor);
    bytes.append(reinterpret_cast<const char*>(content.bytes().data()), content.bytes().size());
  }
  append<std::uint64_t>(bytes, arrays.size());
  for (const auto& array : arrays) {
    append<std::uint64_t>(bytes, array.name.size());
    bytes += array.name;
  }
  return bytes;
}

constexpr std::size_t kBlock = 512;

void append_member(std::string& archive, const std::string& name, const std::string& content) {
  std::string header(kBlock, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content.size()));
  put(136, "00000000000");
  put(148, "        0");
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + '\0');
  archive += header + content;
  archive.append((kBlock - content.size() % kBlock) % kBlock, '\0');
}

}  // namespace

std::optional<FuzzModel> read_fuzz_model(std::span<const std::uint8_t> bytes) {
  std::optional<FuzzModel> model;
  with_file(bytes.data(), bytes.size(), [&](const std::string& path) {
    Unpacker unpacker(fuzz_limits());
    const auto found = source::find_model({.symbol_path = path}, unpacker);
    FuzzModel read{mxnet::parse_symbol(found.symbol_text.view()), {}};
    for (const auto& file : found.params) {
      for (auto& array : mxnet::read_param_file(file, unpacker)) {
        if (array.tensor.data != nullptr) read.params.push_back(std::move(array));
      }
    }
    model = std::move(read);
  });
  return model;
}

std::string write_fuzz_model(const FuzzModel& model) {
  std::string archive;
  append_member(archive, "m-symbol.json", json_text(symbol_json(model.symbol)));
  if (!model.params.empty()) append_member(archive, "m-0000.params", list_file(model.params));
  return archive.append(2 * kBlock, '\0');
}

}  // namespace mx2onnx::fuzz
