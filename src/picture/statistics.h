// What the numbers of weights are like, with a limit to what is read for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "ir/tensor.h"
#include "mx2onnx/picture.h"

namespace mx2onnx::picture {

class StatisticsReader {
 public:
  /// At most so many numbers are read of all arrays together.
  explicit StatisticsReader(std::uint64_t most_numbers) : left_(most_numbers) {}

  /// Nothing if there is nothing to read, or nothing left to read it with. The same array is read
  /// once.
  std::optional<ArrayStatistics> look_at(const Tensor& tensor);

 private:
  std::uint64_t left_;
  std::map<std::shared_ptr<const TensorData>, ArrayStatistics> known_;
};

/// The numbers of an array of up to 16, none of a larger one.
std::vector<double> small_numbers(const Tensor& tensor);

}  // namespace mx2onnx::picture
