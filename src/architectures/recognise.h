// Which net a parameter file belongs to, by the names and shapes of its arrays.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "architectures/catalogue.h"
#include "architectures/fit.h"

namespace mx2onnx::architectures {

/// How a file calls its arrays.
enum class Form {
  kStructural,  ///< "features.0.weight", as `save_parameters` does.
  kOld,         ///< "conv0_weight", without the net's prefix: files of 2017 and 2018.
  kFull,        ///< "resnetv10_conv0_weight".
};

struct Recognised {
  const Architecture* net = nullptr;
  mxnet::Symbol symbol;  ///< Fitted to the file's shapes.
  /// The names of the file's arrays, by the variable of the graph.
  std::map<std::string, std::string> arrays;
  bool is_own = true;  ///< With the shapes of the pretrained file: its classes are the net's.
  /// Others that the file could be with another meaning of the same numbers, for the names of
  /// classes and the preparation: those hold only if there are none.
  std::vector<std::string> alike;
};

/// The net whose parameters these are. `file` may tell apart what is the same in both, `wanted` is
/// the name of the net if the user gives one. Fails with kModel if it is none of them, with kUsage
/// if it could be several.
Recognised recognise(const Catalogue& catalogue, const Shapes& arrays, const std::string& file,
                     const std::string& wanted);

}  // namespace mx2onnx::architectures
