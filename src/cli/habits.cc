// See habits.h.
#include "cli/habits.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/shell_word.h"

namespace mx2onnx::cli {
namespace {

bool is_file(const std::string& word) {
  for (const std::string_view ending : {".json", ".params", ".npz", ".onnx", ".tar.gz", ".zip"}) {
    if (word.ends_with(ending)) return true;
  }
  std::error_code ignored;
  return word.find('/') != std::string::npos && std::filesystem::exists(word, ignored);
}

bool has_output(const std::vector<std::string>& words) {
  return std::ranges::any_of(words, [](const std::string& word) {
    return word.starts_with("-o") || word.starts_with("--output=") || word == "--output";
  });
}

}  // namespace

std::vector<std::string> without_habits(std::vector<std::string> words) {
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::vector<std::string> result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--verify" && i + 1 < words.size() && words[i + 1].ends_with(".npz")) {
      result.push_back("--verify=" + words[++i]);
    } else {
      result.push_back(words[i]);
    }
  }
  return result;
}

std::optional<std::string> missing_command(const std::vector<std::string>& words) {
  if (words.empty() || !is_file(words[0])) return std::nullopt;
  const bool is_onnx = words[0].ends_with(".onnx");
  std::string command = is_onnx ? "mx2onnx inspect" : "mx2onnx convert";
  for (const auto& word : words) command += " " + shell_word(word);
  if (!is_onnx && !has_output(words)) command += " -o model.onnx";
  return command;
}

}  // namespace mx2onnx::cli
