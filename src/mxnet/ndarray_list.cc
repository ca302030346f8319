// The list container of `mx.nd.save` (src/ndarray/ndarray.cc): magic 0x112, the arrays, the names.
//
// Four kinds of array record have existed: V0 (to 0.10: no magic, the number of dimensions comes
// first, 32-bit sizes), V1 (0.11: 64-bit sizes), V2 (0.12 to 1.9: storage type, sparse arrays) and
// V3 (under NumPy shape semantics: 0-d and empty arrays exist).
#include <algorithm>

#include "base/budget.h"
#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/interruption.h"
#include "mxnet/param_files.h"

namespace mx2onnx::mxnet {
namespace {

constexpr std::uint32_t kMagicV1 = 0xF993fac8;
constexpr std::uint32_t kMagicV2 = 0xF993fac9;
constexpr std::uint32_t kMagicV3 = 0xF993faca;
constexpr std::int32_t kMostDims = 32;
enum StorageType : std::int32_t { kUndefined = -1, kDefault = 0, kRowSparse = 1, kCsr = 2 };

class RecordReader {
 public:
  RecordReader(const FilePart& file, ByteReader& reader) : file_(file), reader_(reader) {}

  Tensor read_record() {
    const auto magic = reader_.read<std::uint32_t>("array record");
    if (magic == kMagicV2 || magic == kMagicV3) return read_v2(magic == kMagicV3);
    Tensor tensor;
    if (magic == kMagicV1) {
      read_shape(tensor.dims, "array shape");
    } else {
      check_rank(magic, "array shape");
      for (std::uint32_t i = 0; i < magic; ++i) {
        tensor.dims.push_back(reader_.read<std::uint32_t>("array shape"));
      }
    }
    if (tensor.dims.empty()) return tensor;
    read_context();
    tensor.dtype = read_dtype(tensor.dims);
    tensor.data = read_dense(tensor.dtype, tensor.dims);
    return tensor;
  }

 private:
  Tensor read_v2(bool np_shape) {
    const auto at = reader_.offset();
    const auto storage = reader_.read<std::int32_t>("storage type");
    if (storage < kUndefined || storage > kCsr) {
      fail(ErrorCode::kFormat,
           fmt::format("{}: storage type: expected -1 to 2, found {}", reader_.place(at), storage));
    }
    const bool sparse = storage == kRowSparse || storage == kCsr;
    std::vector<std::int64_t> stored_dims;
    if (sparse) read_shape(stored_dims, "storage shape");
    Tensor tensor;
    const bool known = read_shape(tensor.dims, "array shape");
    if (!known || (!np_shape && tensor.dims.empty())) return Tensor{};
    read_context();
    tensor.dtype = read_dtype(tensor.dims);
    if (!sparse) {
      tensor.data = read_dense(tensor.dtype, tensor.dims);
      return tensor;
    }
    std::vector<DType> aux_types;
    std::vector<std::vector<std::int64_t>> aux_dims(storage == kCsr ? 2 : 1);
    for (auto& dims : aux_dims) {
      aux_types.push_back(read_dtype(tensor.dims));
      read_shape(dims, "auxiliary shape");
    }
    const Tensor values{tensor.dtype, stored_dims, read_dense(tensor.dtype, stored_dims)};
    std::vector<std::vector<std::int64_t>> aux;
    for (std::size_t i = 0; i < aux_dims.size(); ++i) {
      aux.push_back(read_ints({aux_types[i], aux_dims[i], read_dense(aux_types[i], aux_dims[i])}));
    }
    tensor.data = storage == kCsr ? csr_to_dense(tensor, values, aux[0], aux[1])
                                  : rows_to_dense(tensor, values, aux[0]);
    return tensor;
  }

  void check_rank(std::int64_t rank, std::string_view what) {
    if (rank > kMostDims) {
      fail(ErrorCode::kFormat,
           fmt::format("{}: {}: expected at most {} dimensions, found {}",
                       reader_.place(reader_.offset() - 4), what, kMostDims, rank));
    }
  }

  // False for a shape that is not known (-1 under NumPy semantics): the array does not exist.
  bool read_shape(std::vector<std::int64_t>& dims, std::string_view what) {
    const auto rank = reader_.read<std::int32_t>(what);
    check_rank(rank, what);
    bool known = rank >= 0;
    for (std::int32_t i = 0; i < rank; ++i) {
      dims.push_back(reader_.read<std::int64_t>(what));
      if (dims.back() > kLargestSize) {
        fail(ErrorCode::kFormat,
             fmt::format("{}: {}: expected sizes of at most {}, found {}",
                         reader_.place(reader_.offset() - 8), what, kLargestSize, dims.back()));
      }
      known = known && dims.back() >= 0;
    }
    return known;
  }

  void read_context() { reader_.read_bytes(8, "device context"); }

  // A damaged shape has another length, and then it is something else that stands here.
  DType read_dtype(const std::vector<std::int64_t>& dims) {
    const auto at = reader_.offset();
    const auto flag = reader_.read<std::int32_t>("type flag");
    const auto dtype = dtype_from_flag(flag);
    if (!dtype) {
      fail(ErrorCode::kFormat,
           fmt::format("{}: type flag: expected 0 to 12, found {}", reader_.place(at), flag),
           fmt::format("what is damaged may also be the shape before it, which reads {}",
                       Shape::of(dims).to_string()));
    }
    return *dtype;
  }

  std::uint64_t counted(const std::vector<std::int64_t>& dims) const {
    return checked_count(dims, [this] { return reader_.place(reader_.offset()) + ": "; });
  }

  std::shared_ptr<const TensorData> read_dense(DType dtype, const std::vector<std::int64_t>& dims) {
    const std::uint64_t size = counted(dims) * dtype_size(dtype);
    const std::size_t offset = reader_.offset();
    reader_.read_bytes(size, "array data");
    return std::make_shared<MappedData>(file_.file, file_.offset + offset,
                                        static_cast<std::size_t>(size));
  }

  [[noreturn]] void fail_sparse(std::string_view what) {
    fail(ErrorCode::kFormat,
         fmt::format("{}: sparse array: {}", reader_.place(reader_.offset()), what));
  }

  // A file of a few bytes must not become one of terabytes.
  std::size_t dense_size(const Tensor& tensor) {
    const std::uint64_t size = counted(tensor.dims) * dtype_size(tensor.dtype);
    spend(size);
    return static_cast<std::size_t>(size);
  }

  // Pieces of `values` that stand at given byte positions of an array of zeros.
  struct Piece {
    std::size_t position;
    std::size_t source;
    std::size_t size;
  };

  static std::shared_ptr<const TensorData> scatter(std::size_t size, const Tensor& values,
                                                   std::vector<Piece> pieces) {
    auto fill = [values, pieces = std::move(pieces)](std::size_t offset, std::span<std::byte> to) {
      std::fill(to.begin(), to.end(), std::byte{0});
      const std::size_t end = offset + to.size();
      auto piece = std::partition_point(pieces.begin(), pieces.end(), [&](const Piece& each) {
        return each.position + each.size <= offset;
      });
      for (; piece != pieces.end() && piece->position < end; ++piece) {
        const std::size_t from = std::max(offset, piece->position);
        const std::size_t until = std::min(end, piece->position + piece->size);
        values.data->read(piece->source + (from - piece->position),
                          to.subspan(from - offset, until - from));
      }
    };
    return std::make_shared<ComputedData>(size, std::move(fill));
  }

  std::shared_ptr<const TensorData> rows_to_dense(const Tensor& tensor, const Tensor& values,
                                                  const std::vector<std::int64_t>& rows) {
    if (tensor.dims.empty()) fail_sparse("expected at least one dimension, found none");
    const std::size_t size = dense_size(tensor);
    const std::size_t row_size =
        tensor.dims[0] == 0 ? 0 : size / static_cast<std::size_t>(tensor.dims[0]);
    std::vector<Piece> pieces;
    std::int64_t previous = -1;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] <= previous || rows[i] >= tensor.dims[0]) {
        fail_sparse(
            fmt::format("expected ascending rows below {}, found {}", tensor.dims[0], rows[i]));
      }
      previous = rows[i];
      pieces.push_back({static_cast<std::size_t>(rows[i]) * row_size, i * row_size, row_size});
    }
    if (values.size_bytes() < rows.size() * row_size) {
      fail_sparse(fmt::format("expected {} bytes for {} rows, found {}", rows.size() * row_size,
                              rows.size(), values.size_bytes()));
    }
    return scatter(size, values, std::move(pieces));
  }

  std::shared_ptr<const TensorData> csr_to_dense(const Tensor& tensor, const Tensor& values,
                                                 const std::vector<std::int64_t>& indptr,
                                                 const std::vector<std::int64_t>& columns) {
    if (tensor.dims.size() != 2) {
      fail_sparse(fmt::format("expected 2 dimensions, found {}", tensor.dims.size()));
    }
    const std::size_t size = dense_size(tensor);
    const std::size_t element = dtype_size(tensor.dtype);
    const auto available =
        static_cast<std::int64_t>(std::min(columns.size(), values.size_bytes() / element));
    std::vector<Piece> pieces;
    const auto rows = static_cast<std::size_t>(tensor.dims[0]);
    // An array without a single value is stored without row pointers, too.
    if (indptr.empty() && columns.empty()) return scatter(size, values, {});
    if (indptr.size() != rows + 1) {
      fail_sparse(fmt::format("expected {} row pointers, found {}", rows + 1, indptr.size()));
    }
    for (std::size_t row = 0; row < rows; ++row) {
      if (indptr[row] < 0 || indptr[row] > indptr[row + 1] || indptr[row + 1] > available) {
        fail_sparse(fmt::format("expected row pointers ascending to {}, found {} and {}", available,
                                indptr[row], indptr[row + 1]));
      }
      for (std::int64_t k = indptr[row]; k < indptr[row + 1]; ++k) {
        const std::int64_t column = columns[static_cast<std::size_t>(k)];
        if (column < 0 || column >= tensor.dims[1]) {
          fail_sparse(fmt::format("expected columns below {}, found {}", tensor.dims[1], column));
        }
        const auto position =
            row * static_cast<std::size_t>(tensor.dims[1]) + static_cast<std::size_t>(column);
        pieces.push_back({position * element, static_cast<std::size_t>(k) * element, element});
      }
    }
    return scatter(size, values, in_order(std::move(pieces)));
  }

  // MXNet does not sort the columns of a row; where one occurs twice the later value stands.
  static std::vector<Piece> in_order(std::vector<Piece> pieces) {
    std::stable_sort(pieces.begin(), pieces.end(),
                     [](const Piece& a, const Piece& b) { return a.position < b.position; });
    std::vector<Piece> result;
    for (const auto& piece : pieces) {
      if (!result.empty() && result.back().position == piece.position) result.pop_back();
      result.push_back(piece);
    }
    return result;
  }

  const FilePart& file_;
  ByteReader& reader_;
};

}  // namespace

std::vector<StoredArray> read_ndarray_list(const FilePart& file) {
  ByteReader reader(file.bytes());
  reader.read<std::uint64_t>("magic");
  reader.read<std::uint64_t>("reserved word");
  const auto check_count = [&](std::uint64_t count, std::string_view what) {
    // Each array and each name takes at least 4 bytes: a larger number is a lie.
    if (count > reader.remaining() / 4 + 1) {
      fail(ErrorCode::kFormat,
           fmt::format("offset {}: number of {}: found {}, more than the rest of "
                       "the file can hold",
                       reader.offset() - 8, what, count));
    }
  };
  const auto count = reader.read<std::uint64_t>("number of arrays");
  check_count(count, "arrays");
  std::vector<StoredArray> arrays;
  RecordReader records(file, reader);
  for (std::uint64_t i = 0; i < count; ++i) {
    interruption_point();
    reader.set_array(i, count);
    arrays.push_back({"", records.read_record()});
  }
  reader.set_array(0, 0);
  const auto at = reader.offset();
  const auto names = reader.read<std::uint64_t>("number of names");
  check_count(names, "names");
  if (names != 0 && names != count) {
    fail(ErrorCode::kFormat,
         fmt::format("offset {}: number of names: expected {} or 0, found {}", at, count, names));
  }
  for (std::uint64_t i = 0; i < names; ++i) {
    reader.set_array(i, count);
    const auto length = reader.read<std::uint64_t>("name");
    arrays[i].name = reader.read_text(length, "name");
  }
  return arrays;
}

}  // namespace mx2onnx::mxnet
