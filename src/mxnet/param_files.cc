#include "mxnet/param_files.h"

#include <cstring>

#include "base/error.h"

namespace mx2onnx::mxnet {
namespace {

constexpr std::string_view kListMagic("\x12\x01\0\0\0\0\0\0", 8);
constexpr std::string_view kNpyMagic("\x93NUMPY", 6);

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool is_zip(std::span<const std::byte> bytes) {
  return starts_with(bytes, "PK\x03\x04") || starts_with(bytes, "PK\x05\x06");
}

}  // namespace

std::uint64_t checked_count(const std::vector<std::int64_t>& dims,
                            const std::function<std::string()>& part) {
  std::uint64_t count = 1;
  for (const auto dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(dim), &count) ||
        count > (std::uint64_t{1} << 60)) {
      fail(ErrorCode::kFormat, fmt::format("{}expected the sizes of an array, found {}",
                                           part ? part() : "", Shape::of(dims).to_string()));
    }
  }
  return count;
}

bool is_param_file(std::span<const std::byte> bytes) {
  return starts_with(bytes, kListMagic) || starts_with(bytes, kNpyMagic) || is_zip(bytes);
}

std::vector<StoredArray> read_param_file(const FilePart& file, Unpacker& unpacker) {
  const ErrorScope scope = ErrorScope::file(file.name);
  const auto bytes = file.bytes();
  if (starts_with(bytes, kListMagic)) return read_ndarray_list(file);
  if (is_zip(bytes)) return read_npz(file, unpacker);
  if (starts_with(bytes, kNpyMagic)) {
    std::vector<StoredArray> arrays;
    arrays.push_back({"", read_npy(file)});
    return arrays;
  }
  fail(ErrorCode::kFormat,
       bytes.empty() ? "expected a parameter file of MXNet, found an empty file"
                     : "expected a parameter file of MXNet, found something else",
       R"(MXNet's parameter files begin with 12 01 00 00, "PK" or "\x93NUMPY")");
}

}  // namespace mx2onnx::mxnet
