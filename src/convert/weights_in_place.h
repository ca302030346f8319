// A model that refers to its weights where they lie: in the parameter file.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "onnx/writer.h"

namespace mx2onnx {

class WeightsInPlace {
 public:
  /// Makes the writer's model, which is to become `output`, refer to the files with its weights.
  /// ONNX has paths below the model's own folder only. Fails with kUsage if a file lies elsewhere,
  /// has no name (it was unpacked), or if no file has any of the weights as they are.
  WeightsInPlace(onnx::ModelWriter& writer, const std::filesystem::path& output);

  /// Bytes of large weights that no file has as they are: the model needs a data file for them.
  std::uint64_t bytes_elsewhere() const { return bytes_elsewhere_; }
  /// The files, as the user named them.
  std::vector<std::string> files() const;
  /// Fails with kIo if one of the files was changed or replaced since it was read.
  void expect_unchanged() const;

 private:
  std::set<const MappedFile*> files_;
  std::uint64_t bytes_elsewhere_ = 0;
};

}  // namespace mx2onnx
