// What happens when a file becomes shorter while its mapping is read: the system sends SIGBUS,
// which ends a process that does not handle it. Here the missing pages become zeros, and the
// conversion fails before it gives anything out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace mx2onnx {

/// From here until `unwatch_mapping`, missing pages of this mapping are taken for zeros. The path
/// must live as long. Of very many mappings some are not watched.
void watch_mapping(const std::byte* data, std::size_t size, const std::string& path);
void unwatch_mapping(const std::byte* data);

/// A file that this thread has mapped and found to be shorter than it was; forgotten by that.
std::optional<std::string> take_shrunk_file();

/// Fails with kIo if there is one.
void fail_if_shrunk();

}  // namespace mx2onnx
