// Pooling as the first versions of MXNet computed it.
#pragma once

#include "ops/expressions/pooling.h"

namespace mx2onnx {

/// The attributes of Pooling until MXNet 0.7, when there was no choice of rounding.
struct OldPoolingParam : PoolParam {
  OldPoolingParam() { pooling_convention = Convention::kInside; }
  static void declare(AttrDeclarer<OldPoolingParam>& d) {
    declare_pool(d, {"max", "avg", "sum"}, {});
  }
};

/// Pooling as MXNet 0.x computed it, by mshadow: two dimensions only; the zeros around the input
/// take part in a maximum, and an average always divides by the whole window.
std::vector<AttrProblem> check_pool_v1(const PoolParam& p, const CheckContext& context);
void infer_pool_v1(const PoolParam& p, InferContext& c);
void translate_pool_v1(const PoolParam& p, Translation& t);
/// A limit of it.
inline constexpr const char* kPoolV1NanNote =
    "Max pooling of a window with NaN is NaN in MXNet; ONNX Runtime may pass it over.";

}  // namespace mx2onnx
