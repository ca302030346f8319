// Order: topk, sort, argsort (src/operator/tensor/ordering_op-inl.h), all of which are ONNX's TopK.
//
// Of equal elements ONNX takes the one with the lower index first. MXNet's sort is not stable: it
// does the same for up to 16 elements and for k = 1, and leaves the order open beyond.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct TopkParam {
  enum class Return { kValue, kIndices, kMask, kBoth };
  std::optional<std::int64_t> axis = -1;
  std::int64_t k = 1;
  Return ret_typ = Return::kIndices;
  bool is_ascend = false;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<TopkParam>& d) {
    d.field("axis", &TopkParam::axis).help("that is sorted; None: the flattened array");
    d.field("k", &TopkParam::k).help("how many elements; below 1 all of them");
    d.one_of("ret_typ", &TopkParam::ret_typ, {"value", "indices", "mask", "both"})
        .help("what the outputs are");
    d.field("is_ascend", &TopkParam::is_ascend).help("the smallest elements, not the largest");
    d.dtype("dtype", &TopkParam::dtype).help("of the indices");
  }
};

struct SortParam {
  std::optional<std::int64_t> axis = -1;
  bool is_ascend = true;

  static void declare(AttrDeclarer<SortParam>& d) {
    d.field("axis", &SortParam::axis).help("that is sorted; None: the flattened array");
    d.field("is_ascend", &SortParam::is_ascend).help("the smallest element first");
  }
  TopkParam topk() const {
    return {axis, 0, TopkParam::Return::kValue, is_ascend, DType::kFloat32};
  }
};

struct ArgsortParam {
  std::optional<std::int64_t> axis = -1;
  bool is_ascend = true;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<ArgsortParam>& d) {
    d.field("axis", &ArgsortParam::axis).help("that is sorted; None: the flattened array");
    d.field("is_ascend", &ArgsortParam::is_ascend).help("the smallest element first");
    d.dtype("dtype", &ArgsortParam::dtype).help("of the indices");
  }
  TopkParam topk() const { return {axis, 0, TopkParam::Return::kIndices, is_ascend, dtype}; }
};

// The array that is sorted: flattened if there is no axis.
Shape sorted_shape(const TopkParam& p, const Shape& data) {
  return p.axis ? data : Shape{data.count()};
}

// The shape of values and indices.
Shape selected_shape(const TopkParam& p, const Shape& data) {
  Shape result = sorted_shape(p, data);
  const std::size_t axis = checked_axis(p.axis.value_or(0), result.rank());
  if (p.k > 0) {
    if (result[axis].is_constant() && result[axis].value() < p.k) {
      fail(ErrorCode::kModel,
           fmt::format("attribute 'k': expected at most the {} elements of the axis, got {}",
                       result[axis].value(), p.k));
    }
    result[axis] = p.k;
  }
  return result;
}

void infer_topk(const TopkParam& p, InferContext& c) {
  const bool mask = p.ret_typ == TopkParam::Return::kMask;
  if (p.ret_typ == TopkParam::Return::kIndices) {
    c.set_output_dtype(0, p.dtype);
  } else {
    c.set_input_dtype(0, c.output(0).dtype);
    c.set_output_dtype(0, c.input(0).dtype);
  }
  if (p.ret_typ == TopkParam::Return::kBoth) c.set_output_dtype(1, p.dtype);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const Shape selected = selected_shape(p, data);
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_shape(i, mask ? data : selected);
}

void translate_topk(const TopkParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Value sorted = onnx::reshape(b, t.input(0), sorted_shape(p, data));
  const Shape selected = selected_shape(p, data);
  const std::size_t axis = checked_axis(p.axis.value_or(0), selected.rank());
  const auto [values, indices] =
      onnx::top_k(b, sorted, selected[axis], static_cast<std::int64_t>(axis), !p.is_ascend);
  switch (p.ret_typ) {
    case TopkParam::Return::kBoth:
      t.set_output(0, values);
      if (t.output_used(1)) t.set_output(1, b.cast(indices, p.dtype));
      return;
    case TopkParam::Return::kValue:
      return t.set_output(0, values);
    case TopkParam::Return::kIndices:
      return t.set_output(0, b.cast(indices, p.dtype));
    case TopkParam::Return::kMask: {
      const Value zeros = onnx::fill(b, dtype, 0, b.shape(sorted));
      const Value ones = onnx::fill(b, dtype, 1, selected);
      const Value mask =
          b.emit("ScatterElements", {zeros, indices, ones},
                 {{"axis", static_cast<std::int64_t>(axis)}}, {dtype, b.shape(sorted)});
      return t.set_output(0, onnx::reshape(b, mask, data));
    }
  }
}

const char* const kTies =
    "Of equal elements the one with the lower index is first, which MXNet guarantees for 16 "
    "elements at most.";
const char* const kNan =
    "Where one of the elements is NaN, the order of all of them is undefined in MXNet, and another "
    "one in ONNX.";

}  // namespace

void register_sorting(Registry& r) {
  r.add<TopkParam>({"topk", "_npx_topk"})
      .summary("The largest or smallest elements along an axis.")
      .outputs_by([](const TopkParam& p, std::size_t) -> std::vector<std::string> {
        // MXNet counts the indices as an output that it only hides when the values are asked for.
        if (p.ret_typ == TopkParam::Return::kBoth) return {"output0", "output1"};
        return {p.ret_typ == TopkParam::Return::kValue ? "output0" : "output"};
      })
      .infer(infer_topk)
      .translate(translate_topk)
      .note(kTies)
      .note(kNan);
  r.add<SortParam>({"sort", "_npi_sort"})
      .summary("The elements in order along an axis.")
      .outputs({"output0"})
      .infer([](const SortParam& p, InferContext& c) { infer_topk(p.topk(), c); })
      .translate([](const SortParam& p, Translation& t) { translate_topk(p.topk(), t); })
      .note(kNan)
      .note(std::string(kZeroSignNote));
  r.add<ArgsortParam>({"argsort", "_npi_argsort"})
      .summary("The indices that put the elements in order along an axis.")
      .infer([](const ArgsortParam& p, InferContext& c) { infer_topk(p.topk(), c); })
      .translate([](const ArgsortParam& p, Translation& t) { translate_topk(p.topk(), t); })
      .note(kTies)
      .note(kNan);
}

}  // namespace mx2onnx
