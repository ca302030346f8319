// See reader.h. protozero's functions throw at what runs out of the buffer; what is asked of a
// field is asked only if it has the wire type for it.
#include "onnx/reader.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "base/error.h"

namespace mx2onnx::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// A field's number and wire type as one, as protozero has them.
constexpr std::uint32_t text(std::uint32_t number) {
  return protozero::tag_and_type(number, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t varint(std::uint32_t number) {
  return protozero::tag_and_type(number, pbf_wire_type::varint);
}
constexpr std::uint32_t fixed32(std::uint32_t number) {
  return protozero::tag_and_type(number, pbf_wire_type::fixed32);
}

// More than any model has, and less than would take much memory.
constexpr std::size_t kMostEntries = 2'000'000;
constexpr int kMostNesting = 32;

std::string_view view_of(pbf_reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

class Reader {
 public:
  StoredModel read(pbf_reader reader) {
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case varint(1):
          model_.ir_version = reader.get_int64();
          break;
        case text(2):
          model_.producer = view_of(reader);
          break;
        case text(3):
          model_.producer_version = view_of(reader);
          break;
        case text(7):
          read_graph(reader.get_message(), model_, 0);
          break;
        case text(8):
          model_.opsets.push_back(read_opset(reader.get_message()));
          count();
          break;
        case text(14):
          model_.metadata.push_back(read_entry(reader.get_message()));
          count();
          break;
        default:
          reader.skip();
      }
    }
    return std::move(model_);
  }

 private:
  void count() {
    if (++entries_ > kMostEntries) {
      fail(ErrorCode::kFormat,
           fmt::format("expected at most {} nodes, values and weights, found more", kMostEntries));
    }
  }

  static std::pair<std::string_view, std::int64_t> read_opset(pbf_reader reader) {
    std::pair<std::string_view, std::int64_t> opset;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case text(1):
          opset.first = view_of(reader);
          break;
        case varint(2):
          opset.second = reader.get_int64();
          break;
        default:
          reader.skip();
      }
    }
    return opset;
  }

  static std::pair<std::string_view, std::string_view> read_entry(pbf_reader reader) {
    std::pair<std::string_view, std::string_view> entry;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case text(1):
          entry.first = view_of(reader);
          break;
        case text(2):
          entry.second = view_of(reader);
          break;
        default:
          reader.skip();
      }
    }
    return entry;
  }

  void read_graph(pbf_reader reader, StoredGraph& graph, int depth) {
    if (depth > kMostNesting)
      fail(ErrorCode::kFormat,
           fmt::format("graphs are nested deeper than {} levels", kMostNesting));
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case text(1):
          graph.nodes.push_back(read_node(reader.get_message(), depth));
          break;
        case text(5):
          graph.weights.push_back(read_weight(reader.get_message()));
          break;
        case text(11):
          graph.inputs.push_back(read_value(reader.get_message()));
          break;
        case text(12):
          graph.outputs.push_back(read_value(reader.get_message()));
          break;
        case text(13):
          graph.values.push_back(read_value(reader.get_message()));
          break;
        default:
          reader.skip();
          continue;
      }
      count();
    }
  }

  StoredNode read_node(pbf_reader reader, int depth) {
    StoredNode node;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case text(1):
          node.inputs.push_back(view_of(reader));
          break;
        case text(2):
          node.outputs.push_back(view_of(reader));
          break;
        case text(3):
          node.name = view_of(reader);
          continue;
        case text(4):
          node.op_type = view_of(reader);
          continue;
        case text(5):
          node.attributes.push_back(read_attribute(reader.get_message(), depth));
          break;
        case text(7):
          node.domain = view_of(reader);
          continue;
        default:
          reader.skip();
          continue;
      }
      count();
    }
    return node;
  }

  StoredAttribute read_attribute(pbf_reader reader, int depth) {
    StoredAttribute attribute;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case text(1):
          attribute.name = view_of(reader);
          break;
        case fixed32(2):
          attribute.number = reader.get_float();
          break;
        case varint(3):
          attribute.integer = reader.get_int64();
          break;
        case text(4):
          attribute.text = view_of(reader);
          break;
        case text(5):
          attribute.tensor = read_weight(reader.get_message());
          break;
        case text(9):
          attribute.texts.push_back(view_of(reader));
          count();
          break;
        case text(6):
        case text(11):
          read_graph(reader.get_message(), attribute.graphs.emplace_back(), depth + 1);
          break;
        case fixed32(7):
          attribute.numbers.push_back(reader.get_float());
          count();
          break;
        case text(7):
          for (const float number : reader.get_packed_float()) {
            attribute.numbers.push_back(number);
            count();
          }
          break;
        case varint(8):
          attribute.integers.push_back(reader.get_int64());
          count();
          break;
        case text(8):
          for (const auto number : reader.get_packed_int64()) {
            attribute.integers.push_back(number);
            count();
          }
          break;
        default:
          reader.skip();
      }
    }
    return attribute;
  }

  StoredValue read_value(pbf_reader reader) {
    StoredValue value;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case text(1):
          value.name = view_of(reader);
          break;
        case text(2):
          read_type(reader.get_message(), value.type);
          break;
        default:
          reader.skip();
      }
    }
    return value;
  }

  // TypeProto.tensor_type; sequences, maps and the like are said to be unknown.
  void read_type(pbf_reader reader, StoredType& type) {
    while (reader.next(1, pbf_wire_type::length_delimited)) {
      pbf_reader tensor = reader.get_message();
      while (tensor.next()) {
        switch (tensor.tag_and_type()) {
          case varint(1):
            type.dtype = tensor.get_int32();
            break;
          case text(2):
            read_shape(tensor.get_message(), type);
            break;
          default:
            tensor.skip();
        }
      }
    }
  }

  void read_shape(pbf_reader reader, StoredType& type) {
    type.known_rank = true;
    while (reader.next(1, pbf_wire_type::length_delimited)) {
      pbf_reader dim = reader.get_message();
      std::string size = "?";
      while (dim.next()) {
        switch (dim.tag_and_type()) {
          case varint(1): {
            // Some programs write -1, or 0 for a size that is free.
            const auto number = dim.get_int64();
            size = number < 0 ? "?" : std::to_string(number);
            break;
          }
          case text(2): {
            const auto name = view_of(dim);
            if (!name.empty()) size = std::string(name);
            break;
          }
          default:
            dim.skip();
        }
      }
      type.dims.push_back(std::move(size));
      count();
    }
  }

  StoredWeight read_weight(pbf_reader reader) {
    StoredWeight weight;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case varint(1):
          weight.dims.push_back(reader.get_int64());
          count();
          break;
        case text(1):
          for (const auto size : reader.get_packed_int64()) {
            weight.dims.push_back(size);
            count();
          }
          break;
        case varint(2):
          weight.dtype = reader.get_int32();
          break;
        case text(4):  // float_data, int32_data, int64_data, raw_data, double_data, uint64_data
        case text(5):
        case text(7):
        case text(9):
        case text(10):
        case text(11):
          weight.field = reader.tag();
          weight.elements = view_of(reader);
          weight.bytes += weight.elements.size();
          break;
        case text(8):
          weight.name = view_of(reader);
          break;
        default:
          reader.skip();
      }
    }
    return weight;
  }

  StoredModel model_;
  std::size_t entries_ = 0;
};

}  // namespace

bool StoredNode::is(std::string_view onnx_op) const {
  return op_type == onnx_op && (domain.empty() || domain == "ai.onnx");
}

const StoredAttribute* StoredNode::find(std::string_view attribute) const {
  for (const auto& entry : attributes) {
    if (entry.name == attribute) return &entry;
  }
  return nullptr;
}

std::span<const std::byte> StoredWeight::raw() const {
  constexpr std::uint32_t kRawData = 9;
  if (field != kRawData) return {};
  return std::as_bytes(std::span(elements.data(), elements.size()));
}

StoredModel read_model(std::span<const std::byte> bytes) {
  const pbf_reader reader(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  StoredModel model;
  const char* what = nullptr;
  try {
    model = Reader().read(reader);
  } catch (const protozero::exception& error) {
    what = error.what();
  }
  if (what != nullptr)
    fail(ErrorCode::kFormat,
         fmt::format("expected an ONNX model, found bytes that are none ({})", what),
         "the file may be truncated");
  if (model.opsets.empty() || (model.nodes.empty() && model.outputs.empty()))
    fail(ErrorCode::kFormat, "expected an ONNX model, found no graph or no opset");
  return model;
}

}  // namespace mx2onnx::onnx
