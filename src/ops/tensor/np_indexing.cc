// Advanced indexing of NumPy's interface: masks and indices, in arrays and in assignments
// (src/operator/numpy/np_indexing_op.cc, np_boolean_mask_assign.cc, np_nonzero_op.cc,
// src/operator/tensor/index_update-inl.h, index_add-inl.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/kernels.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/broadcasting.h"
#include "ops/expressions/common.h"
#include "ops/tensor/indexed_writes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// The type that ONNX Runtime chooses elements in.
DType choosing_in(DType dtype) { return dtype_size(dtype) == 1 ? DType::kInt32 : dtype; }

Value choose(Builder& b, Value condition, Value x, Value y) {
  const DType dtype = b.dtype(x);
  const DType compute = choosing_in(dtype);
  return b.cast(b.where(condition, b.cast(x, compute), b.cast(y, compute)), dtype);
}

void define_own_sizes(Translation& t, std::size_t output, Value value) {
  const Shape& shape = t.output_shape(output);
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const auto symbol = shape[i].symbol_name();
    if (!symbol.empty() && t.b.symbol_source(symbol) == nullptr)
      t.b.define_symbol(symbol, value, i);
  }
}

// An index is a mask of the first axis, or whole numbers that are not negative.
void infer_advanced_indexing(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const DType dtype = c.input(1).dtype;
  if (dtype == DType::kUnknown) return;
  if (dtype != DType::kBool && (!is_integer(dtype) || is_unsigned(dtype))) {
    c.fail_input(1, "signed integers or booleans as indices");
  }
  Shape data = c.input_shape(0);
  if (data.known_rank() && data.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (dtype == DType::kBool) {
    c.set_input_shape(1, Shape::unknown_dims(1));
    if (!data.known_rank()) return;
    c.set_input_shape(1, Shape{data[0]});
    Shape known = Shape::unknown_dims(data.rank());
    known[0] = c.input_shape(1)[0];
    c.set_input_shape(0, known);
    data[0] = c.own_size(0, 0);
    if (const Tensor* mask = c.input_constant(1)) {
      const auto flags = read_doubles(*mask);
      data[0] = std::count_if(flags.begin(), flags.end(), [](double flag) { return flag != 0; });
    }
    return c.set_output_shape(0, data);
  }
  const Shape& indices = c.input_shape(1);
  if (!data.known_rank() || !indices.known_rank()) return;
  std::vector<Dim> dims = indices.dims();
  dims.insert(dims.end(), data.dims().begin() + 1, data.dims().end());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_advanced_indexing(const NoParam& /*p*/, Translation& t) {
  if (t.input_type(1).dtype != DType::kBool) {
    return t.set_output(0, t.b.gather(t.input(0), t.b.cast(t.input(1), DType::kInt64), 0));
  }
  const Value rows =
      t.b.emit("Compress", {t.input(0), t.input(1)}, {{"axis", 0}}, t.output_type(0));
  define_own_sizes(t, 0, rows);
  t.set_output(0, rows);
}

struct MaskAssignParam {
  std::int64_t start_axis = 0;
  template <typename P>
  static void declare_axis(AttrDeclarer<P>& d) {
    d.field("start_axis", &P::start_axis)
        .at_least(0)
        .help("the axis of data that the mask begins at");
  }
  static void declare(AttrDeclarer<MaskAssignParam>& d) { declare_axis(d); }
};

struct MaskAssignScalarParam : MaskAssignParam {
  double value = 0;
  static void declare(AttrDeclarer<MaskAssignScalarParam>& d) {
    d.field("value", &MaskAssignScalarParam::value).required().help("what is assigned");
    declare_axis(d);
  }
};

// The axes of data that the mask covers, [start, start + rank of the mask).
std::size_t first_masked(const MaskAssignParam& p) {
  return static_cast<std::size_t>(p.start_axis);
}

void infer_mask_assign(const MaskAssignParam& p, InferContext& c) {
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_dtype(0, c.output(0).dtype);
  const Shape data = c.input_shape(0);
  const Shape mask = c.input_shape(1);
  if (!data.known_rank() || !mask.known_rank()) return;
  if (first_masked(p) + mask.rank() > data.rank()) {
    c.fail_input(1,
                 fmt::format("at most {} dimensions from axis {} on", data.rank(), p.start_axis));
  }
  Shape of_data = Shape::unknown_dims(data.rank());
  Shape of_mask = mask;
  for (std::size_t i = 0; i < mask.rank(); ++i) {
    of_data[first_masked(p) + i] = mask[i];
    of_mask[i] = data[first_masked(p) + i];
  }
  c.set_input_shape(0, of_data);
  c.set_input_shape(1, of_mask);
}

// The mask as booleans that broadcast to the data.
Value wide_mask(const MaskAssignParam& p, Translation& t) {
  const std::size_t behind = t.input_rank(0) - first_masked(p) - t.input_rank(1);
  std::vector<Dim> dims = t.input_shape(1).dims();
  dims.insert(dims.end(), behind, Dim(1));
  return onnx::reshape(t.b, t.b.cast(t.input(1), DType::kBool), Shape(std::move(dims)));
}

void translate_mask_assign_scalar(const MaskAssignScalarParam& p, Translation& t) {
  const DType dtype = t.output_type(0).dtype;
  if (!has_defined_value(p.value, dtype)) {
    return t.refuse(fmt::format("the value {} is not a number of {}", p.value, dtype_name(dtype)));
  }
  t.set_output(0, choose(t.b, wide_mask(p, t), t.b.scalar(dtype, p.value), t.input(0)));
}

void infer_mask_assign_tensor(const MaskAssignParam& p, InferContext& c) {
  infer_mask_assign(p, c);
  c.set_input_dtype(2, c.input(0).dtype);
  c.set_input_dtype(0, c.input(2).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& data = c.input_shape(0);
  const Shape& value = c.input_shape(2);
  if (!data.known_rank() || !value.known_rank() || !c.input_shape(1).known_rank()) return;
  const std::size_t most = data.rank() - c.input_shape(1).rank() + 1;
  if (value.rank() > most && !(value.count() == Dim(1))) {
    c.fail_input(2, fmt::format("at most {} dimensions", most));
  }
}

// One value for each element of the mask that is true, along the axis that the mask's axes become
// one in; or one for all of them.
void translate_mask_assign_tensor(const MaskAssignParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const Shape& mask = t.input_shape(1);
  const Shape& value = t.input_shape(2);
  const std::size_t start = first_masked(p);
  const std::size_t end = start + mask.rank();
  if (value.count() == Dim(1)) {
    const Value one = onnx::reshape(b, t.input(2), Shape(std::vector<Dim>{}));
    return t.set_output(0, choose(b, wide_mask(p, t), one, t.input(0)));
  }
  std::vector<Dim> flat(data.dims().begin(),
                        data.dims().begin() + static_cast<std::ptrdiff_t>(start));
  flat.push_back(mask.count());
  flat.insert(flat.end(), data.dims().begin() + static_cast<std::ptrdiff_t>(end),
              data.dims().end());
  const auto axis = static_cast<std::int64_t>(start);
  const bool has_axis = value.rank() == flat.size();
  if (has_axis && !value[start].is_constant() && value[start].symbol_name().empty()) {
    return t.refuse("needs to know whether there is one value or one for each place");
  }
  Value values = t.input(2);
  if (!has_axis) {
    if (value.rank() + 1 != flat.size()) {
      return t.refuse(fmt::format("MXNet reads beside a value of shape {}", value.to_string()));
    }
    values = onnx::unsqueeze(b, values, {axis});
  }
  const Value flags = onnx::reshape(b, b.cast(t.input(1), DType::kBool), Shape{mask.count()});
  const bool for_all = !has_axis || value[start] == Dim(1);
  if (!for_all) {
    // A place without a value looks up the row of zeros behind them.
    Shape row(flat);
    row[start] = 1;
    const Value zeros = onnx::fill(b, b.dtype(values), 0, row);
    const Value zero = b.int_scalar(0);
    const Value counted = b.emit("CumSum", {b.cast(flags, DType::kInt64), zero}, {},
                                 {DType::kInt64, Shape{mask.count()}});
    Value places = b.binary("Max", b.sub(counted, b.int_scalar(1)), zero);
    if (!value[start].is_constant()) {
      // Should there be one value, it is for all places.
      const Value one = b.binary("Equal", onnx::size_tensor(b, value[start]), b.int_scalar(1));
      places = b.mul(places, b.cast(b.unary("Not", one), DType::kInt64));
    }
    values = b.gather(b.concat({values, zeros}, axis), places, axis);
  }
  const Value whole = onnx::reshape(b, t.input(0), Shape(flat));
  const Value chosen = choose(b, along_axis(b, flags, start, flat.size()), values, whole);
  t.set_output(0, onnx::reshape(b, chosen, data));
}

void infer_nonzero(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.set_output_shape(0, Shape::unknown_dims(2));
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const auto rank = static_cast<std::int64_t>(std::max<std::size_t>(data.rank(), 1));
  c.set_output_shape(0, Shape{data.is_empty() ? Dim(0) : c.own_size(0, 0), Dim(rank)});
}

void translate_nonzero(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  if (t.input_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, DType::kInt64, 0, t.output_shape(0)));
  }
  Value flags = b.cast(t.input(0), DType::kBool);
  if (t.input_rank(0) == 0) flags = onnx::reshape(b, flags, Shape{1});
  const Shape& found = t.output_shape(0);
  const Value places = b.emit("NonZero", {flags}, {}, {DType::kInt64, Shape{found[1], found[0]}});
  const Value rows = b.transpose(places, {1, 0});
  define_own_sizes(t, 0, rows);
  t.set_output(0, rows);
}

// Coordinates of one point in a column; a number or a vector is of the first axis.
Shape index_columns(const Shape& indices) {
  if (indices.rank() == 2) return indices;
  return Shape{1, indices.count()};
}

// (points, rest of data): what lies at the points, of a number of coordinates that is known.
Shape places_of(const Shape& data, const Shape& indices) {
  const Shape columns = index_columns(indices);
  std::vector<Dim> dims(data.dims().begin() + static_cast<std::ptrdiff_t>(columns[0].value()),
                        data.dims().end());
  dims.insert(dims.begin(), columns[1]);
  return Shape(std::move(dims));
}

void infer_index_modify(const NoParam& /*p*/, InferContext& c) {
  infer_written(c);
  const Shape& data = c.input_shape(0);
  const Shape& indices = c.input_shape(1);
  const Shape& values = c.input_shape(2);
  if (data.known_rank() && data.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (indices.known_rank() && indices.rank() > 2) c.fail_input(1, "at most 2 dimensions");
  if (!data.known_rank() || !indices.known_rank() || !values.known_rank()) return;
  const Dim count = index_columns(indices)[0];
  if (!count.is_constant()) return;
  const auto axes = static_cast<std::size_t>(count.value());
  if (count.value() > static_cast<std::int64_t>(data.rank())) {
    c.fail_input(1, fmt::format("at most {} coordinates", data.rank()));
  }
  const Shape places = places_of(data, indices);
  if (!may_broadcast_to(values, places)) {
    c.fail_input(2, fmt::format("a shape that broadcasts to {}", places.to_string()));
  }
}

// The values as wide as what lies at the points: (points, rest of data).
struct Updates {
  Value rows;  // (points, coordinates)
  Value values;
};

Updates updates_of(Translation& t) {
  Builder& b = t.b;
  const Shape columns = index_columns(t.input_shape(1));
  const Value indices = onnx::reshape(b, b.cast(t.input(1), DType::kInt64), columns);
  const Shape places = places_of(t.input_shape(0), t.input_shape(1));
  return {b.transpose(indices, {1, 0}), onnx::expand(b, t.input(2), places)};
}

bool knows_coordinates(Translation& t) {
  if (index_columns(t.input_shape(1))[0].is_constant()) return true;
  t.refuse("needs the number of coordinates", "give `ind` a number for its first size");
  return false;
}

void translate_index_update(const NoParam& /*p*/, Translation& t) {
  if (!knows_coordinates(t)) return;
  const Updates updates = updates_of(t);
  t.set_output(
      0, t.b.emit("ScatterND", {t.input(0), updates.rows, updates.values}, {}, t.output_type(0)));
}

// One point after the other, for opsets whose ScatterND does not add.
Value add_in_turn(Translation& t, const Updates& updates) {
  Builder& b = t.b;
  const Shape& rows = b.shape(updates.rows);
  const Shape& values = b.shape(updates.values);
  BodyScope scope(b);
  const Value sum = scope.add_input("sum", t.output_type(0));
  const Value point = scope.add_input("point", {DType::kInt64, Shape{rows[1]}});
  std::vector<Dim> rest(values.dims().begin() + 1, values.dims().end());
  const Value value = scope.add_input("value", {b.dtype(updates.values), Shape(rest)});
  const Value there = b.emit("GatherND", {sum, point}, {}, {b.dtype(sum), Shape(rest)});
  rest.insert(rest.begin(), Dim(1));
  const Value row =
      onnx::reshape(b, narrow_arithmetic(b, "Add", there, value), Shape(std::move(rest)));
  const Value next =
      b.emit("ScatterND", {sum, onnx::unsqueeze(b, point, {0}), row}, {}, t.output_type(0));
  const auto body = scope.finish({next});
  return b.emit_many("Scan", {t.input(0), updates.rows, updates.values},
                     {{"body", body}, {"num_scan_inputs", std::int64_t{2}}}, {t.output_type(0)})[0];
}

void translate_index_add(const NoParam& /*p*/, Translation& t) {
  if (!knows_coordinates(t)) return;
  const Updates updates = updates_of(t);
  const DType dtype = t.output_type(0).dtype;
  const bool sums = onnx::scatters_sums(t.b) && dtype_size(dtype) >= 4;
  t.set_output(0, sums ? t.b.emit("ScatterND", {t.input(0), updates.rows, updates.values},
                                  {{"reduction", "add"}}, t.output_type(0))
                       : add_in_turn(t, updates));
}

struct ConstraintParam {
  std::string msg = "Constraint violated.";
  static void declare(AttrDeclarer<ConstraintParam>& d) {
    d.field("msg", &ConstraintParam::msg).help("what MXNet says where the input is false");
  }
};

void infer_constraint(const ConstraintParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, DType::kBool);
  c.set_output_dtype(0, DType::kBool);
  c.set_output_shape(0, Shape(std::vector<Dim>{}));
}

void translate_constraint(const ConstraintParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Value flags = b.cast(t.input(0), DType::kInt32);
  const Value all = onnx::reduce(b, "ReduceProd", flags, iota(t.input_rank(0)), false);
  t.set_output(0, b.cast(all, DType::kBool));
}

}  // namespace

void register_np_indexing(Registry& r) {
  r.add<NoParam>({"_npi_advanced_indexing"})
      .summary("Rows by index, or those whose element of a mask is true.")
      .inputs({{"data", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_advanced_indexing)
      .translate(translate_advanced_indexing)
      .note("An index out of range is an error of the runtime, as it is one of MXNet.")
      .note(
          "Of no indices the result has NumPy's shape, where MXNet's is empty and of one "
          "dimension.");
  r.add<MaskAssignScalarParam>({"_npi_boolean_mask_assign_scalar"})
      .summary("An array with a number where a mask is true.")
      .inputs({{"data", InputRole::kData}, {"mask", InputRole::kData}})
      .infer(infer_mask_assign)
      .translate(translate_mask_assign_scalar);
  r.add<MaskAssignParam>({"_npi_boolean_mask_assign_tensor"})
      .summary("An array with the values of another one where a mask is true.")
      .inputs({{"data", InputRole::kData}, {"mask", InputRole::kData}, {"value", InputRole::kData}})
      .infer(infer_mask_assign_tensor)
      .translate(translate_mask_assign_tensor)
      .note("Another number of values than of places is an error in MXNet alone.");
  r.add<NoParam>({"_npx_nonzero", "_npi_nonzero"})
      .summary("The coordinates of the elements that are not 0.")
      .inputs({{"x", InputRole::kData}})
      .infer(infer_nonzero)
      .translate(translate_nonzero);
  r.add<NoParam>({"_npx_index_update"})
      .summary("An array with elements or slices replaced by their coordinates.")
      .inputs({{"a", InputRole::kData}, {"ind", InputRole::kData}, {"val", InputRole::kData}})
      .infer(infer_index_modify)
      .translate(translate_index_update)
      .note("Of values for the same place any one may be taken.");
  r.add<NoParam>({"_npx_index_add"})
      .summary("An array with values added to elements or slices by their coordinates.")
      .inputs({{"a", InputRole::kData}, {"ind", InputRole::kData}, {"val", InputRole::kData}})
      .infer(infer_index_modify)
      .translate(translate_index_add);
  r.add<ConstraintParam>({"_npx_constraint_check"})
      .summary("Whether all elements are true.")
      .inputs({{"input", InputRole::kData}})
      .infer(infer_constraint)
      .translate(translate_constraint)
      .note("MXNet fails where one is false; here the output is false then.");
}

}  // namespace mx2onnx
