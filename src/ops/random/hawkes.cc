// _contrib_hawkesll (src/operator/contrib/hawkes_ll-inl.h): the likelihood of Hawkes processes, a
// Loop over the points of all samples at once.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/stepwise.h"

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
  for (std::size_t i = 0; i < 2; ++i) {
    if (dtype == DType::kUnknown) dtype = c.output(i).dtype;
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

// MXNet's arithmetic, in which e^x and log are float32 functions.
class Arithmetic : public Stepwise {
 public:
  using Stepwise::Stepwise;

  /// e^(-x y)
  Value decay(Value x, Value y) const {
    const Value negative = b_.unary("Neg", x);
    // The product is not cut.
    if (is_integer(dtype_)) return cut(b_.unary("Exp", as_float(b_.mul(negative, y))));
    return rounded(b_.unary("Exp", mul(negative, y)));
  }
  /// sum + (log(x) - y)
  Value add_log(Value sum, Value x, Value y) const {
    if (!is_integer(dtype_)) return add(sum, rounded(b_.sub(b_.unary("Log", x), y)));
    const Value gain = b_.sub(b_.unary("Log", as_float(x)), as_float(y));
    return cut(b_.add(as_float(sum), gain));
  }

 private:
  Value as_float(Value x) const { return b_.cast(x, DType::kFloat32); }
  Value cut(Value x) const {
    const DType wide = dtype_ == DType::kInt64 ? dtype_ : DType::kInt32;
    return rounded(cut_to_integer(b_, x, wide));
  }
};

void translate_hawkes(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const DType data_dtype = t.input_type(kLda).dtype;
  if (data_dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Arithmetic steps(b, data_dtype);
  const DType dtype = steps.computing();
  const auto input = [&](Input i) { return steps.take(t.input(i)); };
  const Value background_of = input(kLda);
  const Value alpha_of = input(kAlpha);
  const Value beta_of = input(kBeta);
  const Value lags = input(kLags);
  const Dim n = t.input_shape(kLags)[0];
  const Dim length = t.input_shape(kLags)[1];
  const Dim num_marks = t.input_shape(kLda)[1];
  const Value one = b.scalar(dtype, 1);
  const Value valid = input(kValidLength);
  const Value rows = onnx::fill(b, dtype, 0, Shape{n});
  const Value last = onnx::fill(b, dtype, 0, Shape{n, num_marks});

  const auto end = counted_loop(
      b, length, {rows, rows, last, input(kState)},
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
        const Value alpha = b.gather(alpha_of, mark, 0);
        const Value beta = b.gather(beta_of, mark, 0);
        const Value background = pick(background_of);
        const Value state = pick(states[3]);
        const Value time = steps.add(states[1], column(b, lags, step));
        const Value lag = steps.sub(time, pick(states[2]));
        const Value decay = steps.decay(beta, lag);
        const Value added = steps.mul(steps.mul(steps.mul(alpha, beta), state), decay);
        const Value intensity = steps.add(background, added);
        const Value compensator = steps.add(
            steps.mul(background, lag), steps.mul(steps.mul(alpha, state), steps.sub(one, decay)));
        const Value likelihood =
            b.where(is_valid, steps.add_log(states[0], intensity, compensator), states[0]);
        const Value is_here = b.binary("And", b.binary("Equal", at, counting(b, num_marks)),
                                       onnx::unsqueeze(b, is_valid, {1}));
        const auto replaced = [&](Value x, Value by) {
          return b.where(is_here, onnx::unsqueeze(b, by, {1}), x);
        };
        const Value next = steps.add(one, steps.mul(state, decay));
        return std::vector<Value>{likelihood, time, replaced(states[2], time),
                                  replaced(states[3], next)};
      });

  // What is left from the last points to the end of the time.
  const Value lag = steps.sub(onnx::unsqueeze(b, input(kMaxTime), {1}), end[2]);
  const Value decay = steps.decay(beta_of, lag);
  const Value rest = steps.add(steps.mul(background_of, lag),
                               steps.mul(steps.mul(alpha_of, end[3]), steps.sub(one, decay)));
  const Value total = steps.rounded(onnx::reduce(b, "ReduceSum", rest, {1}, false));
  t.set_output(0, steps.give(steps.sub(end[0], total)));
  t.set_output(1, steps.give(steps.mul(decay, end[3])));
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
