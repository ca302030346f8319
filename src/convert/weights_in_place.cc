#include "convert/weights_in_place.h"

#include <map>

#include "base/error.h"

namespace mx2onnx {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOption = "weights in place";

std::string name_below(const fs::path& folder, const MappedFile& file) {
  std::error_code error;
  const fs::path path = fs::canonical(file.path(), error);
  const fs::path name = path.lexically_relative(folder);
  if (error || name.empty() || *name.begin() == "..") {
    fail_at({.file = file.path()}, ErrorCode::kUsage,
            fmt::format("{}: the model's folder has to be the one of its weights, or one above it",
                        kOption),
            fmt::format("write it to {}", (path.parent_path() / "NAME.onnx").native()));
  }
  return name.generic_string();
}

}  // namespace

WeightsInPlace::WeightsInPlace(onnx::ModelWriter& writer, const fs::path& output) {
  const auto weights = writer.large_weights();
  for (const Tensor* tensor : weights) {
    if (const auto place = tensor->data->place()) files_.insert(place->file);
  }
  std::error_code error;
  const fs::path folder = fs::canonical(fs::absolute(output, error).parent_path(), error);
  std::map<const MappedFile*, std::string> names;
  for (const MappedFile* file : files_) {
    if (!file->has_name()) {
      fail(ErrorCode::kUsage,
           fmt::format("{}: the weights are compressed, so that no file has them as they are",
                       kOption),
           "unpack them first, or leave the option out");
    }
    names[file] = name_below(folder, *file);
  }
  if (files_.empty() && !weights.empty()) {
    fail(ErrorCode::kUsage, fmt::format("{}: no file has any of the weights as they are", kOption),
         "leave the option out");
  }
  bytes_elsewhere_ = writer.use_weights_in_place(names);
}

std::vector<std::string> WeightsInPlace::files() const {
  std::set<std::string> paths;
  for (const MappedFile* file : files_) paths.insert(file->path());
  return {paths.begin(), paths.end()};
}

void WeightsInPlace::expect_unchanged() const {
  for (const MappedFile* file : files_) {
    if (file->is_as_mapped()) continue;
    fail_at({.file = file->path()}, ErrorCode::kIo,
            "the file was changed or replaced while it was read",
            "convert again when nobody writes to it");
  }
}

}  // namespace mx2onnx
