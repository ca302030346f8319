#include "base/inflate.h"

#include <zlib.h>

#include "base/error.h"

namespace mx2onnx {

std::vector<unsigned char> inflate_own(std::span<const unsigned char> packed, std::size_t size) {
  std::vector<unsigned char> bytes(size);
  auto written = static_cast<uLongf>(size);
  const int status =
      uncompress(bytes.data(), &written, packed.data(), static_cast<uLong>(packed.size()));
  require(status == Z_OK && written == size, "data of the program is damaged");
  return bytes;
}

}  // namespace mx2onnx
