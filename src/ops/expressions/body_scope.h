// The bodies of ONNX's Scan, Loop and If while they are emitted. What comes from outside and stays
// the same is used there as it is, for ONNX's bodies see the values around them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "onnx/builder.h"

namespace mx2onnx {

/// The body of a loop or a branch while it is being emitted.
class BodyScope {
 public:
  explicit BodyScope(onnx::Builder& b) : b_(b) { b.begin_body(*body_); }

  onnx::Value add_input(std::string_view name, TensorType type);

  /// Ends the body. ONNX wants its outputs to be made in it, each one once.
  std::shared_ptr<onnx::Body> finish(const std::vector<onnx::Value>& outputs);

 private:
  onnx::Builder& b_;
  std::shared_ptr<onnx::Body> body_ = std::make_shared<onnx::Body>();
};

/// A boolean scalar, as Loop and If want it, from one element of any dtype (as_bool_scalar of
/// src/operator/control_flow.cc).
onnx::Value to_condition(onnx::Builder& b, onnx::Value x);

}  // namespace mx2onnx
