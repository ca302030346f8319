// Looking up by index: Embedding, take, batch_take, pick, one_hot, where
// (src/operator/tensor/indexing_op.h, broadcast_reduce_op.h, control_flow_op.h).
//
// MXNet's indices are usually floating-point numbers, which are cut towards zero, and may be out of
// range: clipped, wrapped around, or giving zeros, by operator and mode. ONNX's are integers, and
// out of range undefined.
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/ids.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

enum class OutOfRange { kClip, kWrap, kRaise };

// Indices as int64 within [0, size).
Value valid_indices(Builder& b, Value indices, const Dim& size, OutOfRange mode) {
  if (mode == OutOfRange::kClip) return clipped_ids(b, indices, size);
  const Value whole = b.cast(indices, DType::kInt64);
  switch (mode) {
    case OutOfRange::kClip:
      break;
    case OutOfRange::kWrap:
      // Mod takes the sign of the divisor, as MXNet's wrapping does.
      return onnx::reshape(b, b.binary("Mod", whole, onnx::size_tensor(b, size)), b.shape(whole));
    case OutOfRange::kRaise:
      // Both MXNet and the runtime refuse what is out of range; negative indices count from the
      // end.
      return whole;
  }
  return {};
}

// MXNet carries indices as floating-point numbers, which are not all of the large whole numbers.
void warn_of_float_ids(Translation& t, std::size_t input, const Dim& size) {
  const DType dtype = t.input_type(input).dtype;
  const std::int64_t exact = dtype == DType::kFloat32    ? std::int64_t{1} << 24
                             : dtype == DType::kFloat16  ? std::int64_t{1} << 11
                             : dtype == DType::kBfloat16 ? std::int64_t{1} << 8
                                                         : INT64_MAX;
  if (!size.is_constant() || size.value() - 1 <= exact) return;
  t.warn("W-float-ids",
         fmt::format("its indices are {}, which is exact up to {} only, and there are {}",
                     dtype_name(dtype), exact, size.value()));
}

struct EmbeddingParam {
  std::int64_t input_dim = 0;
  std::int64_t output_dim = 0;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<EmbeddingParam>& d) {
    d.field("input_dim", &EmbeddingParam::input_dim)
        .required()
        .at_least(1)
        .help("rows of the weight");
    d.field("output_dim", &EmbeddingParam::output_dim)
        .required()
        .at_least(1)
        .help("columns of the weight");
    d.dtype("dtype", &EmbeddingParam::dtype).help("of the weight");
    d.ignore({"sparse_grad", "deterministic"});
  }
};

void infer_embedding(const EmbeddingParam& p, InferContext& c) {
  c.set_input_shape(1, Shape{p.input_dim, p.output_dim});
  // The weight's own type wins over the attribute, which many models leave at its default.
  const DType dtype = c.input(1).dtype == DType::kUnknown ? p.dtype : c.input(1).dtype;
  c.set_input_dtype(1, dtype);
  c.set_output_dtype(0, dtype);
  if (c.output_shape(0).known_rank() && c.output_shape(0).rank() > 0) {
    auto dims = c.output_shape(0).dims();
    dims.pop_back();
    c.set_input_shape(0, Shape(std::move(dims)));
  }
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  dims.emplace_back(p.output_dim);
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_embedding(const EmbeddingParam& p, Translation& t) {
  warn_of_float_ids(t, 0, p.input_dim);
  const Value rows = valid_indices(t.b, t.input(0), p.input_dim, OutOfRange::kClip);
  t.set_output(0, t.b.gather(t.input(1), rows, 0));
}

struct TakeParam {
  std::int64_t axis = 0;
  OutOfRange mode = OutOfRange::kClip;

  static void declare(AttrDeclarer<TakeParam>& d) {
    d.field("axis", &TakeParam::axis).help("that is indexed");
    d.one_of("mode", &TakeParam::mode, {"clip", "wrap", "raise"})
        .help("what becomes of an index out of range");
  }
};

void infer_take(const TakeParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& data = c.input_shape(0);
  const Shape& indices = c.input_shape(1);
  if (!data.known_rank() || !indices.known_rank()) return;
  const auto axis = static_cast<std::ptrdiff_t>(checked_axis(p.axis, data.rank()));
  std::vector<Dim> dims(data.dims().begin(), data.dims().begin() + axis);
  dims.insert(dims.end(), indices.dims().begin(), indices.dims().end());
  dims.insert(dims.end(), data.dims().begin() + axis + 1, data.dims().end());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_take(const TakeParam& p, Translation& t) {
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  warn_of_float_ids(t, 1, t.input_shape(0)[axis]);
  const Value indices = valid_indices(t.b, t.input(1), t.input_shape(0)[axis], p.mode);
  t.set_output(0, t.b.gather(t.input(0), indices, static_cast<std::int64_t>(axis)));
}

// One element along an axis for each index.
Value gather_elements(Builder& b, Value data, Value indices, std::int64_t axis) {
  return b.emit("GatherElements", {data, indices}, {{"axis", axis}},
                {b.dtype(data), b.shape(indices)});
}

void infer_batch_take(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_dtype(1, DType::kInt32);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 2) c.fail_input(0, "at least 2 dimensions");
  // MXNet's row is all that follows the first axis, and it counts rows over all but the last: they
  // fit if the sizes in the middle are 1.
  Shape flat = data;
  for (std::size_t i = 1; i + 1 < data.rank(); ++i) flat[i] = data[i].is_constant() ? data[i] : 1;
  if (!data.is_static()) c.set_input_shape(0, flat);
  const Dim rows = data.count(0, data.rank() - 1);
  // The indices may have any shape of as many elements, which is that of the result.
  const Shape& known = c.input_shape(1).known_rank() ? c.input_shape(1) : c.output_shape(0);
  if (!known.known_rank() || known.rank() == 1) {
    c.set_input_shape(1, Shape{rows});
    c.set_output_shape(0, c.input_shape(1));
    return;
  }
  const Dim surplus = known.count() - rows;
  if (surplus.is_constant() && surplus.value() != 0) {
    c.fail_input(1, fmt::format("{} elements", rows.to_string()));
  }
  c.set_input_shape(1, known);
  c.set_output_shape(0, known);
}

void translate_batch_take(const NoParam& /*p*/, Translation& t) {
  const Dim& rows = t.input_shape(0)[0];
  if (!(t.input_shape(0).count(1, t.input_rank(0) - 1) == Dim(1))) {
    return t.refuse("MXNet reads beyond the end of the array where sizes in the middle are not 1");
  }
  const Dim& width = t.input_shape(0)[t.input_rank(0) - 1];
  const Value indices = valid_indices(t.b, t.input(1), width, OutOfRange::kClip);
  const Value column = onnx::reshape(t.b, indices, Shape{rows, 1});
  const Value matrix = onnx::reshape(t.b, t.input(0), Shape{rows, width});
  const Value taken = gather_elements(t.b, matrix, column, 1);
  t.set_output(0, onnx::reshape(t.b, taken, t.output_shape(0)));
}

struct PickParam {
  enum class Mode { kClip, kWrap };
  std::int64_t axis = -1;
  bool keepdims = false;
  Mode mode = Mode::kClip;

  static void declare(AttrDeclarer<PickParam>& d) {
    d.field("axis", &PickParam::axis).help("that is indexed; MXNet does not take None");
    d.field("keepdims", &PickParam::keepdims).help("the axis stays, with size 1");
    d.one_of("mode", &PickParam::mode, {"clip", "wrap"})
        .help("what becomes of an index out of range");
  }
};

void infer_pick(const PickParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, data.rank());
  Shape kept = data;
  kept[axis] = 1;
  auto dims = data.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  // Under NumPy's shapes too.
  if (dims.empty()) dims.emplace_back(1);
  const Shape reduced(std::move(dims));
  if (!c.input_shape(1).known_rank()) c.set_input_shape(1, reduced);
  c.set_input_shape(1, c.input_shape(1).rank() == data.rank() ? kept : reduced);
  c.set_output_shape(0, p.keepdims ? kept : reduced);
}

void translate_pick(const PickParam& p, Translation& t) {
  Builder& b = t.b;
  const OutOfRange mode = p.mode == PickParam::Mode::kClip ? OutOfRange::kClip : OutOfRange::kWrap;
  const Shape& data = t.input_shape(0);
  const std::size_t axis = checked_axis(p.axis, data.rank());
  warn_of_float_ids(t, 1, data[axis]);
  Shape kept = data;
  kept[axis] = 1;
  const Value indices = onnx::reshape(b, valid_indices(b, t.input(1), data[axis], mode), kept);
  const Value picked = gather_elements(b, t.input(0), indices, static_cast<std::int64_t>(axis));
  t.set_output(0, onnx::reshape(b, picked, t.output_shape(0)));
}

struct OneHotParam {
  std::int64_t depth = 0;
  double on_value = 1;
  double off_value = 0;
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<OneHotParam>& d) {
    d.field("depth", &OneHotParam::depth).required().at_least(0).help("size of the new last axis");
    d.field("on_value", &OneHotParam::on_value).help("at the index");
    d.field("off_value", &OneHotParam::off_value).help("elsewhere");
    d.dtype("dtype", &OneHotParam::dtype).help("of the output");
  }
};

void infer_one_hot(const OneHotParam& p, InferContext& c) {
  c.set_output_dtype(0, p.dtype);
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  dims.emplace_back(p.depth);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// An index out of range makes a row of off_value: a comparison with 0, 1, … does that, where ONNX's
// OneHot counts negative ones from the end.
void translate_one_hot(const OneHotParam& p, Translation& t) {
  Builder& b = t.b;
  warn_of_float_ids(t, 0, p.depth);
  const Value column = onnx::unsqueeze(b, b.cast(t.input(0), DType::kInt64), {-1});
  const Value hit = b.binary("Equal", column, counting(b, p.depth));
  if (p.on_value == 1 && p.off_value == 0) return t.set_output(0, b.cast(hit, p.dtype));
  const DType compute = dtype_size(p.dtype) == 1 ? DType::kInt32 : p.dtype;
  const Value chosen = b.where(hit, b.scalar(compute, p.on_value), b.scalar(compute, p.off_value));
  t.set_output(0, b.cast(chosen, p.dtype));
}

// MXNet divides the elements into as many blocks as the condition has elements, whatever its shape.
bool chooses_blocks(const Shape& condition, const Shape& result) {
  if (!condition.is_static() || !result.is_static() || condition == result) return false;
  if (result.is_empty()) return true;
  return !condition.is_empty() && result.count().value() % condition.count().value() == 0;
}

void infer_where(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes(1);
  // One shape of both branches and the result, to which each may add a size.
  for (int round = 0; round < 2; ++round) {
    c.set_input_shape(1, c.output_shape(0));
    c.set_input_shape(2, c.input_shape(1));
    c.set_output_shape(0, c.input_shape(2));
  }
  const Shape& result = c.output_shape(0);
  const Shape& condition = c.input_shape(0);
  if (!result.known_rank() || !condition.known_rank()) return;
  if (chooses_blocks(condition, result)) return;
  // A condition of one dimension chooses rows.
  if (condition.rank() == 1 && result.rank() > 0) {
    c.set_input_shape(0, Shape{result[0]});
  } else {
    c.set_input_shape(0, result);
  }
}

void translate_where(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  Value condition = b.cast(t.input(0), DType::kBool);
  const std::size_t rank = t.input_rank(1);
  Value x = t.input(1);
  Value y = t.input(2);
  const bool by_row =
      t.input_rank(0) == 1 && rank > 0 && t.input_shape(0)[0] == t.input_shape(1)[0];
  if (!by_row && chooses_blocks(t.input_shape(0), t.input_shape(1))) {
    const Dim count = t.input_shape(0).count();
    const Shape blocks{count, floor_div(t.input_shape(1).count(), count)};
    condition = onnx::reshape(b, condition, Shape{count, 1});
    x = onnx::reshape(b, x, blocks);
    y = onnx::reshape(b, y, blocks);
  } else if (t.input_rank(0) == 1 && rank > 1)
    condition = along_axis(b, condition, 0, rank);
  // ONNX Runtime has no kernel for choosing between booleans.
  const DType dtype = t.input_type(1).dtype;
  const DType compute = dtype == DType::kBool || dtype == DType::kInt8 ? DType::kInt32 : dtype;
  const Value chosen = b.where(condition, b.cast(x, compute), b.cast(y, compute));
  t.set_output(0, onnx::reshape(b, b.cast(chosen, dtype), t.output_shape(0)));
}

constexpr std::string_view kWideIndexNote =
    "Of int64 indices beyond 2^31 MXNet takes the last 32 bits; here they are out of range.";

constexpr std::string_view kFloatIndexNote =
    "An index of float32 or float64 that is NaN is an error of the runtime, and one beyond 2^63 is "
    "out of range: MXNet leaves both to the processor.";

}  // namespace

void register_indexing(Registry& r) {
  const std::vector<std::vector<std::string>> embedding_names = {
      {"Embedding", "_npx_embedding", "_sparse_Embedding"}, {"_contrib_SparseEmbedding"}};
  for (const auto& names : embedding_names) {
    r.add<EmbeddingParam>(names)
        .summary("Rows of a weight by index.")
        .inputs({{"data", InputRole::kData}, {"weight", InputRole::kWeight}})
        .infer(infer_embedding)
        .translate(translate_embedding)
        .note(std::string(kFloatIndexNote));
  }
  r.add<TakeParam>({"take", "_npi_take"})
      .summary("Slices along an axis by index.")
      .inputs({{"a", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_take)
      .translate(translate_take)
      .note(
          "With mode raise, an index out of range is an error of the runtime, as it is one of "
          "MXNet. " +
          std::string(kFloatIndexNote));
  r.add<NoParam>({"batch_take"})
      .summary("One element of each row by index.")
      .inputs({{"a", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_batch_take)
      .translate(translate_batch_take)
      .note(std::string(kFloatIndexNote));
  r.add<PickParam>({"pick", "_npx_pick", "choose_element_0index"})
      .summary("One element along an axis by index.")
      .inputs({{"data", InputRole::kData}, {"index", InputRole::kData}})
      .infer(infer_pick)
      .translate(translate_pick)
      .note(fmt::format("{} {}", kWideIndexNote, kFloatIndexNote));
  r.add<OneHotParam>({"one_hot", "_npx_one_hot"})
      .summary("A new last axis with one element marked.")
      .inputs({{"indices", InputRole::kData}})
      .infer(infer_one_hot)
      .translate(translate_one_hot)
      .note(std::string(kWideIndexNote));
  r.add<NoParam>({"where", "_sparse_where"})
      .summary("Chooses between two arrays element by element, or row by row.")
      .inputs({{"condition", InputRole::kData}, {"x", InputRole::kData}, {"y", InputRole::kData}})
      .infer(infer_where)
      .translate(translate_where)
      .note(std::string(kZeroSignNote));
}

}  // namespace mx2onnx
