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
  /// Appends all bytes to the sink, with memory bounded by a small constant beyond the view.
  virtual void write_to(ByteSink& sink) const = 0;
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
  void write_to(ByteSink& sink) const override { sink.append_range(*file_, offset_, size_); }

 private:
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
  void write_to(ByteSink& sink) const override { sink.append(bytes_); }

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
  void write_to(ByteSink& sink) const override { sink.append(bytes_); }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
};

/// Bytes that a function makes, piece by piece, each time they are wanted.
class ComputedData : public TensorData {
 public:
  using Producer = std::function<void(ByteSink&)>;
  /// `produce` appends exactly `size` bytes, the same ones each time.
  ComputedData(std::size_t size, Producer produce) : size_(size), produce_(std::move(produce)) {}
  std::size_t size() const override { return size_; }
  void write_to(ByteSink& sink) const override { produce_(sink); }

 private:
  std::size_t size_;
  Producer produce_;
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
  std::string made_;
  std::shared_ptr<const TensorData> keep_;
  std::span<const std::byte> bytes_;
};

/// The elements converted to double or int64 (floating values are cut towards zero). A 64-bit
/// integer passes through int64 unchanged.
std::vector<double> read_doubles(const Tensor& tensor);
std::vector<std::int64_t> read_ints(const Tensor& tensor);

}  // namespace mx2onnx
