// Products of int8 matrices by the intgemm library (src/operator/contrib/intgemm). A prepared
// weight lies in memory as a processor likes it; here it stays in its order, and only a weight that
// the model itself prepares can be multiplied by.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr float kMostMagnitude = 127;

std::string prepared_key(Value weight) { return fmt::format("intgemm weight {}", weight.id); }

Value number(Builder& b, double value) { return b.scalar(DType::kFloat32, value); }

Value max_absolute(Builder& b, Value x) {
  onnx::Ints axes = iota(b.shape(x).rank());
  if (b.shape(x).is_empty()) return onnx::fill(b, DType::kFloat32, 0, Shape{Dim(1)});
  Value largest = onnx::reduce(b, "ReduceMax", b.unary("Abs", x), axes, false);
  // Of no elements 0, where ONNX has -inf.
  if (!b.shape(x).count().is_constant()) largest = b.binary("Max", largest, number(b, 0));
  return onnx::reshape(b, largest, Shape{Dim(1)});
}

// To whole numbers, halves to even ones, never -128. What no int32 holds, and NaN, is x86's least
// number.
Value quantized(Builder& b, Value x, Value factor) {
  const Value whole = b.unary("Round", b.mul(x, factor));
  const Value fits = b.binary("Less", whole, number(b, 0x1p31F));
  const Value held = b.where(fits, whole, number(b, -kMostMagnitude));
  return b.cast(onnx::clip(b, held, -kMostMagnitude, kMostMagnitude), DType::kInt8);
}

// What maps the given largest magnitude to 127.
Value factor_of(Builder& b, Value most) {
  const Value scalar = onnx::reshape(b, most, Shape(std::vector<Dim>{}));
  return b.div(number(b, kMostMagnitude), scalar);
}

void infer_maxabsolute(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  c.set_output_shape(0, Shape{Dim(1)});
}

void translate_maxabsolute(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, max_absolute(t.b, t.input(0)));
}

struct PrepareWeightParam {
  bool already_quantized = false;

  static void declare(AttrDeclarer<PrepareWeightParam>& d) {
    d.field("already_quantized", &PrepareWeightParam::already_quantized)
        .help("the weight is int8 already");
  }
};

template <typename P>
void infer_prepared(const P& /*p*/, InferContext& c) {
  const bool is_quantized = c.num_inputs() == 1;
  c.set_input_dtype(0, is_quantized ? DType::kInt8 : DType::kFloat32);
  c.set_output_dtype(0, DType::kInt8);
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  if (is_quantized) return;
  c.set_input_dtype(1, DType::kFloat32);
  c.set_input_shape(1, Shape{Dim(1)});
}

void translate_prepare_data(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, quantized(t.b, t.input(0), factor_of(t.b, t.input(1))));
}

void set_prepared(Translation& t, Value weight) {
  t.b.remember(prepared_key(weight), weight);
  t.set_output(0, weight);
}

void translate_prepare_weight(const PrepareWeightParam& p, Translation& t) {
  t.warn("W-backends-differ",
         "a prepared weight is in its own order here, and in MXNet in one of the processor's: only "
         "the operators of intgemm see no difference");
  // A value of its own, which nothing else is known as.
  set_prepared(t, p.already_quantized ? t.b.identity(t.input(0))
                                      : quantized(t.b, t.input(0), factor_of(t.b, t.input(1))));
}

bool expect_prepared(Translation& t, std::size_t i) {
  if (t.b.find_cached(prepared_key(t.input(i))).present()) return true;
  t.refuse("a weight that is prepared outside of the model is in an order of the processor's",
           "keep _contrib_intgemm_prepare_weight in the model");
  return false;
}

void infer_take_weight(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, DType::kInt8);
  c.set_input_dtype(1, DType::kInt32);
  c.set_output_dtype(0, DType::kInt8);
  c.set_input_shape(0, Shape{Dim(), c.output_shape(0).known_rank() ? c.output_shape(0)[1] : Dim()});
  c.set_input_shape(1, Shape::unknown_dims(1));
  c.set_output_shape(0, Shape{c.input_shape(1)[0], c.input_shape(0)[1]});
}

void translate_take_weight(const NoParam& /*p*/, Translation& t) {
  if (!expect_prepared(t, 0)) return;
  set_prepared(t, t.b.gather(t.input(0), t.input(1), 0));
}

struct IntgemmParam {
  enum class OutType { kFloat32, kInt32 };
  std::int64_t num_hidden = 0;
  bool no_bias = false;
  bool flatten = true;
  OutType out_type = OutType::kFloat32;

  static void declare(AttrDeclarer<IntgemmParam>& d) {
    d.field("num_hidden", &IntgemmParam::num_hidden).required().at_least(1).help("output units");
    d.field("no_bias", &IntgemmParam::no_bias).help("nothing is added");
    d.field("flatten", &IntgemmParam::flatten).help("data has two dimensions");
    d.one_of("out_type", &IntgemmParam::out_type, {"float32", "int32"}).help("of the result");
  }
  bool has_scaling() const { return out_type == OutType::kFloat32; }
};

std::vector<InputDef> intgemm_inputs(const IntgemmParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  if (p.has_scaling()) inputs.push_back({"scaling", InputRole::kWeight});
  if (!p.no_bias) inputs.push_back({"bias", InputRole::kWeight});
  return inputs;
}

void infer_intgemm(const IntgemmParam& p, InferContext& c) {
  const DType out = p.has_scaling() ? DType::kFloat32 : DType::kInt32;
  c.set_output_dtype(0, out);
  c.set_input_dtype(1, DType::kInt8);
  if (p.has_scaling()) {
    c.set_input_dtype(2, DType::kFloat32);
    c.set_input_shape(2, Shape{Dim(1)});
  }
  if (!p.no_bias) {
    c.set_input_dtype(c.num_inputs() - 1, out);
    c.set_input_shape(c.num_inputs() - 1, Shape{Dim(p.num_hidden)});
  }
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (p.flatten ? data.rank() != 2 : data.rank() == 0) {
    c.fail_input(0, p.flatten ? "2 dimensions" : "1 dimension or more");
  }
  c.set_input_shape(1, Shape{Dim(p.num_hidden), data[data.rank() - 1]});
  Shape inner = Shape::unknown_dims(data.rank());
  inner[data.rank() - 1] = c.input_shape(1)[1];
  c.set_input_shape(0, inner);
  Shape result = c.input_shape(0);
  result[result.rank() - 1] = p.num_hidden;
  c.set_output_shape(0, result);
}

// The sums are those of 32 bits, exactly.
void translate_intgemm(const IntgemmParam& p, Translation& t) {
  Builder& b = t.b;
  const DType given = t.input_type(0).dtype;
  if (given != DType::kInt8 && given != DType::kFloat32) {
    return t.refuse(fmt::format("expected float32 or int8 data, found {}", dtype_name(given)));
  }
  if (!expect_prepared(t, 1)) return;
  Value data = t.input(0);
  Value scaling = p.has_scaling() ? t.input(2) : Value{};
  if (given == DType::kFloat32) {
    const Value factor = factor_of(b, max_absolute(b, data));
    data = quantized(b, data, factor);
    if (p.has_scaling()) scaling = b.div(scaling, factor);
  }
  const Value columns = b.transpose(b.cast(t.input(1), DType::kInt32), {1, 0});
  Value result = b.emit("MatMul", {b.cast(data, DType::kInt32), columns}, {},
                        {DType::kInt32, t.output_shape(0)});
  if (p.has_scaling()) result = b.mul(b.cast(result, DType::kFloat32), scaling);
  if (!p.no_bias) result = b.add(result, t.input(t.num_inputs() - 1));
  t.set_output(0, result);
}

}  // namespace

void register_intgemm(Registry& r) {
  r.add<NoParam>({"_contrib_intgemm_maxabsolute", "_npx_intgemm_maxabsolute"})
      .summary("The largest magnitude of all elements.")
      .infer(infer_maxabsolute)
      .translate(translate_maxabsolute)
      .note("It is NaN where an element is; MXNet passes over NaN in some places.");
  r.add<NoParam>({"_contrib_intgemm_prepare_data", "_npx_intgemm_prepare_data"})
      .summary("Data as int8, of which 127 is the given magnitude.")
      .inputs({{"data", InputRole::kData}, {"maxabs", InputRole::kData}})
      .infer(infer_prepared<NoParam>)
      .translate(translate_prepare_data);
  r.add<PrepareWeightParam>({"_contrib_intgemm_prepare_weight", "_npx_intgemm_prepare_weight"})
      .summary("A weight as int8, for the products of intgemm.")
      .inputs_by([](const PrepareWeightParam& p) {
        std::vector<InputDef> inputs{{"weight", InputRole::kWeight}};
        if (!p.already_quantized) inputs.push_back({"maxabs", InputRole::kData});
        return inputs;
      })
      .infer(infer_prepared<PrepareWeightParam>)
      .translate(translate_prepare_weight)
      .note("The result is in the order of the weight; MXNet's is in one of the processor's.");
  r.add<NoParam>({"_contrib_intgemm_take_weight", "_npx_intgemm_take_weight"})
      .summary("Rows of a prepared weight.")
      .inputs({{"weight", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_take_weight)
      .translate(translate_take_weight)
      .note("The weight has to be prepared in the model.");
  r.add<IntgemmParam>({"_contrib_intgemm_fully_connected", "_npx_intgemm_fully_connected"})
      .summary("A dense layer of int8 numbers, whose sums are exact.")
      .inputs_by(intgemm_inputs)
      .infer(infer_intgemm)
      .translate(translate_intgemm)
      .note("The weight has to be prepared in the model.");
}

}  // namespace mx2onnx
