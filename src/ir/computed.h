// Tensors that are made of others while they are read: a weight that is cast, scaled, quantised or
// turned round goes from its file to the output through a buffer of a few pieces, and never lies in
// memory as a whole. Such tensors are tensors like others, so they may be made of each other; what
// is needed of a whole weight first (the largest element of each channel) is gathered by
// TensorData::for_each_piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ir/tensor.h"

namespace mx2onnx {

/// Makes some elements of a tensor, from number `first` on (in row-major order), in `to`. `from`
/// has the same elements of each source; all of them are aligned. It is called for any range, the
/// same one more than once, so it must depend on nothing else.
using MakeElements =
    std::function<void(std::size_t first, const std::vector<std::span<const std::byte>>& from,
                       std::span<std::byte> to)>;

/// A tensor whose elements are made of the same elements of the sources, at least one, which have
/// as many elements (`strided` broadcasts them) and any type.
Tensor elementwise(DType dtype, std::vector<std::int64_t> dims, std::vector<Tensor> sources,
                   MakeElements make);

/// The elements converted as convert_elements does.
Tensor cast(const Tensor& tensor, DType dtype);

/// The elements of `from` (in row-major order) at offset + sum of index * stride, over all indices
/// of `dims`: slices, transposes, and broadcasts with strides of 0.
Tensor strided(const Tensor& from, std::vector<std::int64_t> dims, std::int64_t offset,
               const std::vector<std::int64_t>& strides);

/// A part of the bytes of something.
struct DataPart {
  std::shared_ptr<const TensorData> data;
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// The parts one after the other, and that so many times, where each part goes on each time after
/// what it gave the last time: 3 times parts of 4 and 8 bytes take 12 and 24 of their data. Parts
/// are whole elements.
std::shared_ptr<const TensorData> joined(std::vector<DataPart> parts, std::size_t times = 1);

/// The same tensor: with its bytes in memory, if these are at most 1 MiB, else as it is. For what
/// may be asked for again.
Tensor kept_if_small(Tensor tensor);

}  // namespace mx2onnx
