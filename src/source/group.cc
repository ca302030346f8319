// Several models on one command line.
#include <filesystem>
#include <system_error>

#include "base/mapped_file.h"
#include "mx2onnx/convert.h"
#include "source/checkpoints.h"
#include "source/container.h"
#include "source/kind.h"

namespace mx2onnx {
namespace {

enum class Word { kSymbol, kParameters, kModel };

Word word_kind(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return Word::kModel;
  // What is compressed is told by its name: unpacking it for that would be too much.
  const auto plain = source::without_gz(path);
  const bool is_packed = plain.size() != path.size();
  if (is_packed && plain.ends_with(".json")) return Word::kSymbol;
  if (plain.ends_with(".npz") || (is_packed && plain.ends_with(".params")))
    return Word::kParameters;
  switch (source::kind_of(MappedFile::open(path)->bytes())) {
    case source::Kind::kJson:
    case source::Kind::kUtf16:
      return Word::kSymbol;
    case source::Kind::kParameters:
      return Word::kParameters;
    default:
      return plain.ends_with(".params") ? Word::kParameters : Word::kModel;
  }
}

bool are_one_model(const std::string& params, const std::string& symbol) {
  return source::parse_parameter_name(params).prefix == source::prefix_of(symbol);
}

}  // namespace

std::vector<Source> group_models(const std::vector<std::filesystem::path>& paths) {
  std::vector<Source> models;
  Word last = Word::kModel;
  for (const auto& path : paths) {
    const Word word = word_kind(path.native());
    if (word == Word::kParameters && last == Word::kSymbol) {
      models.back().param_paths.push_back(path);
      continue;
    }
    if (word == Word::kSymbol && last == Word::kParameters && models.back().param_paths.empty() &&
        are_one_model(models.back().symbol_path.native(), path.native())) {
      models.back().param_paths.push_back(models.back().symbol_path);
      models.back().symbol_path = path;
    } else {
      models.push_back({.symbol_path = path});
    }
    last = word;
  }
  // A symbol that is named alone has its parameters beside it, if anywhere.
  for (auto& model : models) {
    const std::string& name = model.symbol_path.native();
    const std::string prefix = source::prefix_of(name);
    const bool is_checkpoint =
        name == prefix + "-symbol.json" || name == prefix + "-symbol.json.gz";
    if (model.param_paths.empty() && is_checkpoint) model.symbol_path = prefix;
  }
  return models;
}

}  // namespace mx2onnx
