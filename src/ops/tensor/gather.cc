// Looking up and placing by coordinates: gather_nd, scatter_nd, _contrib_index_copy,
// _contrib_index_array (src/operator/tensor/indexing_op.h, src/operator/contrib/index_copy.cc,
// index_array.cc).
//
// MXNet keeps the coordinates of a point in a column of the indices, ONNX in a row.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/indexed_writes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// How many leading axes the indices name; nothing if that is not known yet.
std::optional<std::size_t> num_coordinates(InferContext& c, std::size_t indexed_rank) {
  const Shape& indices = c.input_shape(1);
  if (!indices.known_rank()) return std::nullopt;
  if (indices.rank() < 2) c.fail_input(1, "at least 2 dimensions");
  if (!indices[0].is_constant()) return std::nullopt;
  const auto count = indices[0].value();
  if (count > static_cast<std::int64_t>(indexed_rank)) {
    c.fail_input(1, fmt::format("at most {} coordinates", indexed_rank));
  }
  return static_cast<std::size_t>(count);
}

// The points' shape, then that of what lies at each.
Shape points_and_rest(const Shape& indices, const Shape& indexed, std::size_t coordinates) {
  std::vector<Dim> dims(indices.dims().begin() + 1, indices.dims().end());
  dims.insert(dims.end(), indexed.dims().begin() + static_cast<std::ptrdiff_t>(coordinates),
              indexed.dims().end());
  return Shape(std::move(dims));
}

// Coordinates in the last axis, as whole numbers.
Value rows_of_indices(Builder& b, Value indices) {
  const std::size_t rank = b.shape(indices).rank();
  return b.transpose(b.cast(indices, DType::kInt64), move_perm(rank, 0, rank - 1));
}

void infer_gather_nd(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const auto coordinates = num_coordinates(c, data.rank());
  if (!coordinates) return;
  c.set_output_shape(0, points_and_rest(c.input_shape(1), data, *coordinates));
}

// MXNet adds the size to a negative index before it cuts its fraction: -0.9 is the last element.
void translate_gather_nd(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  Value indices = t.input(1);
  if (is_floating(b.dtype(indices))) indices = b.unary("Floor", indices);
  t.set_output(0, b.emit("GatherND", {t.input(0), rows_of_indices(b, indices)}, {},
                         {t.input_type(0).dtype, t.output_shape(0)}));
}

// NumPy's takes whole numbers alone.
void infer_advanced_indexing(const NoParam& p, InferContext& c) {
  const DType dtype = c.input(1).dtype;
  if (dtype != DType::kUnknown && (!is_integer(dtype) || is_unsigned(dtype))) {
    c.fail_input(1, "signed integers as indices");
  }
  infer_gather_nd(p, c);
}

struct ScatterNdParam {
  Tuple shape;
  static void declare(AttrDeclarer<ScatterNdParam>& d) {
    d.field("shape", &ScatterNdParam::shape).required().at_least(0).help("of the result");
  }
};

void infer_scatter_nd(const ScatterNdParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape result = Shape::of({p.shape.begin(), p.shape.end()});
  c.set_output_shape(0, result);
  const auto coordinates = num_coordinates(c, result.rank());
  if (!coordinates) return;
  c.set_input_shape(0, points_and_rest(c.input_shape(1), result, *coordinates));
}

Value scatter_nd(Builder& b, Value data, Value indices, Value updates) {
  return b.emit("ScatterND", {data, indices, updates}, {}, b.type(data));
}

void translate_scatter_nd(const ScatterNdParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Value zeros = onnx::fill(b, t.input_type(0).dtype, 0, t.output_shape(0));
  t.set_output(0, scatter_nd(b, zeros, rows_of_indices(b, t.input(1)), t.input(0)));
}

void infer_index_copy(const NoParam& /*p*/, InferContext& c) { infer_written(c); }

void translate_index_copy(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Value rows = onnx::unsqueeze(b, b.cast(t.input(1), DType::kInt64), {1});
  t.set_output(0, scatter_nd(b, t.input(0), rows, t.input(2)));
}

struct IndexArrayParam {
  std::optional<Tuple> axes;
  static void declare(AttrDeclarer<IndexArrayParam>& d) {
    d.field("axes", &IndexArrayParam::axes).help("whose coordinates are given; None: all");
  }
  std::vector<std::size_t> of(std::size_t rank) const {
    std::vector<std::size_t> result;
    if (!axes) {
      for (std::size_t i = 0; i < rank; ++i) result.push_back(i);
    } else {
      // MXNet takes axes modulo the number of dimensions.
      const auto size = static_cast<std::int64_t>(rank);
      if (size == 0 && !axes->empty()) checked_axis(axes->front(), rank, "axes");
      for (const auto axis : *axes) {
        result.push_back(static_cast<std::size_t>(((axis % size) + size) % size));
      }
    }
    return result;
  }
};

void infer_index_array(const IndexArrayParam& p, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  dims.emplace_back(static_cast<std::int64_t>(p.of(dims.size()).size()));
  c.set_output_shape(0, Shape(std::move(dims)));
}

// 0, 1, … along one axis, as wide as the data.
Value coordinate(Builder& b, const Shape& data, std::size_t axis) {
  auto dims = data.dims();
  dims.emplace_back(1);
  const Value column = along_axis(b, counting(b, data[axis]), axis, dims.size());
  return onnx::expand(b, column, Shape(std::move(dims)));
}

void translate_index_array(const IndexArrayParam& p, Translation& t) {
  std::vector<Value> parts;
  for (const std::size_t axis : p.of(t.input_rank(0))) {
    parts.push_back(coordinate(t.b, t.input_shape(0), axis));
  }
  if (parts.empty()) {
    return t.set_output(0, onnx::fill(t.b, DType::kInt64, 0, t.output_shape(0)));
  }
  t.set_output(0, t.b.concat(parts, -1));
}

}  // namespace

void infer_written(InferContext& c) {
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
  for (const DType dtype : {c.input(0).dtype, c.input(2).dtype, c.output(0).dtype}) {
    c.set_input_dtype(0, dtype);
    c.set_input_dtype(2, dtype);
    c.set_output_dtype(0, dtype);
  }
}

void register_gather(Registry& r) {
  r.add<NoParam>({"gather_nd", "_npi_gather_nd", "_npx_gather_nd"})
      .summary("Elements or slices by their coordinates.")
      .inputs({{"data", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_gather_nd)
      .translate(translate_gather_nd)
      .note("The number of coordinates, the first size of indices, has to be known.")
      .note("An index out of range is an error of the runtime, as it is one of MXNet.");
  r.add<NoParam>({"_npi_advanced_indexing_multiple"})
      .summary("Elements or slices by their coordinates.")
      .inputs({{"data", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_advanced_indexing)
      .translate(translate_gather_nd)
      .note("The number of coordinates, the first size of indices, has to be known.")
      .note("An index out of range is an error of the runtime, as it is one of MXNet.");
  r.add<ScatterNdParam>({"scatter_nd"})
      .summary("Elements or slices placed by their coordinates in an array of zeros.")
      .inputs({{"data", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_scatter_nd)
      .translate(translate_scatter_nd)
      .note("The number of coordinates, the first size of indices, has to be known.")
      .note(
          "Of elements for the same place any one may be taken, and negative indices, which MXNet "
          "does not check, count from the end.");
  r.add<NoParam>({"_contrib_index_copy"})
      .summary("Copies rows into an array by index.")
      .inputs({{"old_tensor", InputRole::kData},
               {"index_vector", InputRole::kData},
               {"new_tensor", InputRole::kData}})
      .infer(infer_index_copy)
      .translate(translate_index_copy)
      .note("Of rows for the same place any one may be taken.")
      .note(
          "An index out of range is an error of the runtime; MXNet writes beside the array then.");
  r.add<IndexArrayParam>({"_contrib_index_array"})
      .summary("The coordinates of each element.")
      .infer(infer_index_array)
      .translate(translate_index_array);
}

}  // namespace mx2onnx
