#include "ops/nn/rnn_weights.h"

#include <algorithm>

#include "ir/computed.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Node;
using onnx::Value;

// Gluon flattens each weight and joins all of them.
constexpr int kMostSteps = 8;

bool collect_parts(const Builder& b, Value value, int steps, std::vector<Tensor>& parts) {
  if (const Tensor* constant = b.graph().constant(value)) {
    parts.push_back(*constant);
    return true;
  }
  const Node* node = b.producer(value);
  if (node == nullptr || steps == 0) return false;
  if (node->op_type == "Reshape" || node->op_type == "Identity") {
    return collect_parts(b, node->inputs[0], steps - 1, parts);
  }
  if (node->op_type != "Concat" || node->int_attr("axis", 0) != 0) return false;
  return std::all_of(node->inputs.begin(), node->inputs.end(),
                     [&](const Value input) { return collect_parts(b, input, steps - 1, parts); });
}

}  // namespace

Dim RnnSizes::parameter_count(const Dim& input_size) const {
  const std::int64_t rows = gate_rows() * num_directions;
  const std::int64_t recurrent = recurrent_size();
  const Dim first = (input_size + recurrent + 2) * rows;
  const std::int64_t later = (recurrent * num_directions + recurrent + 2) * rows;
  return first + (num_layers - 1) * later +
         projection_size * state_size * num_layers * num_directions;
}

Dim RnnSizes::input_size(const Dim& parameter_count) const {
  if (!parameter_count.is_constant()) return {};
  const std::int64_t rest = parameter_count.value() - this->parameter_count(Dim(0)).value();
  const std::int64_t rows = gate_rows() * num_directions;
  return rest > 0 && rest % rows == 0 ? Dim(rest / rows) : Dim();
}

RnnWeights::RnnWeights(Builder& b, Value parameters, const RnnSizes& sizes, const Dim& input_size,
                       std::vector<std::int64_t> gate_order)
    : b_(b),
      parameters_(parameters),
      sizes_(sizes),
      input_size_(input_size),
      gate_order_(std::move(gate_order)) {
  if (!input_size_.is_constant() || !collect_parts(b, parameters, kMostSteps, parts_)) {
    parts_.clear();
  }
}

Dim RnnWeights::layer_input(std::int64_t layer) const {
  return layer == 0 ? input_size_ : Dim(sizes_.recurrent_size() * sizes_.num_directions);
}

Dim RnnWeights::offset_of(std::int64_t layer, std::int64_t direction) const {
  const auto count = [&](std::int64_t of_layer) {
    return (layer_input(of_layer) + sizes_.recurrent_size()) * sizes_.gate_rows() +
           sizes_.projection_size * sizes_.state_size;
  };
  const Dim within = count(layer) * direction;
  if (layer == 0) return within;
  const std::int64_t directions = sizes_.num_directions;
  return count(0) * directions + count(1) * ((layer - 1) * directions) + within;
}

void RnnWeights::add_gates(std::vector<Range>& ranges, const Dim& offset,
                           const Dim& gate_count) const {
  for (const std::int64_t gate : gate_order_)
    ranges.push_back({offset + gate_count * gate, gate_count});
}

Value RnnWeights::input_weights(std::int64_t layer, std::int64_t first, std::int64_t count) {
  std::vector<Range> ranges;
  for (std::int64_t d = first; d < first + count; ++d)
    add_gates(ranges, offset_of(layer, d), layer_input(layer) * sizes_.state_size);
  return join(ranges, {Dim(count), Dim(sizes_.gate_rows()), layer_input(layer)});
}

Value RnnWeights::recurrent_weights(std::int64_t layer, std::int64_t first, std::int64_t count) {
  const std::int64_t recurrent = sizes_.recurrent_size();
  std::vector<Range> ranges;
  for (std::int64_t d = first; d < first + count; ++d) {
    add_gates(ranges, offset_of(layer, d) + layer_input(layer) * sizes_.gate_rows(),
              Dim(recurrent * sizes_.state_size));
  }
  return join(ranges, {Dim(count), Dim(sizes_.gate_rows()), Dim(recurrent)});
}

Value RnnWeights::projection_weights(std::int64_t layer, std::int64_t direction) {
  const std::int64_t count = sizes_.projection_size * sizes_.state_size;
  const Dim offset = offset_of(layer, direction) +
                     (layer_input(layer) + sizes_.recurrent_size()) * sizes_.gate_rows();
  return join({{offset, Dim(count)}}, {Dim(sizes_.projection_size), Dim(sizes_.state_size)});
}

Value RnnWeights::biases(std::int64_t layer, std::int64_t first, std::int64_t count) {
  const std::int64_t rows = sizes_.gate_rows();
  std::vector<Range> ranges;
  for (std::int64_t d = first; d < first + count; ++d) {
    const Dim start = offset_of(sizes_.num_layers - 1, sizes_.num_directions) +
                      (layer * sizes_.num_directions + d) * 2 * rows;
    add_gates(ranges, start, Dim(sizes_.state_size));
    add_gates(ranges, start + rows, Dim(sizes_.state_size));
  }
  return join(ranges, {Dim(count), Dim(2 * rows)});
}

Value RnnWeights::join(const std::vector<Range>& ranges, const Shape& shape) {
  if (auto tensor = join_constants(ranges, shape)) return b_.constant(std::move(*tensor));
  std::vector<Value> pieces;
  for (const auto& range : ranges) {
    pieces.push_back(onnx::slice(
        b_, parameters_, {{0, range.offset, range.offset + range.count, 1}}, Shape{range.count}));
  }
  return onnx::reshape(b_, b_.concat(pieces, 0), shape);
}

std::optional<Tensor> RnnWeights::join_constants(const std::vector<Range>& ranges,
                                                 const Shape& shape) const {
  if (parts_.empty()) return std::nullopt;
  const DType dtype = parts_[0].dtype;
  const std::size_t element = dtype_size(dtype);
  std::vector<DataPart> pieces;  // of the parts, that make up the ranges
  for (const auto& range : ranges) {
    std::size_t begin = static_cast<std::size_t>(range.offset.value()) * element;
    std::size_t left = static_cast<std::size_t>(range.count.value()) * element;
    for (const auto& part : parts_) {
      const std::size_t size = part.data->size();
      if (begin < size && left > 0) {
        const std::size_t taken = std::min(left, size - begin);
        pieces.push_back({part.data, begin, taken});
        left -= taken;
        begin = 0;
      } else {
        begin -= std::min(begin, size);
      }
    }
    if (left > 0) return std::nullopt;
  }
  return Tensor{dtype, shape.sizes(), joined(std::move(pieces))};
}

}  // namespace mx2onnx
