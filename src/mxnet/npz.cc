// MXNet 2's parameters: a zip archive of `.npy` files, stored by MXNet and `numpy.savez`, deflated
// by `numpy.savez_compressed`; or one `.npy` file.
#include <algorithm>
#include <cstring>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "base/zip_directory.h"
#include "mxnet/param_files.h"

namespace mx2onnx::mxnet {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

// The value of a key in the header's Python dictionary, up to the given closing character.
std::string_view header_value(std::string_view header, std::string_view key) {
  const auto at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) {
    fail(ErrorCode::kFormat,
         fmt::format("npy header: expected the key '{}', found {}", key, in_quotes(header)));
  }
  return trim(header.substr(at + key.size() + 3));
}

DType parse_descr(std::string_view value) {
  struct Row {
    std::string_view descr;
    DType dtype;
  };
  // NumPy has no bfloat16; MXNet 2 writes it as a 2-byte void.
  constexpr Row kRows[] = {
      {"<f4", DType::kFloat32},  {"<f8", DType::kFloat64}, {"<f2", DType::kFloat16},
      {"|u1", DType::kUint8},    {"<u1", DType::kUint8},   {"|i1", DType::kInt8},
      {"<i1", DType::kInt8},     {"<i4", DType::kInt32},   {"<i8", DType::kInt64},
      {"|b1", DType::kBool},     {"<b1", DType::kBool},    {"<i2", DType::kInt16},
      {"<u2", DType::kUint16},   {"<u4", DType::kUint32},  {"<u8", DType::kUint64},
      {"|V2", DType::kBfloat16}, {"<V2", DType::kBfloat16}};
  const std::string_view descr =
      value.starts_with('\'') ? value.substr(1, value.find('\'', 1) - 1) : value;
  for (const auto& row : kRows) {
    if (row.descr == descr) return row.dtype;
  }
  fail(ErrorCode::kFormat,
       fmt::format("npy header: element type {} is not supported", in_quotes(descr)));
}

std::vector<std::int64_t> parse_shape(std::string_view value) {
  const auto end = value.find(')');
  std::vector<std::int64_t> dims;
  if (value.starts_with('(') && end != std::string_view::npos) {
    bool valid = true;
    for (const auto part : split(value.substr(1, end - 1), ',')) {
      if (trim(part).empty()) continue;
      const auto dim = parse_int(part);
      valid = valid && dim.has_value() && *dim <= kLargestSize && dims.size() < 32;
      if (valid) dims.push_back(*dim);
    }
    if (valid) return dims;
  }
  fail(ErrorCode::kFormat, fmt::format("npy header: expected a shape, found {}", in_quotes(value)));
}

// Bytes in row-major order from bytes in column-major order.
std::vector<std::byte> from_fortran_order(std::span<const std::byte> bytes,
                                          const std::vector<std::int64_t>& dims,
                                          std::size_t element) {
  std::vector<std::byte> result(bytes.size());
  std::vector<std::int64_t> index(dims.size(), 0);
  for (std::size_t to = 0; to < result.size(); to += element) {
    std::size_t from = 0;
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      from = from * static_cast<std::size_t>(dims[axis]) + static_cast<std::size_t>(index[axis]);
    }
    std::memcpy(result.data() + to, bytes.data() + from * element, element);
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < dims[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

}  // namespace

Tensor read_npy(const FilePart& file) {
  ByteReader reader(file.bytes());
  if (const auto magic = reader.read_text(6, "npy magic"); magic != kMagic) {
    fail(ErrorCode::kFormat,
         fmt::format(R"(expected an array of NumPy, which begins with "\x93NUMPY", found {})",
                     in_quotes(magic)));
  }
  const auto major = reader.read<std::uint8_t>("npy version");
  if (major < 1 || major > 3) {
    fail(ErrorCode::kFormat, fmt::format("npy version: expected 1 to 3, found {}", major));
  }
  reader.read<std::uint8_t>("npy version");
  const std::uint32_t header_size = major == 1 ? reader.read<std::uint16_t>("npy header size")
                                               : reader.read<std::uint32_t>("npy header size");
  const auto header = reader.read_text(header_size, "npy header");
  Tensor tensor;
  tensor.dtype = parse_descr(header_value(header, "descr"));
  tensor.dims = parse_shape(header_value(header, "shape"));
  const std::uint64_t data_size = checked_count(tensor.dims) * dtype_size(tensor.dtype);
  const std::size_t data_offset = file.offset + reader.offset();
  const auto data = reader.read_bytes(data_size, "array data");
  if (header_value(header, "fortran_order").starts_with("True") && tensor.dims.size() > 1) {
    tensor.data = std::make_shared<OwnedData>(
        from_fortran_order(data, tensor.dims, dtype_size(tensor.dtype)));
  } else {
    tensor.data = std::make_shared<MappedData>(file.file, data_offset, data.size());
  }
  return tensor;
}

std::vector<StoredArray> read_npz(const FilePart& file, Unpacker& unpacker) {
  const auto entries = read_zip_directory(file.bytes());
  std::vector<ZipContent> contents;
  contents.reserve(entries.size());
  for (const auto& entry : entries) contents.push_back(read_zip_entry(file, entry, unpacker));
  std::vector<StoredArray> arrays;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::string name = entries[i].name;
    const FilePart part = zip_part(file, contents[i], file.name + "/" + name, unpacker);
    const ErrorScope scope = ErrorScope::file(part.name);
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.push_back({std::move(name), read_npy(part)});
  }
  return arrays;
}

}  // namespace mx2onnx::mxnet
