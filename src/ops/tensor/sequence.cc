// Operators over sequences of different lengths: masking, the last step, reversal
// (src/operator/sequence_mask-inl.h, sequence_last-inl.h, sequence_reverse-inl.h).
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct SequenceParam {
  bool use_sequence_length = false;
  std::int64_t axis = 0;

 protected:
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d, std::int64_t last_axis) {
    d.field("use_sequence_length", &SequenceParam::use_sequence_length)
        .help("an input has the length of each sequence; all have the same otherwise");
    d.field("axis", &SequenceParam::axis)
        .at_least(0)
        .at_most(static_cast<double>(last_axis))
        .help("axis of time");
  }
};

struct SequenceMaskParam : SequenceParam {
  double value = 0;
  static void declare(AttrDeclarer<SequenceMaskParam>& d) {
    declare_common(d, 1);
    d.field("value", &SequenceMaskParam::value).help("what is put past the end");
  }
};

struct SequenceLastParam : SequenceParam {
  static void declare(AttrDeclarer<SequenceLastParam>& d) { declare_common(d, 1); }
};

struct SequenceReverseParam : SequenceParam {
  static void declare(AttrDeclarer<SequenceReverseParam>& d) { declare_common(d, 0); }
};

std::vector<InputDef> sequence_inputs(const SequenceParam& p) {
  if (!p.use_sequence_length) return {{"data", InputRole::kData}};
  return {{"data", InputRole::kData}, {"sequence_length", InputRole::kData}};
}

std::size_t time_axis(const SequenceParam& p) { return static_cast<std::size_t>(p.axis); }
std::size_t batch_axis(const SequenceParam& p) { return 1 - time_axis(p); }

void infer_lengths(const SequenceParam& p, InferContext& c) {
  const Shape& data = c.input_shape(0);
  if (data.known_rank() && data.rank() < 2) c.fail_input(0, "2 dimensions at least");
  if (!p.use_sequence_length) return;
  if (c.input(1).dtype == DType::kUnknown) c.set_input_dtype(1, c.input(0).dtype);
  if (!c.input_shape(1).known_rank()) c.set_input_shape(1, Shape::unknown_dims(1));
  if (c.input_shape(1).rank() != 1) c.fail_input(1, "1 dimension");
  if (data.known_rank()) c.set_input_shape(1, Shape(std::vector<Dim>{data[batch_axis(p)]}));
}

template <typename P>
void infer_all_steps(const P& p, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  infer_lengths(p, c);
}

void infer_last(const SequenceLastParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  infer_lengths(p, c);
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  const auto place = static_cast<std::ptrdiff_t>(time_axis(p));
  dims.erase(dims.begin() + place);
  c.set_output_shape(0, Shape(dims));
  dims = c.output_shape(0).dims();
  dims.insert(dims.begin() + place, Dim());
  c.set_input_shape(0, Shape(std::move(dims)));
}

// Lengths are cut to integers, as C++ does it.
Value whole_lengths(Translation& t) { return t.b.cast(t.input(1), DType::kInt64); }

void translate_mask(const SequenceMaskParam& p, Translation& t) {
  if (!p.use_sequence_length) return t.set_output(0, t.b.identity(t.input(0)));
  Builder& b = t.b;
  const std::size_t rank = t.input_rank(0);
  const Value steps = along_axis(b, counting(b, t.input_shape(0)[time_axis(p)]), time_axis(p), 2);
  const Value lengths = along_axis(b, whole_lengths(t), batch_axis(p), 2);
  Value inside = b.binary("Less", steps, lengths);
  std::vector<std::int64_t> rest;
  for (std::size_t axis = 2; axis < rank; ++axis) rest.push_back(static_cast<std::int64_t>(axis));
  if (!rest.empty()) inside = onnx::unsqueeze(b, inside, rest);
  const DType dtype = t.input_type(0).dtype;
  t.set_output(0, b.where(inside, t.input(0), b.scalar(dtype, p.value)));
}

void translate_last(const SequenceLastParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  if (!p.use_sequence_length) {
    const auto last = onnx::slice(b, t.input(0), {{p.axis, Dim(-1), Dim(onnx::kSliceEnd), 1}}, [&] {
      auto dims = data.dims();
      dims[time_axis(p)] = Dim(1);
      return Shape(std::move(dims));
    }());
    return t.set_output(0, onnx::squeeze(b, last, {p.axis}));
  }
  // Of each sequence one step: first the sequences, then the step within them.
  const Value by_sequence =
      p.axis == 1 ? t.input(0) : b.transpose(t.input(0), swap_perm(data.rank(), 0, 1));
  const Value step = b.sub(whole_lengths(t), b.ints({1}));
  const Value found = b.emit("GatherND", {by_sequence, onnx::unsqueeze(b, step, {1})},
                             {{"batch_dims", 1}}, t.output_type(0));
  t.set_output(0, found);
}

void translate_reverse(const SequenceReverseParam& p, Translation& t) {
  Builder& b = t.b;
  if (p.use_sequence_length) {
    const Value result = b.emit("ReverseSequence", {t.input(0), whole_lengths(t)},
                                {{"batch_axis", 1}, {"time_axis", 0}}, t.output_type(0));
    return t.set_output(0, result);
  }
  t.set_output(
      0, onnx::slice(b, t.input(0), {{0, Dim(-1), Dim(onnx::kSliceBegin), -1}}, t.output_shape(0)));
}

}  // namespace

void register_sequence(Registry& r) {
  r.add<SequenceMaskParam>({"SequenceMask", "_npx_sequence_mask"})
      .summary("Puts a value past the end of each sequence.")
      .inputs_by(sequence_inputs)
      .infer(infer_all_steps<SequenceMaskParam>)
      .translate(translate_mask)
      .note("Lengths below 0 have no defined result in MXNet.");
  r.add<SequenceLastParam>({"SequenceLast", "_npx_sequence_last"})
      .summary("The last step of each sequence.")
      .inputs_by(sequence_inputs)
      .infer(infer_last)
      .translate(translate_last)
      .note("A length of 0, or one past the end, has no defined result in MXNet.");
  r.add<SequenceReverseParam>({"SequenceReverse", "_npx_sequence_reverse"})
      .summary("Turns the steps of each sequence round, up to its length.")
      .inputs_by(sequence_inputs)
      .infer(infer_all_steps<SequenceReverseParam>)
      .translate(translate_reverse)
      .note("A length below 0, or one past the end, has no defined result in MXNet.");
}

}  // namespace mx2onnx
