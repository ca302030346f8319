#include "onnx/writer.h"

#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
#include <set>

#include "base/error.h"
#include "onnx/schema.h"

namespace mx2onnx::onnx {
namespace {

using protozero::pbf_tag_type;
using protozero::pbf_writer;

// Field numbers of onnx.proto.
namespace model_field {
constexpr pbf_tag_type kIrVersion = 1, kProducerName = 2, kProducerVersion = 3, kGraph = 7,
                       kOpsetImport = 8, kMetadata = 14;
}
namespace graph_field {
constexpr pbf_tag_type kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12,
                       kValueInfo = 13;
}
namespace node_field {
constexpr pbf_tag_type kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5, kDomain = 7;
}
namespace attr_field {
constexpr pbf_tag_type kName = 1, kFloat = 2, kInt = 3, kString = 4, kTensor = 5, kGraph = 6,
                       kFloats = 7, kInts = 8, kStrings = 9, kType = 20;
// AttributeProto.AttributeType, in the order of AttrValue.
constexpr std::int32_t kTypes[] = {2, 1, 3, 7, 6, 8, 4, 5};
}  // namespace attr_field
namespace tensor_field {
constexpr pbf_tag_type kDims = 1, kDataType = 2, kName = 8, kRawData = 9, kExternalData = 13,
                       kDataLocation = 14;
}

constexpr std::size_t kSmallestExternal = 1024;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kCacheLine = 64;

std::string entry_message(const std::string& key, const std::string& value) {
  std::string buffer;
  pbf_writer writer(buffer);
  writer.add_string(1, key);
  writer.add_string(2, value);
  return buffer;
}

std::string value_info_message(const ValueInfo& info) {
  std::string shape;
  pbf_writer shape_writer(shape);
  for (const Dim& dim : info.type.shape.dims()) {
    std::string dimension;
    pbf_writer writer(dimension);
    if (dim.is_constant()) {
      writer.add_int64(1, dim.value());
    } else if (dim.known()) {
      writer.add_string(2, dim.to_string());
    }
    shape_writer.add_message(1, dimension);
  }
  std::string tensor;
  pbf_writer tensor_writer(tensor);
  tensor_writer.add_int32(1, static_cast<std::int32_t>(onnx_type_code(info.type.dtype)));
  if (info.type.shape.known_rank()) tensor_writer.add_message(2, shape);
  std::string type;
  pbf_writer(type).add_message(1, tensor);
  std::string buffer;
  pbf_writer writer(buffer);
  writer.add_string(1, info.name);
  writer.add_message(2, type);
  return buffer;
}

// All of a TensorProto but its bytes.
std::string tensor_header(const std::string& name, const Tensor& tensor) {
  std::string buffer;
  pbf_writer writer(buffer);
  for (const auto dim : tensor.dims) writer.add_int64(tensor_field::kDims, dim);
  writer.add_int32(tensor_field::kDataType,
                   static_cast<std::int32_t>(onnx_type_code(tensor.dtype)));
  if (!name.empty()) writer.add_string(tensor_field::kName, name);
  return buffer;
}

std::string small_tensor_message(const Tensor& tensor) {
  std::string buffer = tensor_header("", tensor);
  const TensorBytes raw(tensor);
  pbf_writer(buffer).add_bytes(tensor_field::kRawData,
                               reinterpret_cast<const char*>(raw.bytes().data()),
                               raw.bytes().size());
  return buffer;
}

// Tag and length of a field whose bytes follow.
std::string field_prefix(pbf_tag_type field, std::uint64_t length) {
  std::string buffer;
  protozero::write_varint(std::back_inserter(buffer), (std::uint64_t{field} << 3) | 2U);
  protozero::write_varint(std::back_inserter(buffer), length);
  return buffer;
}

// Turns "so many bytes of weights were written" into the caller's progress, which ends with the
// total: all that is not weights.
std::function<void(std::uint64_t)> counter(const WriteProgress& progress, std::uint64_t total,
                                           std::uint64_t before = 0) {
  if (!progress) return [](std::uint64_t) {};
  return [progress, total, done = before](std::uint64_t bytes) mutable {
    done += bytes;
    if (done < total) progress(done, total);
  };
}

}  // namespace

ModelWriter::ModelWriter(const Graph& graph, const ModelInfo& info) : graph_(graph), info_(info) {
  collect_initializers();
  pbf_writer writer(nodes_);
  for (const auto& node : graph_.main.nodes)
    writer.add_message(graph_field::kNode, node_message(node));
  writer.add_string(graph_field::kName, graph_.name);
  describe_values();
}

std::uint64_t ModelWriter::Initializer::message_size() const {
  if (is_external) return header.size();
  const std::uint64_t size = tensor->size_bytes();
  return header.size() + field_prefix(tensor_field::kRawData, size).size() + size;
}

std::uint64_t ModelWriter::message_size() const {
  const std::uint64_t graph = graph_size();
  return prologue().size() + field_prefix(model_field::kGraph, graph).size() + graph +
         epilogue().size();
}

void ModelWriter::write(ByteSink& sink, const WriteProgress& progress) const {
  const std::uint64_t size = message_size();
  if (size > kMostMessageBytes) {
    fail(ErrorCode::kUnsupported,
         fmt::format("the model takes {} bytes, more than the {} of one protobuf message", size,
                     kMostMessageBytes),
         "write it to a file, with external data");
  }
  const std::uint64_t total = data_size_ + size;
  write_message(sink, counter(progress, total, data_size_));
  if (progress) progress(total, total);
}

void ModelWriter::Initializer::refer_to(const std::string& file, std::uint64_t offset) {
  if (!is_external) own_header = header.size();
  is_external = true;
  external_offset = offset;
  header.resize(own_header);
  pbf_writer writer(header);
  writer.add_message(tensor_field::kExternalData, entry_message("location", file));
  writer.add_message(tensor_field::kExternalData, entry_message("offset", std::to_string(offset)));
  writer.add_message(tensor_field::kExternalData,
                     entry_message("length", std::to_string(tensor->size_bytes())));
  writer.add_int32(tensor_field::kDataLocation, 1);
}

std::vector<const Tensor*> ModelWriter::large_weights() const {
  std::vector<const Tensor*> large;
  for (const auto& item : initializers_) {
    if (item.tensor->size_bytes() >= kSmallestExternal) large.push_back(item.tensor);
  }
  return large;
}

std::uint64_t ModelWriter::use_weights_in_place(
    const std::map<const MappedFile*, std::string>& names) {
  std::uint64_t elsewhere = 0;
  for (auto& item : initializers_) {
    if (item.tensor->size_bytes() < kSmallestExternal) continue;
    const auto place = item.tensor->data->place();
    const auto name = place ? names.find(place->file) : names.end();
    if (name == names.end()) {
      elsewhere += item.tensor->size_bytes();
      continue;
    }
    item.is_in_place = true;
    item.refer_to(name->second, place->offset);
  }
  return elsewhere;
}

void ModelWriter::use_data_file(const std::string& name) {
  data_size_ = 0;
  for (auto& item : initializers_) {
    const std::uint64_t size = item.tensor->size_bytes();
    if (size < kSmallestExternal || item.is_in_place) continue;
    const std::uint64_t alignment = size >= kPage ? kPage : kCacheLine;
    item.refer_to(name, (data_size_ + alignment - 1) / alignment * alignment);
    data_size_ = item.external_offset + size;
  }
  if (message_size() > kMostMessageBytes) {
    fail(ErrorCode::kUnsupported,
         "the graph alone, without weights, passes protobuf's limit of 2 GB");
  }
}

void ModelWriter::write_data(ByteSink& data, const WriteProgress& progress) const {
  const auto wrote = counter(progress, data_size_ + message_size());
  static const std::string zeros(kPage, '\0');
  std::uint64_t position = 0;
  for (const auto& item : initializers_) {
    if (!item.is_external || item.is_in_place) continue;
    data.append_text(std::string_view(zeros).substr(0, item.external_offset - position));
    item.tensor->data->write_to(data);
    position = item.external_offset + item.tensor->size_bytes();
    wrote(item.tensor->size_bytes());
  }
}

void ModelWriter::write_message(ByteSink& sink,
                                const std::function<void(std::uint64_t)>& wrote) const {
  sink.append_text(prologue());
  sink.append_text(field_prefix(model_field::kGraph, graph_size()));
  sink.append_text(nodes_);
  for (const auto& item : initializers_) {
    sink.append_text(field_prefix(graph_field::kInitializer, item.message_size()));
    sink.append_text(item.header);
    if (item.is_external) continue;
    sink.append_text(field_prefix(tensor_field::kRawData, item.tensor->size_bytes()));
    item.tensor->data->write_to(sink);
    wrote(item.tensor->size_bytes());
  }
  sink.append_text(values_);
  sink.append_text(epilogue());
}

// The constants that something uses, in the order in which they were made.
void ModelWriter::collect_initializers() {
  std::vector<char> used(graph_.num_values(), 0);
  for_each_node(graph_.main, [&](const Node& node) {
    for (const Value input : node.inputs) {
      if (input.present()) used[input.id] = 1;
    }
  });
  for (const Value output : graph_.main.outputs) used[output.id] = 1;
  for (std::uint32_t id = 0; id < used.size(); ++id) {
    const Tensor* tensor = graph_.constant({id});
    if (used[id] == 0 || tensor == nullptr) continue;
    initializers_.push_back({tensor, tensor_header(graph_.name_of({id}), *tensor)});
  }
}

void ModelWriter::describe_values() {
  pbf_writer writer(values_);
  std::vector<char> is_output(graph_.num_values(), 0);
  for (const Value input : graph_.main.inputs) {
    writer.add_message(graph_field::kInput, value_info_message(graph_.info(input)));
  }
  for (const Value output : graph_.main.outputs) {
    writer.add_message(graph_field::kOutput, value_info_message(graph_.info(output)));
    is_output[output.id] = 1;
  }
  for (const auto& node : graph_.main.nodes) {
    for (const Value output : node.outputs) {
      if (!output.present() || is_output[output.id] != 0) continue;
      if (!graph_.type(output).known()) continue;
      writer.add_message(graph_field::kValueInfo, value_info_message(graph_.info(output)));
    }
  }
}

std::string ModelWriter::node_message(const Node& node) const {
  std::string buffer;
  pbf_writer writer(buffer);
  const auto name = [&](Value value) {
    return value.present() ? graph_.name_of(value) : std::string();
  };
  for (const Value input : node.inputs) writer.add_string(node_field::kInput, name(input));
  for (const Value output : node.outputs) writer.add_string(node_field::kOutput, name(output));
  writer.add_string(node_field::kName, node.name);
  writer.add_string(node_field::kOpType, node.op_type);
  for (const auto& attr : node.attrs)
    writer.add_message(node_field::kAttribute, attr_message(attr));
  if (!node.domain.empty()) writer.add_string(node_field::kDomain, node.domain);
  return buffer;
}

std::string ModelWriter::attr_message(const Attribute& attr) const {
  std::string buffer;
  pbf_writer writer(buffer);
  writer.add_string(attr_field::kName, attr.name);
  if (const auto* number = std::get_if<float>(&attr.value)) {
    writer.add_float(attr_field::kFloat, *number);
  } else if (const auto* integer = std::get_if<std::int64_t>(&attr.value)) {
    writer.add_int64(attr_field::kInt, *integer);
  } else if (const auto* text = std::get_if<std::string>(&attr.value)) {
    writer.add_bytes(attr_field::kString, *text);
  } else if (const auto* tensor = std::get_if<Tensor>(&attr.value)) {
    writer.add_message(attr_field::kTensor, small_tensor_message(*tensor));
  } else if (const auto* body = std::get_if<std::shared_ptr<Body>>(&attr.value)) {
    writer.add_message(attr_field::kGraph, body_message(**body, attr.name));
  } else if (const auto* numbers = std::get_if<std::vector<float>>(&attr.value)) {
    for (const float value : *numbers) writer.add_float(attr_field::kFloats, value);
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&attr.value)) {
    for (const auto value : *integers) writer.add_int64(attr_field::kInts, value);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&attr.value)) {
    for (const auto& value : *texts) writer.add_bytes(attr_field::kStrings, value);
  }
  writer.add_enum(attr_field::kType, attr_field::kTypes[attr.value.index()]);
  return buffer;
}

std::string ModelWriter::body_message(const Body& body, const std::string& name) const {
  std::string buffer;
  pbf_writer writer(buffer);
  for (const auto& node : body.nodes) writer.add_message(graph_field::kNode, node_message(node));
  writer.add_string(graph_field::kName, name);
  for (const Value input : body.inputs) {
    writer.add_message(graph_field::kInput, value_info_message(graph_.info(input)));
  }
  for (const Value output : body.outputs) {
    writer.add_message(graph_field::kOutput, value_info_message(graph_.info(output)));
  }
  return buffer;
}

std::uint64_t ModelWriter::graph_size() const {
  std::uint64_t size = nodes_.size() + values_.size();
  for (const auto& item : initializers_) {
    const std::uint64_t message = item.message_size();
    size += field_prefix(graph_field::kInitializer, message).size() + message;
  }
  return size;
}

std::string ModelWriter::prologue() const {
  std::string buffer;
  pbf_writer writer(buffer);
  writer.add_int64(model_field::kIrVersion, ir_version(info_.opset));
  writer.add_string(model_field::kProducerName, "mx2onnx");
  writer.add_string(model_field::kProducerVersion, info_.producer_version);
  return buffer;
}

std::string ModelWriter::epilogue() const {
  std::string buffer;
  pbf_writer writer(buffer);
  const auto import = [&](const std::string& domain, std::int64_t version) {
    std::string opset;
    pbf_writer opset_writer(opset);
    opset_writer.add_string(1, domain);
    opset_writer.add_int64(2, version);
    writer.add_message(model_field::kOpsetImport, opset);
  };
  import("", info_.opset);
  std::set<std::string> domains;
  for_each_node(graph_.main, [&](const Node& node) { domains.insert(node.domain); });
  domains.erase("");
  for (const auto& domain : domains) import(domain, 1);
  for (const auto& [key, value] : info_.metadata) {
    writer.add_message(model_field::kMetadata, entry_message(key, value));
  }
  return buffer;
}

}  // namespace mx2onnx::onnx
