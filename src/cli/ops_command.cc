// mx2onnx ops, mx2onnx version
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/command.h"
#include "mx2onnx/operators.h"
#include "mx2onnx/version.h"

namespace mx2onnx::cli {

namespace {

struct OpsArguments {
  bool json = false;
  bool markdown = false;
  std::optional<int> opset;
};

void print_table(std::optional<int> opset) {
  for (const auto& op : operators()) {
    fmt::print("{:32} {}\n", op.name, op.summary);
    for (const auto& variant : op.variants) {
      fmt::print("{:32}   {}: {}\n", "", variant.files, variant.difference);
    }
    if (!opset) continue;
    for (const auto& limit : opset_limits(op.name, *opset)) {
      fmt::print("{:32}   not at opset {}: {}{}{}{}\n", "", *opset, limit.attribute,
                 limit.attribute.empty() ? "" : ": ", limit.reason,
                 limit.hint.empty() ? "" : " (" + limit.hint + ")");
    }
  }
  std::map<std::pair<OperatorStatus, std::string>, std::size_t> counts;
  for (const auto& op : untranslated_operators()) {
    counts[{op.status, op.kind}] += 1 + op.aliases.size();
  }
  fmt::print("\nOther names of MXNet 1.9.1 (--json lists them):\n");
  for (const auto& [key, count] : counts) {
    fmt::print("{:32} {}, {}\n", count,
               key.first == OperatorStatus::kPlanned ? "planned" : "refused", key.second);
  }
}

}  // namespace

void add_ops_command(CLI::App& app, Run& run) {
  const auto arguments = std::make_shared<OpsArguments>();
  CLI::App& command =
      *app.add_subcommand("ops", "List the operators of MXNet: translated, planned, and refused");
  auto* json = command.add_flag("--json", arguments->json, "print JSON");
  command
      .add_flag("--markdown", arguments->markdown, "print all that is known of them as Markdown")
      ->excludes(json);
  command.add_option("--opset", arguments->opset, "say, too, what this opset cannot express")
      ->type_name("N");
  command.callback([arguments, &run] {
    run = [arguments] {
      if (arguments->json) {
        fmt::print("{}\n", operators_json(arguments->opset));
      } else if (arguments->markdown) {
        fmt::print("{}", operators_markdown());
      } else {
        print_table(arguments->opset);
      }
      return 0;
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
      return 0;
    };
  });
}

}  // namespace mx2onnx::cli
