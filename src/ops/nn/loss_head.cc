// Loss heads: what they compute at inference, without their label
// (src/operator/softmax_output-inl.h, regression_output-inl.h, svm_output-inl.h, make_loss-inl.h).
//
// A label is not an input of the converted model. Where the symbol uses it for something else as
// well, the rules here tell its shape.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct SoftmaxOutputParam {
  bool multi_output = false;
  bool preserve_shape = false;

  static void declare(AttrDeclarer<SoftmaxOutputParam>& d) {
    d.field("multi_output", &SoftmaxOutputParam::multi_output).help("softmax along axis 1");
    d.field("preserve_shape", &SoftmaxOutputParam::preserve_shape)
        .help("softmax along the last axis");
    // They change the gradient only.
    d.ignore(
        {"grad_scale", "ignore_label", "use_ignore", "normalization", "out_grad", "smooth_alpha"});
  }
};

std::vector<InputDef> head_inputs() {
  return {{"data", InputRole::kData}, {"label", InputRole::kLabel}};
}

// The label of a head is looked at only for its shape, and only if it is not known.
void set_label_shape(InferContext& c, const Shape& shape) {
  if (c.num_inputs() > 1 && !c.input_shape(1).known()) c.set_input_shape(1, shape);
}

void infer_data(InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  if (c.num_inputs() > 1 && c.input(1).dtype == DType::kUnknown)
    c.set_input_dtype(1, c.input(0).dtype);
}

void infer_softmax_output(const SoftmaxOutputParam& p, InferContext& c) {
  infer_data(c);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank() || data.rank() == 0) return;
  if (p.multi_output && data.rank() > 1) {
    return set_label_shape(c, Shape{data[0], data.count(2, data.rank())});
  }
  auto dims = data.dims();
  dims.pop_back();
  set_label_shape(c, Shape(std::move(dims)));
}

void translate_softmax_output(const SoftmaxOutputParam& p, Translation& t) {
  const Shape& data = t.input_shape(0);
  if (p.multi_output || data.rank() == 2) {
    return t.set_output(0, onnx::softmax(t.b, "Softmax", t.input(0), data.rank() == 1 ? 0 : 1));
  }
  if (p.preserve_shape || data.rank() == 0) {
    return t.set_output(0, onnx::softmax(t.b, "Softmax", t.input(0), -1));
  }
  if ((data.rank() == 4 || data.rank() == 1) && t.input_type(0).dtype == DType::kFloat32) {
    t.warn("W-backends-differ",
           fmt::format("without multi_output, {}-dimensional data is normalised along its last "
                       "axis, as MXNet 1.9.1 does on a CPU with oneDNN; other builds of MXNet "
                       "normalise each example as a whole",
                       data.rank()));
    return t.set_output(0, onnx::softmax(t.b, "Softmax", t.input(0), -1));
  }
  // Everything but the batch is one.
  const Value flat = onnx::reshape(t.b, t.input(0), Shape{data[0], data.count(1, data.rank())});
  t.set_output(0, onnx::reshape(t.b, onnx::softmax(t.b, "Softmax", flat, 1), data));
}

struct RegressionParam {
  static void declare(AttrDeclarer<RegressionParam>& d) { d.ignore({"grad_scale"}); }
};

void infer_regression(const RegressionParam& /*p*/, InferContext& c) {
  infer_data(c);
  if (c.input(0).dtype == DType::kUnknown && c.num_inputs() > 1) {
    c.set_input_dtype(0, c.input(1).dtype);
    c.set_output_dtype(0, c.input(1).dtype);
  }
  const Shape& data = c.input_shape(0);
  if (!data.known()) return;
  const bool column = data.rank() == 2 && data[1] == Dim(1);
  set_label_shape(c, column ? Shape{data[0]} : data);
}

template <typename P>
void pass_through(const P& /*p*/, Translation& t) {
  t.set_output(0, t.b.identity(t.input(0)));
}

void translate_logistic(const RegressionParam& /*p*/, Translation& t) {
  t.set_output(0, t.b.unary("Sigmoid", t.input(0)));
}

struct SvmOutputParam {
  static void declare(AttrDeclarer<SvmOutputParam>& d) {
    d.ignore({"margin", "regularization_coefficient", "use_linear"});
  }
};

void infer_svm(const SvmOutputParam& /*p*/, InferContext& c) {
  infer_data(c);
  const Shape& data = c.input_shape(0);
  if (data.known_rank() && data.rank() > 0) set_label_shape(c, Shape{data[0]});
}

struct MakeLossParam {
  static void declare(AttrDeclarer<MakeLossParam>& d) {
    d.ignore({"grad_scale", "valid_thresh", "normalization"});
  }
};

}  // namespace

void register_loss_head(Registry& r) {
  r.add<SoftmaxOutputParam>({"SoftmaxOutput", "Softmax"})
      .summary("The head of a classifier: softmax at inference.")
      .inputs(head_inputs())
      .optional_inputs(1)
      .infer(infer_softmax_output)
      .translate(translate_softmax_output)
      .note(
          "4- and 1-dimensional data of float32 without multi_output is normalised along its last "
          "axis, as MXNet 1.9.1 does on a CPU with oneDNN (other builds normalise each example as "
          "a whole); the report warns of it.")
      .note(
          "Where one of the elements along the axis is infinity or NaN, all of them become NaN; of "
          "float32, oneDNN gives the finite ones 0.");
  r.add<RegressionParam>({"LinearRegressionOutput", "_sparse_LinearRegressionOutput"})
      .summary("The head of a regression: the identity at inference.")
      .inputs(head_inputs())
      .optional_inputs(1)
      .infer(infer_regression)
      .translate(pass_through<RegressionParam>);
  r.add<RegressionParam>({"MAERegressionOutput", "_sparse_MAERegressionOutput"})
      .summary("The head of a regression with absolute error: the identity at inference.")
      .inputs(head_inputs())
      .optional_inputs(1)
      .infer(infer_regression)
      .translate(pass_through<RegressionParam>);
  r.add<RegressionParam>({"LogisticRegressionOutput", "_sparse_LogisticRegressionOutput"})
      .summary("The head of a logistic regression: the sigmoid at inference.")
      .inputs(head_inputs())
      .optional_inputs(1)
      .infer(infer_regression)
      .translate(translate_logistic);
  r.add<SvmOutputParam>({"SVMOutput"})
      .summary("The head of a support vector machine: the identity at inference.")
      .inputs(head_inputs())
      .optional_inputs(1)
      .infer(infer_svm)
      .translate(pass_through<SvmOutputParam>);
  r.add<MakeLossParam>({"MakeLoss"})
      .summary("Makes its input a loss: the identity at inference.")
      .infer(infer_same<MakeLossParam>)
      .translate(pass_through<MakeLossParam>);
  r.add<NoParam>({"make_loss", "_sparse_make_loss"})
      .summary("Makes its input a loss: the identity at inference.")
      .infer(infer_same<NoParam>)
      .translate(pass_through<NoParam>);
}

}  // namespace mx2onnx
