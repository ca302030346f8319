#include "mxnet/param_files.h"

#include <cstring>

#include "base/error.h"

namespace mx2onnx::mxnet {
namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

std::uint64_t checked_count(const std::vector<std::int64_t>& dims) {
  std::uint64_t count = 1;
  for (const auto dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(dim), &count) ||
        count > (std::uint64_t{1} << 60)) {
      fail(ErrorCode::kFormat,
           fmt::format("expected the sizes of an array, found {}", Shape::of(dims).to_string()));
    }
  }
  return count;
}

std::vector<StoredArray> read_param_file(const std::shared_ptr<const MappedFile>& file) {
  const ErrorScope scope = ErrorScope::file(file->path());
  const auto bytes = file->bytes();
  constexpr std::string_view kListMagic("\x12\x01\0\0\0\0\0\0", 8);
  constexpr std::string_view kNpyMagic("\x93NUMPY", 6);
  if (starts_with(bytes, kListMagic)) return read_ndarray_list(file);
  if (starts_with(bytes, "PK\x03\x04") || starts_with(bytes, "PK\x05\x06")) return read_npz(file);
  if (starts_with(bytes, kNpyMagic)) {
    std::vector<StoredArray> arrays;
    arrays.push_back({"", read_npy(file, 0, bytes.size())});
    return arrays;
  }
  std::string hint = R"(MXNet's parameter files begin with 12 01 00 00, "PK" or "\x93NUMPY")";
  if (starts_with(bytes, "\x1f\x8b")) {
    hint = "this is a gzip archive: unpack it first (SageMaker keeps models in model.tar.gz)";
  } else if (starts_with(bytes, "{")) {
    hint = "this looks like JSON: the symbol file comes first on the command line";
  }
  fail(ErrorCode::kFormat,
       bytes.empty() ? "expected a parameter file of MXNet, found an empty file"
                     : "expected a parameter file of MXNet, found something else",
       hint);
}

}  // namespace mx2onnx::mxnet
