// Operators that hand their input on at inference.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

void translate_identity(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, t.b.identity(t.input(0)));
}

// The first input, with the shape and dtype of the second.
void infer_identity_like(const NoParam& /*p*/, InferContext& c) {
  c.unify_shapes();
  c.set_input_dtype(0, c.output(0).dtype);
  if (c.input(0).dtype == DType::kUnknown) c.set_input_dtype(0, c.input(1).dtype);
  if (c.input(1).dtype == DType::kUnknown) c.set_input_dtype(1, c.input(0).dtype);
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
  c.unify_dtypes();
  c.set_output_shape(0, c.input_shape(0));
  if (c.input_shape(0).known_rank() && c.input_shape(0).rank() > 1)
    c.set_input_shape(1, Shape{c.input_shape(0)[1]});
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
  for (const char* name : {"_np_copy", "_npi_copy"}) {
    r.add<NoParam>({name})
        .summary("The identity.")
        .inputs({{"a", InputRole::kData}})
        .infer(infer_same<NoParam>)
        .any_shape()
        .translate(translate_identity);
  }
  r.add<NoParam>({"BlockGrad", "_sparse_stop_gradient", "stop_gradient", "_npx_stop_gradient"})
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
