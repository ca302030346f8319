// A parameter file that is named alone.
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "source/checkpoints.h"
#include "source/container.h"
#include "source/find_model.h"
#include "source/kind.h"

namespace mx2onnx::source {

FoundModel find_model_of_parameters(const Source& source, FilePart params, Unpacker& unpacker) {
  const std::string& path = source.symbol_path.native();
  const std::string prefix = parse_parameter_name(path).prefix;
  std::error_code ignored;
  for (const char* end : {"-symbol.json", "-symbol.json.gz"}) {
    const std::string symbol = prefix + end;
    if (!std::filesystem::is_regular_file(symbol, ignored)) continue;
    const FilePart part = gunzip_if_packed(open_file(symbol, unpacker), unpacker);
    FoundModel model;
    model.symbol_name = symbol;
    model.symbol_text = text_of_symbol(part);
    model.params.push_back(std::move(params));
    model.notes.push_back(
        {"W-symbol-found", "", fmt::format("the symbol '{}' beside it is taken", symbol)});
    model.files = {symbol, path};
    return model;
  }
  FoundModel model;
  model.symbol_name = path;
  model.params.push_back(std::move(params));
  model.files = {path};
  model.is_alone = true;
  return model;
}

}  // namespace mx2onnx::source
