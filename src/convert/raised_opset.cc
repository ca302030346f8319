#include "convert/raised_opset.h"

#include <fmt/format.h>

namespace mx2onnx {

void say_raised(Conversion& result, const ConvertOptions& options, const std::string& node,
                const std::string& what) {
  auto& diagnostics = result.report.diagnostics;
  diagnostics.insert(diagnostics.begin(),
                     {"W-opset-raised", node,
                      fmt::format("opset {} is written instead of {}: {} needs it",
                                  result.report.opset, options.opset, what)});
}

}  // namespace mx2onnx
