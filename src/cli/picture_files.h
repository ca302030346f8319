// Files for people and tools to look at a model in.
#pragma once

#include <string>

#include "mx2onnx/picture.h"

namespace CLI {
class App;
}

namespace mx2onnx::cli {

struct PictureFiles {
  std::string html;
  std::string dot;

  void declare_html(CLI::App& command);
  void declare(CLI::App& command);
  bool wanted() const { return !html.empty() || !dot.empty(); }
  /// True if one of them is "-": then nothing else is printed.
  bool on_standard_output() const;
  void write(const Picture& picture) const;
};

}  // namespace mx2onnx::cli
