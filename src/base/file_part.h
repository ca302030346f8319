// A range of a mapped file that is read as if it were a file of its own: a member of an archive, or
// what was unpacked into a temporary file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/mapped_file.h"

namespace mx2onnx {

struct FilePart {
  /// The whole of a file, under its own name.
  FilePart(const std::shared_ptr<const MappedFile>& whole)  // NOLINT(google-explicit-constructor)
      : file(whole), name(whole->path()), size(whole->bytes().size()) {}
  FilePart(std::shared_ptr<const MappedFile> in, std::string called, std::size_t at,
           std::size_t length)
      : file(std::move(in)), name(std::move(called)), offset(at), size(length) {}

  std::span<const std::byte> bytes() const { return file->bytes().subspan(offset, size); }

  std::shared_ptr<const MappedFile> file;
  std::string name;  ///< For messages: "model.tar.gz/model-0000.params".
  std::size_t offset = 0;
  std::size_t size = 0;
};

}  // namespace mx2onnx
