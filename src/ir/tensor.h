// Weights and constants. A Tensor never copies: its data is a view of a mapped file, bytes that the
// program made, or a recipe that makes the bytes while they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_sink.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "ir/dtype.h"
#include "ir/tensor_type.h"

namespace mx2onnx {

/// Where in a file the bytes of a tensor begin.
struct FilePlace {
  const MappedFile* file = nullptr;
  std::size_t offset = 0;
};

/// The bytes of a tensor in row-major order, little-endian. Immutable.
class TensorData {
 public:
  virtual ~TensorData() = default;
  virtual std::size_t size() const = 0;
  /// The bytes, if they lie in memory or in a mapped file already; they may be unaligned.
  virtual std::optional<std::span<const std::byte>> view() const { return std::nullopt; }
  /// Where they lie, if a file has them as they are.
  virtual std::optional<FilePlace> place() const { return std::nullopt; }
  /// Copies the bytes from `offset` on to `to`. The range lies within the data and consists of
  /// whole elements, and `to` is aligned for these. Any range may be asked for at any time.
  virtual void read(std::size_t offset, std::span<std::byte> to) const = 0;
  /// How many bytes are best read at a time by who reads all of them.
  virtual std::size_t piece_size() const { return kPieceSize; }
  /// Calls `visit` with all bytes from front to back, in pieces of whole elements that stay valid
  /// during the call.
  void for_each_piece(const std::function<void(std::span<const std::byte>)>& visit) const;
  /// Appends all bytes to the sink, with memory bounded by a piece.
  virtual void write_to(ByteSink& sink) const;

  static constexpr std::size_t kPieceSize = 1 << 16;
};

/// A range of a mapped file.
class MappedData : public TensorData {
 public:
  MappedData(std::shared_ptr<const MappedFile> file, std::size_t offset, std::size_t size)
      : file_(std::move(file)), offset_(offset), size_(size) {}
  std::size_t size() const override { return size_; }
  std::optional<std::span<const std::byte>> view() const override {
    return file_->bytes().subspan(offset_, size_);
  }
  std::optional<FilePlace> place() const override { return FilePlace{file_.get(), offset_}; }
  void read(std::size_t offset, std::span<std::byte> to) const override {
    // A call of the system costs more than a few bytes of a mapping.
    if (to.size() >= kWorthACall) return file_->read(offset_ + offset, to);
    if (!to.empty()) std::memcpy(to.data(), view()->data() + offset, to.size());
  }
  void write_to(ByteSink& sink) const override { sink.append_range(*file_, offset_, size_); }

 private:
  static constexpr std::size_t kWorthACall = 1 << 14;

  std::shared_ptr<const MappedFile> file_;
  std::size_t offset_;
  std::size_t size_;
};

/// Bytes of its own.
class OwnedData : public TensorData {
 public:
  explicit OwnedData(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  std::size_t size() const override { return bytes_.size(); }
  std::optional<std::span<const std::byte>> view() const override { return bytes_; }
  void read(std::size_t offset, std::span<std::byte> to) const override {
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + offset, to.size());
  }

 private:
  std::vector<std::byte> bytes_;
};

/// Bytes of somebody else, kept alive by `owner` (an array of the Python side, for instance).
class BorrowedData : public TensorData {
 public:
  BorrowedData(std::shared_ptr<const void> owner, std::span<const std::byte> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}
  std::size_t size() const override { return bytes_.size(); }
  std::optional<std::span<const std::byte>> view() const override { return bytes_; }
  void read(std::size_t offset, std::span<std::byte> to) const override {
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + offset, to.size());
  }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
};

/// Bytes that a function makes each time they are wanted; computed.h puts together what most need.
class ComputedData : public TensorData {
 public:
  /// As TensorData::read: makes any range of the bytes, the same ones each time, whatever was made
  /// before, and keeps no more memory than a few pieces meanwhile.
  using Fill = std::function<void(std::size_t offset, std::span<std::byte> to)>;
  ComputedData(std::size_t size, Fill fill, std::size_t piece_size = kPieceSize)
      : size_(size), fill_(std::move(fill)), piece_size_(piece_size) {}
  std::size_t size() const override { return size_; }
  void read(std::size_t offset, std::span<std::byte> to) const override {
    if (!to.empty()) fill_(offset, to);
  }
  std::size_t piece_size() const override { return piece_size_; }

 private:
  std::size_t size_;
  Fill fill_;
  std::size_t piece_size_;
};

struct Tensor {
  DType dtype = DType::kUnknown;
  std::vector<std::int64_t> dims;
  std::shared_ptr<const TensorData> data;

  std::int64_t count() const {
    std::int64_t product = 1;
    for (const auto dim : dims) product *= dim;
    return product;
  }
  std::size_t size_bytes() const { return data->size(); }
  TensorType type() const { return {dtype, Shape::of(dims)}; }
};

/// The element types of C++ that a Tensor can be read as without conversion.
template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::kFloat32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::kFloat64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::kInt64;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::kInt32;
}

/// A tensor of the given values; `dims` has as many elements as there are values.
template <typename T>
Tensor make_tensor(std::vector<std::int64_t> dims, const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return {dtype_of<T>(), std::move(dims), std::make_shared<OwnedData>(std::move(bytes))};
}

/// A tensor of any dtype from doubles, each rounded to the dtype as MXNet's `Cast` does (floating
/// values are cut towards zero for integers).
Tensor make_tensor_as(DType dtype, std::vector<std::int64_t> dims, std::span<const double> values);
Tensor make_scalar(DType dtype, double value);

/// All bytes, in memory: the view, or the result of running the recipe.
class TensorBytes {
 public:
  explicit TensorBytes(const Tensor& tensor);
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> made_;
  std::shared_ptr<const TensorData> keep_;
  std::span<const std::byte> bytes_;
};

/// The elements converted to double or int64 (floating values are cut towards zero). A 64-bit
/// integer passes through int64 unchanged.
std::vector<double> read_doubles(const Tensor& tensor);
std::vector<std::int64_t> read_ints(const Tensor& tensor);

}  // namespace mx2onnx
