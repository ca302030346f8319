// _npi_unique: the elements, or slices along an axis, without repetitions
// (src/operator/numpy/np_unique_op.cc).
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct UniqueParam {
  bool return_index = false;
  bool return_inverse = false;
  bool return_counts = false;
  std::optional<std::int64_t> axis;

  static void declare(AttrDeclarer<UniqueParam>& d) {
    d.field("return_index", &UniqueParam::return_index).help("an output: where each one is first");
    d.field("return_inverse", &UniqueParam::return_inverse)
        .help("an output: which one each element of the input is");
    d.field("return_counts", &UniqueParam::return_counts)
        .help("an output: how often each one occurs");
    d.field("axis", &UniqueParam::axis).help("of the slices; None: the elements");
  }
  std::size_t num_outputs() const {
    return 1U + (return_index ? 1U : 0U) + (return_inverse ? 1U : 0U) + (return_counts ? 1U : 0U);
  }
};

void infer_unique(const UniqueParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  for (std::size_t i = 1; i < p.num_outputs(); ++i) c.set_output_dtype(i, DType::kInt64);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const std::size_t axis =
      p.axis ? checked_axis(*p.axis, std::max<std::size_t>(data.rank(), 1)) : 0;
  Dim found = c.own_size(0, axis);
  if (data.is_empty()) found = 0;
  if (data.rank() == 0) found = 1;
  Shape kept = Shape{found};
  const bool of_slices = p.axis && data.rank() > 0 && !data.is_empty();
  if (of_slices) {
    kept = data;
    kept[axis] = found;
  }
  c.set_output_shape(0, kept);
  std::size_t i = 1;
  if (p.return_index) c.set_output_shape(i++, Shape{found});
  if (p.return_inverse) c.set_output_shape(i++, Shape{of_slices ? data[axis] : data.count()});
  if (p.return_counts) c.set_output_shape(i++, Shape{found});
}

// The type that ONNX Runtime's Unique takes.
DType sorted_in(DType dtype) {
  if (dtype == DType::kFloat16) return DType::kFloat32;
  return is_floating(dtype) ? dtype : DType::kInt64;
}

void translate_unique(const UniqueParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const DType dtype = t.input_type(0).dtype;
  if (data.is_empty()) {
    for (std::size_t i = 0; i < p.num_outputs(); ++i) {
      t.set_output(i, onnx::fill(b, t.output_type(i).dtype, 0, t.output_shape(i)));
    }
    return;
  }
  Value x = b.cast(t.input(0), sorted_in(dtype));
  if (data.rank() == 0) x = onnx::reshape(b, x, Shape{1});
  onnx::Attributes attrs{{"sorted", std::int64_t{1}}};
  if (p.axis && data.rank() > 0) {
    attrs.emplace_back("axis", static_cast<std::int64_t>(checked_axis(*p.axis, data.rank())));
  }
  const auto type_of = [&](bool wanted, std::size_t& i) {
    return wanted ? t.output_type(i++) : TensorType{};
  };
  std::size_t i = 1;
  std::vector<TensorType> types{{b.dtype(x), t.output_shape(0)}};
  types.push_back(type_of(p.return_index, i));
  types.push_back(type_of(p.return_inverse, i));
  types.push_back(type_of(p.return_counts, i));
  while (types.back().dtype == DType::kUnknown) types.pop_back();
  const auto found = b.emit_many("Unique", {x}, attrs, types);
  const Shape& kept = t.output_shape(0);
  for (std::size_t axis = 0; axis < kept.rank(); ++axis) {
    const auto symbol = kept[axis].symbol_name();
    if (!symbol.empty() && b.symbol_source(symbol) == nullptr) {
      b.define_symbol(symbol, found[0], axis);
    }
  }
  t.set_output(0, b.cast(found[0], dtype));
  i = 1;
  for (std::size_t k = 1; k < types.size(); ++k) {
    if (types[k].dtype != DType::kUnknown) t.set_output(i++, found[k]);
  }
}

}  // namespace

void register_np_unique(Registry& r) {
  r.add<UniqueParam>({"_npi_unique"})
      .summary("The elements, or slices along an axis, in order and without repetitions.")
      .outputs_by([](const UniqueParam& p, std::size_t) {
        std::vector<std::string> names;
        const std::size_t count = p.num_outputs();
        for (std::size_t i = 0; i < count; ++i) names.push_back("output" + std::to_string(i));
        return count == 1 ? std::vector<std::string>{"output"} : names;
      })
      .infer(infer_unique)
      .translate(translate_unique)
      .note("NaN, and -0 beside 0, are not told apart as in MXNet.")
      .note(
          "Of no elements the result has NumPy's shape, where MXNet's is empty and of one "
          "dimension.");
}

}  // namespace mx2onnx
