// The containers that MXNet stores parameters in: the list file of `mx.nd.save` (every version),
// and MXNet 2's zip of `.npy` and single `.npy` files. Files are mapped; no array is copied unless
// it is stored sparse or in Fortran order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "ir/tensor.h"

namespace mx2onnx::mxnet {

/// One array as a file holds it.
struct StoredArray {
  std::string
      name;  ///< With its prefix `arg:` or `aux:` if there is one; empty in a file without names.
  Tensor tensor;  ///< Without data if MXNet stored an array that does not exist ("none").
};

/// Reads any of the containers, told apart by their first bytes. Fails with kFormat and the offset.
std::vector<StoredArray> read_param_file(const std::shared_ptr<const MappedFile>& file);

// One reader per container; `read_param_file` picks among them.
std::vector<StoredArray> read_ndarray_list(const std::shared_ptr<const MappedFile>& file);
std::vector<StoredArray> read_npz(const std::shared_ptr<const MappedFile>& file);
/// A `.npy` document that begins at `offset` and is `size` bytes long.
Tensor read_npy(const std::shared_ptr<const MappedFile>& file, std::size_t offset,
                std::size_t size);

/// Elements in a shape of a file; fails with kFormat on negative sizes, and on overflow.
std::uint64_t checked_count(const std::vector<std::int64_t>& dims);

}  // namespace mx2onnx::mxnet
