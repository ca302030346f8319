// Pooling as MXNet 0.x computed it with mshadow: two dimensions only, and the zeros around the
// input take part in a maximum, and an average always divides by the whole window.
#pragma once

#include <cstddef>
#include <vector>

#include "ops/expressions/spatial.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

struct PoolV1Param {
  enum class Type { kMax, kAvg, kSum };
  /// How the number of windows is rounded; under kInside up, as far as each begins within the
  /// padded input.
  enum class Convention { kFull, kValid, kInside };
  Tuple kernel;
  Type pool_type = Type::kMax;
  bool global_pool = false;
  Convention pooling_convention = Convention::kValid;
  Tuple stride;
  Tuple pad;

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("kernel", &P::kernel)
        .sizes(0, 3)
        .at_least(1)
        .help("window of two dimensions; not needed for global_pool");
    d.one_of("pool_type", &P::pool_type, {"max", "avg", "sum"}).help("what is taken of a window");
    d.field("global_pool", &P::global_pool).help("one window over everything");
    d.field("stride", &P::stride).sizes(0, 3).at_least(1).help("(1, 1) if empty");
    d.field("pad", &P::pad).sizes(0, 3).at_least(0).help("(0, 0) if empty");
  }
  static void declare(AttrDeclarer<PoolV1Param>& d) {
    declare_common(d);
    d.one_of("pooling_convention", &PoolV1Param::pooling_convention, {"full", "valid"})
        .help("how the number of windows is rounded");
  }

  Tuple strides() const { return spatial_tuple(stride, 2, 1); }
  Tuple pads() const { return spatial_tuple(pad, 2, 0); }
};

/// Pooling until MXNet 0.7, before there was a choice of rounding.
struct OldPoolParam : PoolV1Param {
  OldPoolParam() { pooling_convention = Convention::kInside; }
  static void declare(AttrDeclarer<OldPoolParam>& d) { declare_common(d); }
};

std::vector<AttrProblem> check_pool_v1(const PoolV1Param& p, const CheckContext& context);
void infer_pool_v1(const PoolV1Param& p, InferContext& c);
void translate_pool_v1(const PoolV1Param& p, Translation& t);

/// A limit of it.
inline constexpr const char* kPoolV1NanNote =
    "Max pooling of a window with NaN is NaN in MXNet; ONNX Runtime may pass it over.";

}  // namespace mx2onnx
