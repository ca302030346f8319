// The directory of a tar archive (POSIX ustar and pax, GNU, and the old V7 form), read from its
// mapped bytes: members are not compressed, so they stay where they are.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace mx2onnx::source {

struct TarEntry {
  enum class Type { kFile, kLink, kOther };
  std::string name;
  Type type = Type::kFile;
  std::string target;  ///< Of a link. A hard link's is a name in the archive.
  bool is_hard = false;
  std::size_t offset = 0;  ///< Of the content.
  std::size_t size = 0;
};

/// True for bytes that begin with a member's header.
bool is_tar(std::span<const std::byte> bytes);

/// Files and links in the order of the archive. Damaged headers, members that pass the end of the
/// archive, and sparse members fail with kFormat.
std::vector<TarEntry> read_tar_directory(std::span<const std::byte> archive);

}  // namespace mx2onnx::source
