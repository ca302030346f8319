// How often numbers occur: _histogram (src/operator/tensor/histogram.cc).
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct HistogramParam {
  std::optional<std::int64_t> bin_cnt;
  std::optional<FloatTuple> range;
  static void declare(AttrDeclarer<HistogramParam>& d) {
    d.field("bin_cnt", &HistogramParam::bin_cnt)
        .at_least(1)
        .at_most(1 << 20)
        .help("number of bins of one width; None: a second input has their bounds");
    d.field("range", &HistogramParam::range).help("least and largest number that is counted");
  }
  double least() const { return (*range)[0] - (is_point() ? 0.5 : 0); }
  double largest() const { return (*range)[1] + (is_point() ? 0.5 : 0); }
  bool is_point() const { return (*range)[0] == (*range)[1]; }
};

std::vector<AttrProblem> check_histogram(const HistogramParam& p, const CheckContext& /*context*/) {
  if (p.bin_cnt.has_value() != p.range.has_value()) {
    return {{"range", "expected a range with bin_cnt, and none without", ""}};
  }
  if (p.range && (p.range->size() != 2 || !((*p.range)[0] <= (*p.range)[1]))) {
    return {{"range", "expected two numbers, the smaller one first", ""}};
  }
  return {};
}

void infer_histogram(const HistogramParam& p, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  for (const DType dtype : {c.output(1).dtype, c.input(0).dtype}) {
    c.set_input_dtype(0, dtype);
    c.set_output_dtype(1, dtype);
    if (!p.bin_cnt) c.set_input_dtype(1, dtype);
  }
  if (!p.bin_cnt) c.set_input_shape(1, Shape::unknown_dims(1));
  const Dim bounds = p.bin_cnt ? Dim(*p.bin_cnt + 1) : c.input_shape(1)[0];
  if (bounds.is_constant() && bounds.value() < 2) c.fail_input(1, "at least 2 bounds");
  c.set_output_shape(0, Shape{bounds - 1});
  c.set_output_shape(1, Shape{bounds});
}

// How often each of -1, 0, … count - 1 occurs, less the first: each is added once, and they come
// out in order.
Value counts_of(Builder& b, Value bins, const Dim& count) {
  const Value all = b.concat({b.ints({-1}), counting(b, count), bins}, 0);
  const Shape found{count + 1};
  const auto outputs = b.emit_many("Unique", {all}, {{"sorted", 1}},
                                   {{DType::kInt64, found}, {}, {}, {DType::kInt64, found}});
  const Value counts = onnx::slice(b, outputs[3], {{0, 1, onnx::kSliceEnd}}, Shape{count});
  return b.sub(counts, b.int_scalar(1));
}

// The bin of each element among given bounds: before the first bound that is above it.
Value bins_between(Builder& b, Value data, Value bounds, const Dim& count) {
  const auto bound = [&](std::int64_t i, std::int64_t end) {
    return onnx::slice(b, bounds, {{0, i, end}}, Shape{1});
  };
  const Value column = onnx::unsqueeze(b, data, {1});
  const Value below = b.cast(b.binary("Less", column, bounds), DType::kInt32);
  const Value first = onnx::arg_reduce(b, "ArgMax", below, 1, false);
  const Value any = b.cast(onnx::reduce(b, "ReduceMax", below, {1}, false), DType::kBool);
  const Value last = onnx::size_tensor(b, count - 1);
  const Value bin = b.where(any, b.sub(first, b.int_scalar(1)), last);
  const Value outside = b.binary("Or", b.binary("Less", data, bound(0, 1)),
                                 b.binary("Less", bound(-1, onnx::kSliceEnd), data));
  // What is not a number is not compared.
  const Value ordered = b.binary("Equal", data, data);
  const Value inside = b.binary("And", ordered, b.unary("Not", outside));
  return b.where(inside, bin, b.int_scalar(-1));
}

// The bin is first computed, then moved by one where the rounded bounds say so.
Value bins_of_width(Builder& b, const HistogramParam& p, DType dtype, Value data, Value bounds) {
  // With numbers of the attributes MXNet computes in float64, but for float16.
  const bool is_half = dtype == DType::kFloat16;
  const Stepwise steps(b, is_half ? dtype : DType::kFloat64);
  const Value wide = b.cast(data, steps.computing());
  const auto number = [&](double value) { return b.scalar(steps.computing(), value); };
  const Value outside = b.binary("Or", b.binary("Less", wide, number(p.least())),
                                 b.binary("Greater", wide, number(p.largest())));
  const Value inside = b.binary("And", b.binary("Equal", wide, wide), b.unary("Not", outside));
  const Value known = b.where(inside, wide, number(p.least()));
  const Value above_least = steps.sub(known, number(p.least()));
  const Value scaled = steps.div(steps.mul(above_least, number(static_cast<double>(*p.bin_cnt))),
                                 number(p.largest() - p.least()));
  const Value last = b.int_scalar(*p.bin_cnt - 1);
  Value bin = b.binary("Min", b.cast(scaled, DType::kInt64), last);
  const Value below = b.binary("Less", data, b.gather(bounds, bin, 0));
  bin = b.sub(bin, b.cast(below, DType::kInt64));
  const Value next = b.gather(bounds, b.add(bin, b.int_scalar(1)), 0);
  const Value above = b.binary("And", b.unary("Not", b.binary("Less", data, next)),
                               b.unary("Not", b.binary("Equal", bin, last)));
  return b.where(inside, b.add(bin, b.cast(above, DType::kInt64)), b.int_scalar(-1));
}

void translate_histogram(const HistogramParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Dim count = t.output_shape(0)[0];
  // ONNX Runtime compares no narrow integers.
  const DType compared = dtype_size(dtype) == 1     ? DType::kInt32
                         : dtype == DType::kFloat16 ? DType::kFloat32
                                                    : dtype;
  const Value data =
      b.cast(onnx::reshape(b, t.input(0), Shape{t.input_shape(0).count()}), compared);
  if (!p.bin_cnt) {
    t.set_output(1, t.input(1));
    const Value bounds = b.cast(t.input(1), compared);
    return t.set_output(0, counts_of(b, bins_between(b, data, bounds, count), count));
  }
  std::vector<double> numbers;
  const auto bins = static_cast<double>(*p.bin_cnt);
  for (double i = 0; i <= bins; ++i) {
    const double bound = (p.largest() * i + (bins - i) * p.least()) / bins;
    if (!has_defined_value(bound, dtype)) {
      return t.refuse(fmt::format("the bound {} is not a number of {}", bound, dtype_name(dtype)));
    }
    numbers.push_back(is_integer(dtype) ? static_cast<double>(cut_to_integer(bound, dtype))
                                        : bound);
  }
  const Value bounds = b.constant(make_tensor_as(dtype, {*p.bin_cnt + 1}, numbers));
  t.set_output(1, bounds);
  t.set_output(0, counts_of(b, bins_of_width(b, p, dtype, data, b.cast(bounds, compared)), count));
}

}  // namespace

void register_histogram(Registry& r) {
  r.add<HistogramParam>({"_histogram", "_npi_histogram"})
      .summary("How many elements lie in each of a row of intervals.")
      .inputs_by([](const HistogramParam& p) -> std::vector<InputDef> {
        if (p.bin_cnt) return {{"data", InputRole::kData}};
        return {{"data", InputRole::kData}, {"bins", InputRole::kData}};
      })
      .outputs({"output0", "output1"})
      .infer(infer_histogram)
      .translate(translate_histogram)
      .check(check_histogram)
      .note("Bounds that are given and are NaN, or not in order, are undefined in MXNet.");
}

}  // namespace mx2onnx
