// What a file is, told by its first bytes: people name all sorts of files, and most that are not a
// model deserve a name and the next step.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/file_part.h"

namespace mx2onnx::source {

enum class Kind {
  kJson,        ///< UTF-8 text that begins with a brace: a symbol, if it is a good one.
  kUtf16,       ///< Text in UTF-16, as PowerShell writes it.
  kParameters,  ///< A list of `mx.nd.save` or a `.npy`.
  kZip,         ///< An archive, or MXNet 2's parameters.
  kTar,
  kGzip,
  kOther,  ///< None of these: `fail_other` says what.
};

/// Looks at no more than the first 512 bytes.
Kind kind_of(std::span<const std::byte> bytes);

/// True for a zip archive that is MXNet 2's parameters: by its name, or because all in it are
/// `.npy`.
bool is_npz(const FilePart& file);

/// Fails with kFormat and the name of what the bytes are, as far as that is known. `expected` is
/// what they should be ("a symbol or parameters of MXNet").
[[noreturn]] void fail_other(const std::string& name, std::span<const std::byte> bytes,
                             std::string_view expected);

/// True for bytes that `fail_other` knows by name.
bool is_known_other(const std::string& name, std::span<const std::byte> bytes);

/// Text in UTF-8, where it lies in a mapped file or in memory.
class Text {
 public:
  Text() = default;
  explicit Text(std::string text) : made_(std::move(text)) {}
  Text(const FilePart& part, std::size_t skipped)
      : file_(part.file), offset_(part.offset + skipped), size_(part.size - skipped) {}
  std::string_view view() const {
    if (file_ == nullptr) return made_;
    return {reinterpret_cast<const char*>(file_->bytes().data()) + offset_, size_};
  }

 private:
  std::string made_;
  std::shared_ptr<const MappedFile> file_;
  std::size_t offset_ = 0;
  std::size_t size_ = 0;
};

/// What `to_utf8` gives of a file, without a copy where it is UTF-8 already.
Text text_of_symbol(const FilePart& part);

/// Text in UTF-8 from UTF-16 with a byte order mark, or from UTF-8 with or without one. Fails with
/// kFormat where UTF-16 is broken.
std::string to_utf8(std::span<const std::byte> bytes);

}  // namespace mx2onnx::source
