// Conversions of dtype: Cast, and the casts of automatic mixed precision
// (src/operator/tensor/amp_cast.h), which touch float32, float16 and bfloat16 only.
#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/schema.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

// What automatic mixed precision casts.
bool is_amp_dtype(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBfloat16;
}

struct CastParam {
  DType dtype = DType::kFloat32;

  static void declare(AttrDeclarer<CastParam>& d) {
    d.dtype("dtype", &CastParam::dtype).required().help("of the result");
  }
};

void infer_cast(const CastParam& p, InferContext& c) {
  c.unify_shapes();
  c.set_output_dtype(0, p.dtype);
  // 0, 1, 2, … stays that where all of it has room.
  const bool is_wide = dtype_size(p.dtype) >= 4;
  if (c.input_progression(0) && is_wide) c.set_output_progression(0, *c.input_progression(0));
}

void infer_amp_cast(const CastParam& p, InferContext& c) {
  c.unify_shapes();
  const DType data = c.input(0).dtype;
  if (data != DType::kUnknown) c.set_output_dtype(0, is_amp_dtype(data) ? p.dtype : data);
}

template <typename P>
void translate_cast(const P& /*p*/, Translation& t) {
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    t.set_output(i, t.b.cast(t.input(i), t.output_type(i).dtype));
  }
}

std::vector<AttrProblem> check_cast(const CastParam& p, const CheckContext& context) {
  const auto& results = onnx::find_schema("Cast", context.opset)->outputs[0];
  if (results.allows(p.dtype)) return {};
  const int first = onnx::first_opset_for_dtype("Cast", 0, p.dtype, context.opset);
  return {
      {"dtype",
       fmt::format("ONNX's Cast of opset {} does not give {}", context.opset, dtype_name(p.dtype)),
       fmt::format("ask for --opset {} or newer", first)}};
}

std::vector<AttrProblem> check_amp_cast(const CastParam& p, const CheckContext& context) {
  if (p.dtype == DType::kBool) return {{"dtype", "expected another element type than bool", ""}};
  return check_cast(p, context);
}

// oneDNN rounds float32 and bfloat16 to the nearest integer, halves to the even one, and takes the
// nearest that the dtype holds (as a float32 has it); MXNet's own kernel, which computes float16,
// cuts. oneDNN has no int64, and fails.
void translate_amp_cast(const CastParam& p, Translation& t) {
  onnx::Builder& b = t.b;
  const DType data = t.input_type(0).dtype;
  const bool rounds = data == DType::kFloat32 || data == DType::kBfloat16;
  const DType to = t.output_type(0).dtype;
  if (!rounds || !is_integer(to) || to == DType::kInt64) return translate_cast(p, t);
  const auto [least, largest] = integer_range(to);
  constexpr double kLargestFloat = 2147483520;
  const onnx::Value rounded = b.unary("Round", b.cast(t.input(0), DType::kFloat32));
  t.set_output(0, b.cast(onnx::clip(b, rounded, least, std::min(largest, kLargestFloat)), to));
  t.warn("W-backends-differ",
         "rounds to integers, as MXNet does with oneDNN; without oneDNN it cuts decimals off");
}

struct MulticastParam {
  std::int64_t num_outputs = 0;
  bool cast_narrow = false;

  static void declare(AttrDeclarer<MulticastParam>& d) {
    d.field("num_outputs", &MulticastParam::num_outputs)
        .required()
        .at_least(1)
        .help("number of inputs and outputs");
    d.field("cast_narrow", &MulticastParam::cast_narrow)
        .help("to the narrowest of the dtypes, not to the widest");
  }
};

std::vector<std::string> multicast_outputs(const MulticastParam& p, std::size_t num_inputs) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < num_inputs; ++i) {
    names.push_back(p.num_outputs == 1 ? "output" : "output" + std::to_string(i));
  }
  return names;
}

// The widest dtype is float32 if that occurs, else that of the first input, whatever it is; the
// narrowest is the last of float16 and bfloat16 that occurs, else float32.
DType multicast_dtype(const MulticastParam& p, const InferContext& c) {
  DType dtype = p.cast_narrow ? DType::kFloat32 : c.input(0).dtype;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const DType found = c.input(i).dtype;
    if (is_amp_dtype(found) && (found != DType::kFloat32) == p.cast_narrow) dtype = found;
  }
  return dtype;
}

void infer_multicast(const MulticastParam& p, InferContext& c) {
  check_num_inputs(c, "num_outputs", p.num_outputs);
  bool all_known = true;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_output_shape(i, c.input_shape(i));
    c.set_input_shape(i, c.output_shape(i));
    all_known = all_known && c.input(i).dtype != DType::kUnknown;
  }
  if (!all_known) return;
  const DType common = multicast_dtype(p, c);
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_output_dtype(i, is_amp_dtype(c.input(i).dtype) ? common : c.input(i).dtype);
  }
}

}  // namespace

void register_cast(Registry& r) {
  r.add<CastParam>({"Cast", "cast", "_npi_cast", "_npx_cast"})
      .summary("Converts to another dtype; decimals are cut towards zero for integers.")
      .infer(infer_cast)
      .any_shape()
      .translate(translate_cast<CastParam>)
      .check(check_cast)
      .note("What does not fit the dtype has no defined result, in MXNet or in ONNX.")
      .note("To bfloat16 MXNet cuts the mantissa and ONNX rounds it, so the last bit may differ.");
  r.add<CastParam>({"amp_cast", "_npi_amp_cast"})
      .summary("Converts float32, float16 and bfloat16 to another dtype, and nothing else.")
      .infer(infer_amp_cast)
      .any_shape()
      .translate(translate_amp_cast)
      .check(check_amp_cast)
      .note("NaN has no defined result as an integer.");
  r.add<MulticastParam>({"amp_multicast", "_npi_amp_multicast"})
      .summary(
          "Converts float32, float16 and bfloat16 arrays to the widest or narrowest dtype among "
          "them.")
      .inputs({{"data_", InputRole::kData}})
      .variadic()
      .outputs_by(multicast_outputs)
      .infer(infer_multicast)
      .translate(translate_cast<MulticastParam>);
}

}  // namespace mx2onnx
