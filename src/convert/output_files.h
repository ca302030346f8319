// Where a converted model becomes files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "onnx/writer.h"

namespace mx2onnx {

struct WrittenFiles {
  std::uint64_t bytes = 0;  ///< Of all of them.
  std::string data;         ///< The one with the weights; empty if they are in the model.
};

/// Fails with kUsage if the output is one of the files that are read or, where the weights get a
/// file of their own, one of those that would give way is.
void check_output(const std::vector<std::string>& inputs, const std::filesystem::path& output,
                  bool has_data);

/// Called when everything is written and nothing has its name yet; may fail.
using LastCheck = std::function<void()>;

/// Writes one file.
WrittenFiles write_model_file(const onnx::ModelWriter& writer, const std::filesystem::path& output,
                              const onnx::WriteProgress& progress,
                              const LastCheck& last_check = {});

/// Writes the model and beside it the file with its weights, `<output>.data`, or, as long as a file
/// has this name, `<output>.1.data` and so on. Whenever it is ended the model there is, the old one
/// or the new one, has its own weights: the data get a name that no model refers to, the model
/// comes after them, and the data of the old one go last. Conversions to one output by several
/// processes come one after the other here.
WrittenFiles write_model_and_data(onnx::ModelWriter& writer, const std::filesystem::path& output,
                                  const onnx::WriteProgress& progress,
                                  const LastCheck& last_check = {});

}  // namespace mx2onnx
