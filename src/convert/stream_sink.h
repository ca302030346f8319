// A sink that hands on what it gets.
#pragma once

#include <functional>
#include <span>

#include "base/buffered_sink.h"

namespace mx2onnx {

/// Hands on pieces of a size that pays. The function must outlive it.
class StreamSink : public BufferedSink {
 public:
  explicit StreamSink(const std::function<void(std::span<const std::byte>)>& write)
      : write_(write) {}
  /// To be called at the end.
  using BufferedSink::flush;

 private:
  void write_piece(std::span<const std::byte> piece) override { write_(piece); }

  const std::function<void(std::span<const std::byte>)>& write_;
};

}  // namespace mx2onnx
