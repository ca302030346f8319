// Operators that hand their input on at inference.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/common.h"
#include "ops/random_draws.h"

namespace mx2onnx {
namespace {

void translate_identity(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, t.b.identity(t.input(0)));
}

struct DropoutParam {
  enum class Mode { kTraining, kAlways };
  double p = 0.5;
  Mode mode = Mode::kTraining;
  Tuple axes;

  static void declare(AttrDeclarer<DropoutParam>& d) {
    d.field("p", &DropoutParam::p)
        .at_least(0)
        .at_most(1)
        .help("fraction that is dropped in training");
    d.one_of("mode", &DropoutParam::mode, {"training", "always"}).help("always: at inference, too");
    d.field("axes", &DropoutParam::axes).help("along which all elements are dropped, or none");
    d.ignore({"cudnn_off"});
  }

  /// Draws at inference too.
  bool draws() const { return mode == Mode::kAlways && p > 0; }
};

std::vector<AttrProblem> check_dropout(const DropoutParam& p, const CheckContext& /*context*/) {
  if (!p.draws() || p.p < 1) return {};
  return {{"p", "expected less than 1, for else all is infinite", ""}};
}

void infer_dropout(const DropoutParam& p, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  Shape mask = c.input_shape(0);
  if (mask.known_rank()) {
    for (const auto axis : p.axes) mask[checked_axis(axis, mask.rank(), "axes")] = 1;
  }
  c.set_output_shape(1, mask);
  c.set_output_dtype(1, c.input(0).dtype);
}

// What is kept is scaled, so that the mean stays.
void translate_drawn_dropout(const DropoutParam& p, Translation& t) {
  onnx::Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (!is_floating(dtype)) {
    return t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)));
  }
  warn_of_draws(t);
  Shape shape = t.input_shape(0);
  for (const auto axis : p.axes) shape[checked_axis(axis, shape.rank(), "axes")] = 1;
  const DType drawn_in = draw_dtype(dtype);
  const float kept = 1 - static_cast<float>(p.p);
  const onnx::Value unit = Draws(b, shape, drawn_in).unit();
  const onnx::Value is_kept = b.binary("Less", unit, b.scalar(drawn_in, kept));
  const onnx::Value mask = b.mul(b.cast(is_kept, dtype), b.scalar(dtype, 1 / kept));
  t.set_output(0, b.mul(t.input(0), mask));
  t.set_output(1, mask);
}

void translate_dropout(const DropoutParam& p, Translation& t) {
  if (p.draws()) return translate_drawn_dropout(p, t);
  if (t.output_used(1)) return t.refuse("the mask of a dropout is not defined at inference");
  // ONNX Runtime takes no ratio of 1.
  t.set_output(0, p.p < 1 ? onnx::dropout(t.b, t.input(0), p.p) : t.b.identity(t.input(0)));
}

// The first input, with the shape and dtype of the second.
void infer_identity_like(const NoParam& /*p*/, InferContext& c) {
  c.unify_shapes();
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
}

struct GradientMultiplierParam {
  static void declare(AttrDeclarer<GradientMultiplierParam>& d) { d.ignore({"scalar", "is_int"}); }
};

struct StorageParam {
  static void declare(AttrDeclarer<StorageParam>& d) { d.ignore({"stype"}); }
};

void translate_storage(const StorageParam& /*p*/, Translation& t) {
  t.set_output(0, t.b.identity(t.input(0)));
}

struct SparseRegParam {
  static void declare(AttrDeclarer<SparseRegParam>& d) {
    d.ignore({"sparseness_target", "penalty", "momentum"});
  }
};

void infer_sparse_reg(const SparseRegParam& /*p*/, InferContext& c) {
  c.set_output_shape(0, c.input_shape(0));
  c.set_output_dtype(0, c.input(0).dtype);
  if (c.input_shape(0).known_rank() && c.input_shape(0).rank() > 1)
    c.set_input_shape(1, Shape{c.input_shape(0)[1]});
  c.set_input_dtype(1, c.input(0).dtype);
}

void translate_sparse_reg(const SparseRegParam& /*p*/, Translation& t) {
  t.set_output(0, t.b.identity(t.input(0)));
}

}  // namespace

void register_identity(Registry& r) {
  r.add<NoParam>({"_copy", "identity"})
      .summary("The identity.")
      .infer(infer_same<NoParam>)
      .any_shape()
      .translate(translate_identity);
  r.add<NoParam>({"BlockGrad", "_sparse_stop_gradient", "stop_gradient"})
      .summary("Stops the gradient: the identity at inference.")
      .infer(infer_same<NoParam>)
      .any_shape()
      .translate(translate_identity);
  r.add<GradientMultiplierParam>({"_contrib_gradientmultiplier"})
      .summary("Scales the gradient: the identity at inference.")
      .infer(infer_same<GradientMultiplierParam>)
      .translate([](const GradientMultiplierParam&, Translation& t) { translate_identity({}, t); });
  r.add<NoParam>({"_CrossDeviceCopy"})
      .summary("Copies between devices: the identity.")
      .infer(infer_same<NoParam>)
      .any_shape()
      .translate(translate_identity);
  r.add<NoParam>({"_copyto", "_npi_copyto"})
      .summary("Copies an array: the identity.")
      .infer(infer_same<NoParam>)
      .any_shape()
      .translate(translate_identity);
  r.add<NoParam>({"_identity_with_attr_like_rhs"})
      .summary("The first input; the second only lends its shape.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_identity_like)
      .translate(translate_identity);
  r.add<DropoutParam>({"Dropout", "_npx_dropout"})
      .summary("Drops elements in training, or always: else the identity at inference.")
      .outputs({"output", "mask"})
      .infer(infer_dropout)
      .translate(translate_dropout)
      .check(check_dropout);
  r.add<StorageParam>({"cast_storage", "_sparse_cast_storage"})
      .summary("Changes the storage type: the identity on dense arrays.")
      .infer(infer_same<StorageParam>)
      .translate(translate_storage);
  r.add<SparseRegParam>({"IdentityAttachKLSparseReg"})
      .summary("Attaches a penalty in training: the identity at inference.")
      .inputs({{"data", InputRole::kData}, {"moving_avg", InputRole::kAux}})
      .infer(infer_sparse_reg)
      .translate(translate_sparse_reg);
}

}  // namespace mx2onnx
