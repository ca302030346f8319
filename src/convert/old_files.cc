// See old_files.h.
#include "convert/old_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "convert/load.h"
#include "ops/record/registry.h"

namespace mx2onnx {

bool may_have_old_pooling(const source::FoundModel& found, const ConvertOptions& options) {
  const ErrorScope scope = ErrorScope::file(found.symbol_name);
  const mxnet::Symbol symbol = load_symbol(found, options);
  if (symbol.says_version) return false;
  const OperatorsOf now(origin_of(symbol));
  const OperatorsOf then({mxnet::parse_version(kLastOldPooling), symbol.np_shape});
  return std::any_of(symbol.nodes.begin(), symbol.nodes.end(), [&](const mxnet::Node& node) {
    return now.find(node.op) != then.find(node.op);
  });
}

Diagnostic old_pooling_warning() {
  return {"W-old-pooling-rule", "",
          fmt::format("the model fits together only where Pooling rounds up, as it did until MXNet "
                      "{} (July 2016): the file does not say its version, and is taken for one of "
                      "that time (another one is said by --mxnet-version)",
                      kLastOldPooling)};
}

}  // namespace mx2onnx
