// See inspect_files.h.
#include "convert/inspect_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"
#include "convert/inspect_onnx.h"
#include "mxnet/param_files.h"
#include "source/kind.h"

namespace mx2onnx {
namespace {

bool is_regular_file(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_parameters(const FilePart& file) {
  const auto kind = source::kind_of(file.bytes());
  return kind == source::Kind::kParameters || (kind == source::Kind::kZip && source::is_npz(file));
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

void add_arrays(const FilePart& file, Unpacker& unpacker, Inspection& result) {
  const ErrorScope scope = ErrorScope::file(file.name);
  for (const auto& array : mxnet::read_param_file(file, unpacker)) {
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
  // A symbol may come after the parameters, too.
  std::vector<FilePart> files = {file};
  for (const auto& path : source.param_paths) files.emplace_back(MappedFile::open(path.native()));
  if (!std::all_of(files.begin(), files.end(), is_parameters)) return std::nullopt;
  Inspection result;
  result.kind = FileKind::kParameters;
  result.opset = options.opset;
  Unpacker unpacker({source.unpack_limit});
  for (const auto& part : files) {
    unpacker.admit(part.size);
    add_arrays(part, unpacker, result);
  }
  result.failure = ErrorCode::kModel;
  result.problems.emplace_back("these are parameters without a graph");
  result.hints.emplace_back("name the *-symbol.json before them");
  return result;
}

}  // namespace mx2onnx
