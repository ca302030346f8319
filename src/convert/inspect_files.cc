// See inspect_files.h.
#include "convert/inspect_files.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "base/mapped_file.h"
#include "convert/inspect_onnx.h"
#include "mxnet/param_files.h"

namespace mx2onnx {
namespace {

bool is_regular_file(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool begins_with(const MappedFile& file, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return file.bytes().size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), file.bytes().begin());
}

// An NDArray list's magic, a zip archive's, and NumPy's.
bool is_parameters(const MappedFile& file) {
  using namespace std::string_view_literals;
  return begins_with(file, "\x12\x01\0\0\0\0\0\0"sv) || begins_with(file, "PK\x03\x04"sv) ||
         begins_with(file, "\x93NUMPY"sv);
}

// Protobuf has no magic. Whoever writes ONNX begins with the IR version, a small number, and no
// symbol begins so; a name that says it is one is believed, too.
bool is_onnx(const MappedFile& file) {
  const auto bytes = file.bytes();
  constexpr std::byte kIrVersion{0x08};
  constexpr std::byte kMostVersions{0x20};
  const bool has_version = bytes.size() > 2 && bytes[0] == kIrVersion && bytes[1] < kMostVersions;
  return has_version || file.path().ends_with(".onnx");
}

void add_arrays(const std::shared_ptr<const MappedFile>& file, Inspection& result) {
  const ErrorScope scope = ErrorScope::file(file->path());
  for (const auto& array : mxnet::read_param_file(file)) {
    const bool is_there = array.tensor.data != nullptr;
    const std::uint64_t bytes = is_there ? array.tensor.size_bytes() : 0;
    result.arrays.push_back(
        {array.name, std::string(dtype_name(array.tensor.dtype)), array.tensor.dims, bytes});
    ++result.num_parameters;
    if (is_there) result.parameter_count += mxnet::checked_count(array.tensor.dims);
    result.parameter_bytes += bytes;
  }
}

}  // namespace

std::optional<Inspection> inspect_other_file(const Source& source, const ConvertOptions& options) {
  if (!source.symbol_json.empty() || !is_regular_file(source.symbol_path.native()))
    return std::nullopt;
  const auto file = MappedFile::open(source.symbol_path.native());
  if (is_onnx(*file)) return inspect_onnx(file);
  if (!is_parameters(*file)) return std::nullopt;
  Inspection result;
  result.kind = FileKind::kParameters;
  result.opset = options.opset;
  add_arrays(file, result);
  for (const auto& path : source.param_paths) add_arrays(MappedFile::open(path), result);
  result.failure = ErrorCode::kModel;
  result.problems.emplace_back("these are parameters without a graph");
  result.hints.emplace_back("name the *-symbol.json before them");
  return result;
}

}  // namespace mx2onnx
