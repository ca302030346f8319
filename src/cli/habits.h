// What people write out of habit from other programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mx2onnx::cli {

/// The words of the command line with those that are clear put in this program's form: `help`,
/// `help COMMAND`, and `--verify FILE.npz`, whose file may be left out.
std::vector<std::string> without_habits(std::vector<std::string> words);

/// What to say of a first word that is a file and no command: which command it wants. Nothing if it
/// is no file.
std::optional<std::string> missing_command(const std::vector<std::string>& words);

}  // namespace mx2onnx::cli
