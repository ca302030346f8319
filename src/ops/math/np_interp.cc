// NumPy's interp: values of a piecewise linear function, in float64
// (src/operator/numpy/np_interp_op-inl.h).
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

constexpr DType kReal = DType::kFloat64;

struct InterpParam {
  std::optional<double> left;
  std::optional<double> right;
  std::optional<double> period;
  double x_scalar = 0;
  bool x_is_scalar = false;

  static void declare(AttrDeclarer<InterpParam>& d) {
    d.field("left", &InterpParam::left).help("below the first place; None: the first value");
    d.field("right", &InterpParam::right).help("above the last place; None: the last value");
    d.field("period", &InterpParam::period).help("after which the function begins anew");
    d.field("x_scalar", &InterpParam::x_scalar).help("where it is computed");
    d.field("x_is_scalar", &InterpParam::x_is_scalar).help("False: an input says where");
  }
};

std::vector<AttrProblem> check_interp(const InterpParam& p, const CheckContext& /*context*/) {
  if (!p.period || *p.period != 0) return {};
  return {{"period", "expected a number other than 0, got 0", ""}};
}

std::vector<InputDef> interp_inputs(const InterpParam& p) {
  std::vector<InputDef> inputs{{"xp", InputRole::kData}, {"fp", InputRole::kData}};
  if (!p.x_is_scalar) inputs.push_back({"x", InputRole::kData});
  return inputs;
}

void infer_interp(const InterpParam& p, InferContext& c) {
  c.set_output_dtype(0, kReal);
  for (const std::size_t i : {0, 1}) {
    if (c.input_shape(i).known_rank() && c.input_shape(i).rank() != 1)
      c.fail_input(i, "1 dimension");
  }
  c.set_input_shape(1, c.input_shape(0));
  c.set_input_shape(0, c.input_shape(1));
  c.set_output_shape(0, p.x_is_scalar ? Shape(std::vector<Dim>{}) : c.input_shape(2));
}

// How many places are not above x.
Value places_below(Builder& b, Value x, Value places) {
  const auto rank = static_cast<std::int64_t>(b.shape(x).rank());
  const Value column = onnx::unsqueeze(b, x, {rank});
  const Value is_below = b.cast(b.binary("GreaterOrEqual", column, places), DType::kInt64);
  return onnx::reduce(b, "ReduceSum", is_below, {rank}, false);
}

struct Line {
  Value from_x, to_x, from_y, to_y;
};

Value on_line(Builder& b, Value x, const Line& line) {
  const Value weight = b.div(b.sub(x, line.from_x), b.sub(line.to_x, line.from_x));
  const Value rest = b.sub(b.scalar(kReal, 1), weight);
  return b.add(b.mul(line.from_y, rest), b.mul(line.to_y, weight));
}

Value at(Builder& b, Value values, Value index) { return b.gather(values, index, 0); }

Value plain(Builder& b, const InterpParam& p, Value xp, Value fp, Value x) {
  const Value below = places_below(b, x, xp);
  const Value size =
      onnx::reshape(b, onnx::size_tensor(b, b.shape(xp)[0] - 1), Shape(std::vector<Dim>{}));
  const Value lower = b.binary("Max", b.sub(below, b.int_scalar(1)), b.int_scalar(0));
  const Value upper = b.binary("Min", below, size);
  const Line line{at(b, xp, lower), at(b, xp, upper), at(b, fp, lower), at(b, fp, upper)};
  // On a place, so that what is not finite at its neighbours does not matter.
  const Value is_on = b.binary("Equal", x, line.from_x);
  const Value inside = b.where(is_on, line.from_y, on_line(b, x, line));
  const Value zero = b.int_scalar(0);
  const Value left = p.left ? b.scalar(kReal, *p.left) : at(b, fp, zero);
  const Value right = p.right ? b.scalar(kReal, *p.right) : at(b, fp, size);
  const Value not_below = b.where(b.binary("Less", x, at(b, xp, zero)), left, inside);
  return b.where(b.binary("Greater", x, at(b, xp, size)), right, not_below);
}

// One place more at both ends, a period from the other end.
Value periodic(Builder& b, double period, Value xp, Value fp, Value x) {
  const Value length = b.scalar(kReal, period);
  const Value places = binary::kModulo.emit(b, xp, length);
  const auto [sorted, order] = onnx::top_k(b, places, b.shape(xp)[0], 0, false);
  const Value values = b.gather(fp, order, 0);
  const auto ends = [&](Value of, std::int64_t i) { return b.gather(of, b.ints({i}), 0); };
  const Value all_places =
      b.concat({b.sub(ends(sorted, -1), length), sorted, b.add(ends(sorted, 0), length)}, 0);
  const Value all_values = b.concat({ends(values, -1), values, ends(values, 0)}, 0);
  const Value where = binary::kModulo.emit(b, x, length);
  const Value lower = places_below(b, where, sorted);
  const Value upper = b.add(lower, b.int_scalar(1));
  return on_line(b, where,
                 {at(b, all_places, lower), at(b, all_places, upper), at(b, all_values, lower),
                  at(b, all_values, upper)});
}

void translate_interp(const InterpParam& p, Translation& t) {
  Builder& b = t.b;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    if (t.input_type(i).dtype == kReal) continue;
    return t.refuse(
        fmt::format("MXNet does not compute this on {}", dtype_name(t.input_type(i).dtype)));
  }
  if (t.output_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, kReal, 0, t.output_shape(0)));
  }
  const Value x = p.x_is_scalar ? b.scalar(kReal, p.x_scalar) : t.input(2);
  t.set_output(0, p.period ? periodic(b, *p.period, t.input(0), t.input(1), x)
                           : plain(b, p, t.input(0), t.input(1), x));
}

}  // namespace

void register_np_interp(Registry& r) {
  r.add<InterpParam>({"_npi_interp"})
      .summary("A piecewise linear function of x, given by its places xp and values fp.")
      .inputs_by(interp_inputs)
      .infer(infer_interp)
      .translate(translate_interp)
      .check(check_interp)
      .note("Of places that do not grow, and where x is NaN, MXNet's result is undefined.");
}

}  // namespace mx2onnx
