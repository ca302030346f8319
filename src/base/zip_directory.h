// The directory of a zip archive, read from its mapped bytes, so that what is stored without
// compression (MXNet 2's `.npz`, TorchServe's archives of weights) stays where it is and is mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file_part.h"
#include "base/unpack.h"

namespace mx2onnx {

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;
  bool encrypted = false;
  bool is_link = false;      ///< A symbolic link: the content is its target.
  std::uint32_t crc = 0;     ///< CRC-32 of the content.
  std::uint64_t packed = 0;  ///< Bytes in the archive.
  std::uint64_t size = 0;    ///< Bytes of content.
  std::uint64_t header = 0;  ///< Offset of the local header.
};

/// Fails with kFormat. Local headers may have sizes of 0, so the central directory is what counts.
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive);

/// Where the content of an entry is: in the archive itself, or in the unpacker's file.
struct ZipContent {
  bool unpacked = false;
  Unpacker::Range range;
};

/// Finds an entry's content, or unpacks it, and checks its CRC-32. Damaged, encrypted and unknown
/// ones fail with kFormat.
ZipContent read_zip_entry(const FilePart& archive, const ZipEntry& entry, Unpacker& unpacker);

/// The content as a file. To be called when all entries that are wanted were read.
FilePart zip_part(const FilePart& archive, const ZipContent& content, std::string name,
                  Unpacker& unpacker);

}  // namespace mx2onnx
