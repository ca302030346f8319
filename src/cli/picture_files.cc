#include "cli/picture_files.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/output.h"
#include "mx2onnx/printable.h"

namespace mx2onnx::cli {
namespace {

constexpr const char* kGroup = "A picture";

void write_one(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  if (!is_standard_output(path)) {
    write_document(text, path);
    return;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  finish_standard_output();
}

}  // namespace

void PictureFiles::declare_html(CLI::App& command) {
  command
      .add_option("--html", html,
                  "write a page that shows the model: its graph in blocks, what each\n"
                  "node is and became; one file that needs no network")
      ->type_name("FILE")
      ->group(kGroup);
}

void PictureFiles::declare(CLI::App& command) {
  declare_html(command);
  command.add_option("--dot", dot, "write the graph for Graphviz, with blocks as clusters")
      ->type_name("FILE")
      ->group(kGroup);
}

bool PictureFiles::on_standard_output() const {
  return is_standard_output(html) || is_standard_output(dot);
}

void PictureFiles::write(const Picture& picture) const {
  // Neither file is written if one of them cannot be made.
  const std::string graph = dot.empty() ? "" : to_dot(picture);
  if (!html.empty()) write_one(html, to_html(picture));
  write_one(dot, graph);
}

}  // namespace mx2onnx::cli
