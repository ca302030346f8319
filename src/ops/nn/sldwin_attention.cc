// Attention to a window of neighbours (src/operator/contrib/transformer.cc): each step i of a
// sequence sees the steps i + dilation (k - w), k = 0, 1, …, with a dilation per head. A Scan goes
// through the window, so that memory grows with the length of the sequence alone.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct SldwinParam {
  std::int64_t w = 0;
  bool symmetric = false;

  static void declare(AttrDeclarer<SldwinParam>& d) {
    constexpr double kMostWindow = 1 << 20;
    d.field("w", &SldwinParam::w)
        .required()
        .at_least(0)
        .at_most(kMostWindow)
        .help("how many steps are seen on one side");
    d.field("symmetric", &SldwinParam::symmetric)
        .required()
        .help("as many steps are seen on the other side, too");
  }
  std::int64_t length() const { return symmetric ? 2 * w + 1 : w + 1; }
};

constexpr std::size_t kRank = 4;  // batch, length, heads, and the window or units

void infer_common(InferContext& c, std::size_t dilation) {
  c.set_output_dtype(0, DType::kFloat32);
  c.set_input_shape(0, Shape::unknown_dims(kRank));
  c.set_input_shape(dilation, Shape{c.input_shape(0)[2]});
  Shape heads = Shape::unknown_dims(kRank);
  heads[2] = c.input_shape(dilation)[0];
  c.set_input_shape(0, heads);
}

void infer_score(const SldwinParam& p, InferContext& c) {
  infer_common(c, 2);
  c.set_input_shape(0, c.input_shape(1));
  c.set_input_shape(1, c.input_shape(0));
  Shape score = c.input_shape(0);
  score[3] = p.length();
  c.set_output_shape(0, score);
}

void infer_context(const SldwinParam& p, InferContext& c) {
  infer_common(c, 2);
  Shape score = Shape::unknown_dims(kRank);
  score[3] = p.length();
  c.set_input_shape(0, score);
  Shape value = c.input_shape(0);
  value[3] = Dim();
  c.set_input_shape(1, value);
  Shape back = c.input_shape(1);
  back[3] = Dim();
  c.set_input_shape(0, back);
  c.set_output_shape(0, c.input_shape(1));
}

void infer_mask(const SldwinParam& p, InferContext& c) {
  infer_common(c, 1);
  Shape score = c.output_shape(0).known_rank() ? c.output_shape(0) : Shape::unknown_dims(kRank);
  score[3] = p.length();
  c.set_input_shape(0, score);
  c.set_input_shape(2, Shape{c.input_shape(0)[0]});
  Shape batch = Shape::unknown_dims(kRank);
  batch[0] = c.input_shape(2)[0];
  c.set_input_shape(0, batch);
  c.set_output_shape(0, c.input_shape(0));
}

// MXNet's kernels read float32 and int32, whatever the arrays hold.
bool expect_types(Translation& t, std::size_t num_floats) {
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const DType wanted = i < num_floats ? DType::kFloat32 : DType::kInt32;
    if (t.input_type(i).dtype == wanted) continue;
    t.refuse(fmt::format("expected input {} to be {}, found {}", i, dtype_name(wanted),
                         dtype_name(t.input_type(i).dtype)));
    return false;
  }
  return true;
}

// The steps that are seen at a place of the window.
class Window {
 public:
  Window(Builder& b, Value dilation, const Dim& length)
      : b_(b),
        steps_(counting(b, length)),
        dilation_(onnx::unsqueeze(b, b.cast(dilation, DType::kInt64), {1})),
        last_(b.sub(onnx::reshape(b, onnx::size_tensor(b, length), Shape(std::vector<Dim>{})),
                    b.int_scalar(1))) {}

  /// (heads, length, batch, units), as the rows are picked.
  Value by_head(Value x) const { return b_.transpose(x, {2, 1, 0, 3}); }

  /// The rows that are seen at `offset` (an int64 scalar), and whether there is such a step, of
  /// shape (heads, length, 1).
  std::pair<Value, Value> rows(Value x, Value offset) const {
    const Value at = b_.add(steps_, b_.mul(dilation_, offset));
    const Value inside = b_.binary("Min", b_.binary("Max", at, b_.int_scalar(0)), last_);
    const Value picked = b_.emit("GatherND", {x, onnx::unsqueeze(b_, inside, {-1})},
                                 {{"batch_dims", 1}}, b_.type(x));
    return {picked, onnx::unsqueeze(b_, b_.binary("Equal", at, inside), {-1})};
  }

 private:
  Builder& b_;
  Value steps_;
  Value dilation_;
  Value last_;
};

Value offsets(Builder& b, const SldwinParam& p) {
  return b.sub(counting(b, p.length()), b.int_scalar(p.w));
}

void translate_score(const SldwinParam& p, Translation& t) {
  if (!expect_types(t, 2)) return;
  Builder& b = t.b;
  const Shape& shape = t.input_shape(0);
  const Window window(b, t.input(2), shape[1]);
  const Value query = window.by_head(t.input(0));
  const Value key = window.by_head(t.input(1));
  const Value places = offsets(b, p);
  const Value zero = b.scalar(DType::kFloat32, 0);
  BodyScope scope(b);
  const Value offset = scope.add_input("offset", {DType::kInt64, Shape(std::vector<Dim>{})});
  const auto [rows, exists] = window.rows(key, offset);
  const Value sums = onnx::reduce(b, "ReduceSum", b.mul(query, rows), {-1}, false);
  const auto body = scope.finish({b.where(exists, sums, zero)});
  const Value score =
      b.emit("Scan", {places},
             {{"body", body}, {"num_scan_inputs", 1}, {"scan_output_axes", onnx::Ints{3}}},
             {DType::kFloat32, Shape{shape[2], shape[1], shape[0], Dim(p.length())}});
  t.set_output(0, window.by_head(score));
}

void translate_context(const SldwinParam& p, Translation& t) {
  if (!expect_types(t, 2)) return;
  Builder& b = t.b;
  const Shape& shape = t.input_shape(1);
  const Window window(b, t.input(2), shape[1]);
  const Value score = window.by_head(t.input(0));
  const Value value = window.by_head(t.input(1));
  const Value places = offsets(b, p);
  const Value zero = b.scalar(DType::kFloat32, 0);
  const Value start = onnx::fill(b, DType::kFloat32, 0, b.shape(value));
  BodyScope scope(b);
  const Value sum = scope.add_input("sum", b.type(value));
  const Value offset = scope.add_input("offset", {DType::kInt64, Shape(std::vector<Dim>{})});
  const Value weight =
      scope.add_input("weight", {DType::kFloat32, Shape{shape[2], shape[1], shape[0]}});
  const auto [rows, exists] = window.rows(value, offset);
  const Value products = b.mul(onnx::unsqueeze(b, weight, {-1}), rows);
  const Value seen = b.where(onnx::unsqueeze(b, exists, {-1}), products, zero);
  const auto body = scope.finish({b.add(sum, seen)});
  const Value context =
      b.emit("Scan", {start, places, score},
             {{"body", body}, {"num_scan_inputs", 2}, {"scan_input_axes", onnx::Ints{0, 3}}},
             b.type(value));
  t.set_output(0, window.by_head(context));
}

// 0 where the window reaches beyond the sequence, and behind its end.
void translate_mask(const SldwinParam& p, Translation& t) {
  for (std::size_t i = 1; i < t.num_inputs(); ++i) {
    if (t.input_type(i).dtype != DType::kInt32) {
      return t.refuse(fmt::format("expected input {} to be int32, found {}", i,
                                  dtype_name(t.input_type(i).dtype)));
    }
  }
  Builder& b = t.b;
  const auto whole = [&](Value x) { return b.cast(x, DType::kInt64); };
  const Value step = onnx::unsqueeze(b, counting(b, t.input_shape(0)[1]), {1, 2});
  const Value given = onnx::unsqueeze(b, whole(t.input(1)), {1});
  // MXNet stops at a dilation of 0, as would a division here.
  const Value is_zero = b.binary("Equal", given, b.int_scalar(0));
  const Value dilation = b.where(is_zero, b.int_scalar(1), given);
  const Value place = counting(b, p.length());
  const Value length = onnx::unsqueeze(b, whole(t.input(2)), {1, 2, 3});
  const Value w = b.int_scalar(p.w);
  const Value before = b.binary("Less", place, b.sub(w, b.div(step, dilation)));
  Value outside = b.binary("Or", before, b.unary("Not", b.binary("Less", step, length)));
  if (p.symmetric) {
    const Value from_end = b.sub(b.int_scalar(p.length() - 1), place);
    const Value left = b.sub(b.sub(length, step), b.int_scalar(1));
    const Value behind = b.binary("Less", from_end, b.sub(w, b.div(left, dilation)));
    outside = b.binary("Or", outside, behind);
  }
  t.set_output(0, b.cast(b.unary("Not", outside), DType::kFloat32));
}

}  // namespace

void register_sldwin_attention(Registry& r) {
  const auto inputs = [](std::vector<std::string> names) {
    std::vector<InputDef> result;
    for (auto& name : names) result.push_back({std::move(name), InputRole::kData});
    return result;
  };
  r.add<SldwinParam>({"_contrib_sldwin_atten_score", "_npx_sldwin_atten_score"})
      .summary("Scores of attention to a window of neighbours.")
      .inputs(inputs({"query", "key", "dilation"}))
      .outputs({"score"})
      .infer(infer_score)
      .translate(translate_score);
  r.add<SldwinParam>({"_contrib_sldwin_atten_context", "_npx_sldwin_atten_context"})
      .summary("The sums of neighbours weighted by such scores.")
      .inputs(inputs({"score", "value", "dilation"}))
      .outputs({"context_vec"})
      .infer(infer_context)
      .translate(translate_context);
  r.add<SldwinParam>({"_contrib_sldwin_atten_mask_like", "_npx_sldwin_atten_mask_like"})
      .summary("0 where such a window reaches beyond the sequence, else 1.")
      .inputs(inputs({"score", "dilation", "valid_length"}))
      .outputs({"mask"})
      .infer(infer_mask)
      .translate(translate_mask);
}

}  // namespace mx2onnx
