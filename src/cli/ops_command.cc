// mx2onnx ops, mx2onnx version
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "mx2onnx/operators.h"
#include "mx2onnx/version.h"

namespace mx2onnx::cli {

void add_ops_command(CLI::App& app, Run& run) {
  struct Format {
    bool json = false;
    bool markdown = false;
  };
  const auto format = std::make_shared<Format>();
  CLI::App& command = *app.add_subcommand("ops", "List the operators of MXNet that are translated");
  auto* json = command.add_flag("--json", format->json, "print JSON");
  command.add_flag("--markdown", format->markdown, "print docs/operators.md")->excludes(json);
  command.callback([format, &run] {
    run = [format] {
      if (format->json) {
        fmt::print("{}\n", operators_json());
      } else if (format->markdown) {
        fmt::print("{}", operators_markdown());
      } else {
        for (const auto& op : operators()) fmt::print("{:32} {}\n", op.name, op.summary);
      }
    };
  });
}

void add_version_command(CLI::App& app, Run& run) {
  CLI::App& command =
      *app.add_subcommand("version", "Print the version and the opsets that can be written");
  command.callback([&run] {
    run = [] {
      fmt::print("mx2onnx {}\nopsets {} to {}, default {}\n", kVersion, kFirstOpset, kLastOpset,
                 kDefaultOpset);
    };
  });
}

}  // namespace mx2onnx::cli
