// MXNet 2's parameters: a zip archive of stored (not compressed) `.npy` files, or one `.npy` file.
// Local headers may have sizes of 0, so the central directory is what counts.
#include <algorithm>
#include <cstring>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/text.h"
#include "mxnet/param_files.h"

namespace mx2onnx::mxnet {
namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50;
constexpr std::uint32_t kCentralMagic = 0x02014b50;
constexpr std::uint32_t kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::uint32_t kIn64 = 0xffffffff;

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
};

// The end record stands at the end of the file, before a comment of at most 65,535 bytes.
Directory find_directory(std::span<const std::byte> bytes) {
  const std::size_t last = bytes.size() < kEndSize ? 0 : bytes.size() - kEndSize;
  const std::size_t first = last > 0xffff ? last - 0xffff : 0;
  for (std::size_t at = last + 1; bytes.size() >= kEndSize && at-- > first;) {
    std::uint32_t magic = 0;
    std::memcpy(&magic, bytes.data() + at, sizeof(magic));
    if (magic != kEndMagic) continue;
    ByteReader end(bytes, at + 10);
    Directory directory;
    directory.entries = end.read<std::uint16_t>("zip directory");
    end.read<std::uint32_t>("zip directory");
    directory.offset = end.read<std::uint32_t>("zip directory");
    if (directory.offset == kIn64 && at >= kEnd64LocatorSize) {
      ByteReader locator(bytes, at - kEnd64LocatorSize + 8);
      const auto end64_offset = locator.read<std::uint64_t>("zip64 locator");
      if (end64_offset > bytes.size()) break;
      ByteReader end64(bytes, static_cast<std::size_t>(end64_offset));
      if (end64.read<std::uint32_t>("zip64 directory") != kEnd64Magic) break;
      end64.read_bytes(28, "zip64 directory");
      directory.entries = end64.read<std::uint64_t>("zip64 directory");
      end64.read<std::uint64_t>("zip64 directory");
      directory.offset = end64.read<std::uint64_t>("zip64 directory");
    }
    return directory;
  }
  fail(ErrorCode::kFormat,
       "expected the directory of a zip archive at the end of the file, found none",
       "the file may be truncated");
}

struct Entry {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;  // of the local header
};

// Sizes and offsets that do not fit 32 bits stand in the extra field with id 1, in this order.
void read_zip64_extra(std::span<const std::byte> extra, std::uint64_t packed, Entry& entry) {
  ByteReader reader(extra);
  while (reader.remaining() >= 4) {
    const auto id = reader.read<std::uint16_t>("zip extra field");
    const auto size = reader.read<std::uint16_t>("zip extra field");
    ByteReader field(reader.read_bytes(size, "zip extra field"));
    if (id != 1) continue;
    if (entry.size == kIn64) entry.size = field.read<std::uint64_t>("zip64 size");
    if (packed == kIn64) field.read<std::uint64_t>("zip64 size");
    if (entry.offset == kIn64) entry.offset = field.read<std::uint64_t>("zip64 offset");
  }
}

Entry read_entry(ByteReader& reader) {
  const auto at = reader.offset();
  if (reader.read<std::uint32_t>("zip directory entry") != kCentralMagic) {
    fail(ErrorCode::kFormat, fmt::format("offset {}: expected a zip directory entry", at));
  }
  reader.read_bytes(6, "zip directory entry");
  const auto method = reader.read<std::uint16_t>("zip directory entry");
  reader.read_bytes(8, "zip directory entry");
  const std::uint64_t packed = reader.read<std::uint32_t>("zip directory entry");
  Entry entry;
  entry.size = reader.read<std::uint32_t>("zip directory entry");
  const auto name_size = reader.read<std::uint16_t>("zip directory entry");
  const auto extra_size = reader.read<std::uint16_t>("zip directory entry");
  const auto comment_size = reader.read<std::uint16_t>("zip directory entry");
  reader.read_bytes(8, "zip directory entry");
  entry.offset = reader.read<std::uint32_t>("zip directory entry");
  entry.name = reader.read_text(name_size, "zip entry name");
  read_zip64_extra(reader.read_bytes(extra_size, "zip extra field"), packed, entry);
  reader.read_bytes(comment_size, "zip entry comment");
  if (method != 0) {
    fail(ErrorCode::kFormat,
         fmt::format("entry {} is compressed (method {})", in_quotes(entry.name), method),
         "MXNet stores arrays without compression; with NumPy use savez, not savez_compressed");
  }
  return entry;
}

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
  const std::string_view descr = value.substr(0, 1) == "'" ? value.substr(1, 3) : value;
  for (const auto& row : kRows) {
    if (row.descr == descr) return row.dtype;
  }
  fail(ErrorCode::kFormat,
       fmt::format("npy header: element type {} is not supported", in_quotes(descr)));
}

std::vector<std::int64_t> parse_shape(std::string_view value) {
  const auto end = value.find(')');
  std::vector<std::int64_t> dims;
  if (value.substr(0, 1) == "(" && end != std::string_view::npos) {
    bool valid = true;
    for (const auto part : split(value.substr(1, end - 1), ',')) {
      if (trim(part).empty()) continue;
      const auto dim = parse_int(part);
      valid = valid && dim.has_value() && dims.size() < 32;
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

Tensor read_npy(const std::shared_ptr<const MappedFile>& file, std::size_t offset,
                std::size_t size) {
  // Only the document's own bytes can be read, not what follows it in the archive.
  ByteReader reader(file->bytes().first(offset + size), offset);
  reader.read_bytes(6, "npy magic");
  const auto major = reader.read<std::uint8_t>("npy version");
  reader.read<std::uint8_t>("npy version");
  const std::uint32_t header_size = major == 1 ? reader.read<std::uint16_t>("npy header size")
                                               : reader.read<std::uint32_t>("npy header size");
  const auto header = reader.read_text(header_size, "npy header");
  Tensor tensor;
  tensor.dtype = parse_descr(header_value(header, "descr"));
  tensor.dims = parse_shape(header_value(header, "shape"));
  const std::uint64_t data_size = checked_count(tensor.dims) * dtype_size(tensor.dtype);
  const std::size_t data_offset = reader.offset();
  const auto data = reader.read_bytes(data_size, "array data");
  if (header_value(header, "fortran_order").starts_with("True") && tensor.dims.size() > 1) {
    tensor.data = std::make_shared<OwnedData>(
        from_fortran_order(data, tensor.dims, dtype_size(tensor.dtype)));
  } else {
    tensor.data = std::make_shared<MappedData>(file, data_offset, data.size());
  }
  return tensor;
}

std::vector<StoredArray> read_npz(const std::shared_ptr<const MappedFile>& file) {
  const auto bytes = file->bytes();
  const Directory directory = find_directory(bytes);
  if (directory.offset > bytes.size()) {
    fail(ErrorCode::kFormat,
         fmt::format("zip directory: expected an offset within the file, found {}",
                     directory.offset));
  }
  ByteReader reader(bytes, static_cast<std::size_t>(directory.offset));
  std::vector<StoredArray> arrays;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const Entry entry = read_entry(reader);
    if (entry.offset > bytes.size()) {
      fail(ErrorCode::kFormat,
           fmt::format("zip entry {}: expected an offset within the file, found {}",
                       in_quotes(entry.name), entry.offset));
    }
    ByteReader local(bytes, static_cast<std::size_t>(entry.offset));
    if (local.read<std::uint32_t>("zip local header") != kLocalMagic) {
      fail(ErrorCode::kFormat, fmt::format("offset {}: expected a zip local header", entry.offset));
    }
    local.read_bytes(22, "zip local header");
    const auto name_size = local.read<std::uint16_t>("zip local header");
    const auto extra_size = local.read<std::uint16_t>("zip local header");
    local.read_bytes(std::uint64_t{name_size} + extra_size, "zip local header");
    const std::size_t offset = local.offset();
    local.read_bytes(entry.size, "zip entry");
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.push_back(
        {std::move(name), read_npy(file, offset, static_cast<std::size_t>(entry.size))});
  }
  return arrays;
}

}  // namespace mx2onnx::mxnet
