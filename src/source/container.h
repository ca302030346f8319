// A folder or an archive as a list of files, each opened when it is wanted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_part.h"
#include "base/unpack.h"

namespace mx2onnx::source {

class Container {
 public:
  virtual ~Container() = default;
  /// As the user named it.
  virtual const std::string& name() const = 0;
  /// "folder" or "archive", for messages.
  virtual std::string_view kind() const = 0;
  /// Names within the container with slashes between folders, sorted and each once. Of a folder
  /// only what lies directly in it.
  virtual const std::vector<std::string>& members() const = 0;
  /// The content of a member of the list, as it is stored. Fails for links that lead out, and for
  /// damaged content.
  virtual FilePart open(const std::string& member) = 0;
  /// A member as a path of the file system; empty for one of an archive.
  virtual std::string path_of(const std::string& member) const = 0;
};

/// A file on the disk, counted towards what may be unpacked. Fails with kIo.
FilePart open_file(const std::string& path, Unpacker& unpacker);

/// Fails with kIo if the folder cannot be read. The unpacker must outlive the result.
std::unique_ptr<Container> open_folder(const std::string& path, Unpacker& unpacker);

/// A zip or tar archive, told apart by the first bytes. Damaged directories, names that lead out of
/// the archive and names that control characters are in fail with kFormat. The unpacker must
/// outlive the result.
std::unique_ptr<Container> open_archive(FilePart archive, Unpacker& unpacker);

/// Unpacks gzip once; anything else comes back as it is.
FilePart gunzip_if_packed(FilePart file, Unpacker& unpacker);

/// `name` without the ending `.gz`.
std::string_view without_gz(std::string_view name);

}  // namespace mx2onnx::source
