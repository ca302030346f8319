// The preparation of an image, made part of the model.
#pragma once

#include <string_view>

#include "infer/infer.h"
#include "mx2onnx/convert.h"
#include "onnx/builder.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Fails with kUsage if something in it makes no sense whatever the model.
void check_preprocessing(const Preprocessing& preprocessing);

/// The node of the input that the preprocessing is for: the named one, or the only one that can be
/// an image (three dimensions or more). Fails with kUsage.
std::size_t find_image_node(const Preprocessing& preprocessing, const Model& model,
                            const InferResult& types);

/// The type of the ONNX input for an MXNet input of this type. Fails with kUsage if the
/// preprocessing does not fit it.
TensorType image_type(const Preprocessing& preprocessing, std::string_view name,
                      const TensorType& type);

/// What the MXNet model takes, computed from an image of type image_type.
onnx::Value prepare_image(onnx::Builder& b, const Preprocessing& preprocessing, onnx::Value image,
                          const TensorType& type);

}  // namespace mx2onnx
