// _contrib_hawkesll (src/operator/contrib/hawkes_ll-inl.h): the likelihood of Hawkes processes, a
// Loop over the points of all samples at once.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/common.h"
#include "ops/matrices.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

enum Input { kLda, kAlpha, kBeta, kState, kLags, kMarks, kValidLength, kMaxTime, kNumInputs };

void infer_hawkes(const NoParam& /*p*/, InferContext& c) {
  DType dtype = DType::kUnknown;
  for (std::size_t i = 0; i < kNumInputs; ++i) {
    if (i != kMarks && dtype == DType::kUnknown) dtype = c.input(i).dtype;
  }
  for (std::size_t i = 0; i < kNumInputs; ++i) {
    c.set_input_dtype(i, i == kMarks ? DType::kInt32 : dtype);
  }
  Dim n;
  Dim k;
  Dim length;
  for (int round = 0; round < 2; ++round) {
    const auto take = [&](std::size_t i, std::vector<Dim*> dims) {
      std::vector<Dim> known;
      for (const Dim* dim : dims) known.push_back(*dim);
      c.set_input_shape(i, Shape(known));
      for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        if (!dims[axis]->known()) *dims[axis] = c.input_shape(i)[axis];
      }
    };
    take(kLda, {&n, &k});
    take(kAlpha, {&k});
    take(kBeta, {&k});
    take(kState, {&n, &k});
    take(kLags, {&n, &length});
    take(kMarks, {&n, &length});
    take(kValidLength, {&n});
    take(kMaxTime, {&n});
  }
  for (std::size_t i = 0; i < 2; ++i) c.set_output_dtype(i, dtype);
  c.set_output_shape(0, Shape{n});
  c.set_output_shape(1, Shape{n, k});
}

void translate_hawkes(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const DType dtype = t.input_type(kLda).dtype;
  const Dim n = t.input_shape(kLags)[0];
  const Dim length = t.input_shape(kLags)[1];
  const Dim num_marks = t.input_shape(kLda)[1];
  const Value one = b.scalar(dtype, 1);
  const Value zero = b.scalar(dtype, 0);
  const Value valid = t.input(kValidLength);
  const Value rows = onnx::fill(b, dtype, 0, Shape{n});
  const Value last = onnx::fill(b, dtype, 0, Shape{n, num_marks});

  const auto end = counted_loop(
      b, length, {rows, rows, last, t.input(kState)},
      [&](Value step, const std::vector<Value>& states) {
        const Value is_valid = b.binary("Less", b.cast(step, dtype), valid);
        // What stands behind the valid points is not looked at.
        const Value mark = b.where(
            is_valid, b.cast(column(b, t.input(kMarks), step), DType::kInt64), b.int_scalar(0));
        const Value at = onnx::unsqueeze(b, mark, {1});
        const auto pick = [&](Value x) {
          const Value element =
              b.emit("GatherElements", {x, at}, {{"axis", 1}}, {dtype, Shape{n, 1}});
          return onnx::squeeze(b, element, {1});
        };
        const Value alpha = b.gather(t.input(kAlpha), mark, 0);
        const Value beta = b.gather(t.input(kBeta), mark, 0);
        const Value background = pick(t.input(kLda));
        const Value state = pick(states[3]);
        const Value time = b.add(states[1], column(b, t.input(kLags), step));
        const Value lag = b.sub(time, pick(states[2]));
        const Value decay = b.unary("Exp", b.mul(b.unary("Neg", beta), lag));
        const Value added = b.mul(b.mul(b.mul(alpha, beta), state), decay);
        const Value intensity = b.add(background, added);
        const Value compensator =
            b.add(b.mul(background, lag), b.mul(b.mul(alpha, state), b.sub(one, decay)));
        const Value gain = b.sub(b.unary("Log", intensity), compensator);
        const Value likelihood = b.add(states[0], b.where(is_valid, gain, zero));
        const Value is_here = b.binary("And", b.binary("Equal", at, counting(b, num_marks)),
                                       onnx::unsqueeze(b, is_valid, {1}));
        const auto replaced = [&](Value x, Value by) {
          return b.where(is_here, onnx::unsqueeze(b, by, {1}), x);
        };
        const Value next = b.add(one, b.mul(state, decay));
        return std::vector<Value>{likelihood, time, replaced(states[2], time),
                                  replaced(states[3], next)};
      });

  // What is left from the last points to the end of the time.
  const Value lag = b.sub(onnx::unsqueeze(b, t.input(kMaxTime), {1}), end[2]);
  const Value decay = b.unary("Exp", b.mul(b.unary("Neg", t.input(kBeta)), lag));
  const Value rest =
      b.add(b.mul(t.input(kLda), lag), b.mul(b.mul(t.input(kAlpha), end[3]), b.sub(one, decay)));
  t.set_output(0, b.sub(end[0], onnx::reduce(b, "ReduceSum", rest, {1}, false)));
  t.set_output(1, b.mul(decay, end[3]));
}

}  // namespace

void register_hawkes(Registry& r) {
  r.add<NoParam>({"_contrib_hawkesll"})
      .summary("The logarithm of the likelihood of Hawkes processes, and their states.")
      .inputs({{"lda", InputRole::kData},
               {"alpha", InputRole::kData},
               {"beta", InputRole::kData},
               {"state", InputRole::kData},
               {"lags", InputRole::kData},
               {"marks", InputRole::kData},
               {"valid_length", InputRole::kData},
               {"max_time", InputRole::kData}})
      .outputs({"output", "out_state"})
      .infer(infer_hawkes)
      .translate(translate_hawkes)
      .note("A mark that is no process reads other memory in MXNet, and is an error in ONNX.");
}

}  // namespace mx2onnx
