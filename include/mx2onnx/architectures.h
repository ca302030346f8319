// The nets whose pretrained weights can be converted without a symbol.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mx2onnx/convert.h"
#include "mx2onnx/export.h"

namespace mx2onnx {

struct ArchitectureInfo {
  /// As GluonCV calls it ("resnet50_v1"); with "mxnet/" for Gluon's own zoo and "nlp/" for
  /// GluonNLP's. ConvertOptions::architecture takes it.
  std::string name;
  std::string task;                  ///< "classification", "detection", "segmentation"…
  std::string library;               ///< "gluoncv", "mxnet" or "gluonnlp".
  std::vector<std::string> files;    ///< Names of its pretrained files, the newest first.
  std::vector<InputSpec> inputs;     ///< That are taken where nothing else is said.
  std::vector<std::string> classes;  ///< In order; empty where they are not known.
  /// How a picture of RGB bytes becomes the input; empty where that is not known.
  std::optional<Preprocessing> preparation;
};

/// All of them, by task and name. Empty in a build without MX2ONNX_ARCHITECTURES.
MX2ONNX_EXPORT std::vector<ArchitectureInfo> known_architectures();

/// The same as a JSON array, with the number of classes instead of their names.
MX2ONNX_EXPORT std::string architectures_json();

}  // namespace mx2onnx
