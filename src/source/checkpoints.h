// Which files of a folder or an archive are a model: MXNet's names of checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mx2onnx/report.h"

namespace mx2onnx::source {

/// A symbol and the parameters that were saved with it, as `Module.save_checkpoint` and
/// `HybridBlock.export` name them.
struct Checkpoint {
  std::string symbol;
  /// What the files' names have in common: "model" of "model-symbol.json", with its folder.
  std::string prefix;
  /// The parameter files; several if arguments and auxiliary states lie apart.
  std::vector<std::string> params;
  std::optional<std::int64_t> epoch;  ///< That was taken, if there are any.
  std::vector<std::int64_t> epochs;   ///< All, ascending.
};

/// The symbols among the names. Those called `*-symbol.json` (also with `.gz`) come first; where
/// there is none, other `.json` files for which `is_symbol` holds.
std::vector<std::string> find_symbols(const std::vector<std::string>& names,
                                      const std::function<bool(const std::string&)>& is_symbol);

/// The parameters of a symbol among the names, of an epoch or, without one, the newest. Without
/// parameters the result has none. An epoch that is not there fails with kUsage, parameters that
/// could be any of several with kModel. `is_only` says that all parameters must be this symbol's.
Checkpoint find_parameters(const std::vector<std::string>& names, const std::string& symbol,
                           std::optional<std::int64_t> epoch, bool is_only);

/// What is to be said where the newest of several epochs was taken and none was asked for.
std::optional<Diagnostic> epoch_note(const Checkpoint& checkpoint,
                                     std::optional<std::int64_t> wanted);

/// The names that end as parameter files do.
std::vector<std::string> parameter_names(const std::vector<std::string>& names);

/// Of files that could be the parameters of one model those that are: beside `.params` an `.npz` is
/// something else, such as what `mx2onnx record` writes, and a packed file is the one that lies
/// there unpacked.
std::vector<std::string> likely_parameters(std::vector<std::string> names);

/// "model" for "model-symbol.json", "symbol" for "symbol.json.gz".
std::string prefix_of(std::string_view symbol);

/// "model" and 12 for "model-0012.params"; no number for "model.params".
struct ParameterName {
  std::string prefix;
  std::optional<std::int64_t> epoch;
};
ParameterName parse_parameter_name(std::string_view name);

/// "'a', 'b' and 3 more".
std::string list_names(const std::vector<std::string>& names);

}  // namespace mx2onnx::source
