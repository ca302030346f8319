// Dropout, which draws at inference in one of its modes only.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/random_draws.h"

namespace mx2onnx {
namespace {

struct DropoutParam {
  enum class Mode { kTraining, kAlways };
  double p = 0.5;
  Mode mode = Mode::kTraining;
  std::optional<Tuple> axes = Tuple();

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
  return {{"p", "expected less than 1, for else all is infinite",
           "--no-dropout makes it a plain Dropout"}};
}

void infer_dropout(const DropoutParam& p, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  Shape mask = c.input_shape(0);
  if (mask.known_rank()) {
    for (const auto axis : p.axes.value_or(Tuple()))
      mask[checked_axis(axis, mask.rank(), "axes")] = 1;
  }
  c.set_output_shape(1, mask);
  c.set_output_dtype(1, c.input(0).dtype);
}

// What is kept is scaled, so that the mean stays.
void translate_drawn_dropout(const DropoutParam& p, Translation& t) {
  onnx::Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (!expect_floating(t)) return;
  warn_of_draws(t, "--no-dropout makes it a plain Dropout");
  Shape shape = t.input_shape(0);
  for (const auto axis : p.axes.value_or(Tuple()))
    shape[checked_axis(axis, shape.rank(), "axes")] = 1;
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
  // Not every runtime has a Dropout.
  t.set_output(0, t.b.identity(t.input(0)));
}

}  // namespace

void register_dropout(Registry& r) {
  r.add<DropoutParam>({"Dropout", "_npx_dropout"})
      .summary("Drops elements in training, or always: else the identity at inference.")
      .outputs({"output", "mask"})
      .infer(infer_dropout)
      .translate(translate_dropout)
      .check(check_dropout);
}

}  // namespace mx2onnx
