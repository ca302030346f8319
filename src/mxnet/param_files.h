// The containers that MXNet stores parameters in: the list file of `mx.nd.save` (every version),
// and MXNet 2's zip of `.npy` and single `.npy` files. Files are mapped; no array is copied unless
// it is stored sparse, compressed or in Fortran order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_part.h"
#include "base/unpack.h"
#include "ir/tensor.h"

namespace mx2onnx::mxnet {

/// One array as a file holds it.
struct StoredArray {
  std::string
      name;  ///< With its prefix `arg:` or `aux:` if there is one; empty in a file without names.
  Tensor tensor;  ///< Without data if MXNet stored an array that does not exist ("none").
};

/// True for bytes that begin as one of the containers does. A zip archive counts, whatever is in
/// it.
bool is_param_file(std::span<const std::byte> bytes);

/// Reads any of the containers, told apart by their first bytes. Compressed arrays go through the
/// unpacker. Fails with kFormat and the offset.
std::vector<StoredArray> read_param_file(const FilePart& file, Unpacker& unpacker);

// One reader per container; `read_param_file` picks among them.
std::vector<StoredArray> read_ndarray_list(const FilePart& file);
std::vector<StoredArray> read_npz(const FilePart& file, Unpacker& unpacker);
/// A `.npy` document.
Tensor read_npy(const FilePart& file);

/// Elements in a shape of a file; fails with kFormat on negative sizes, and on overflow. `part`
/// gives what the message begins with.
std::uint64_t checked_count(const std::vector<std::int64_t>& dims,
                            const std::function<std::string()>& part = {});

}  // namespace mx2onnx::mxnet
