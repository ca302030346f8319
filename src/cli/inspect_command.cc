// mx2onnx inspect
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/layer_table.h"
#include "cli/picture_files.h"
#include "cli/text_fit.h"
#include "mx2onnx/inspect.h"
#include "mx2onnx/picture.h"
#include "mx2onnx/printable.h"

namespace mx2onnx::cli {
namespace {

struct InspectArguments : ModelArguments {
  bool json = false;
  bool all = false;
  bool check = false;
  bool graph = false;
  PictureFiles pictures;
};

/// Prints an inspection, folded to what the terminal has room for.
class Printer {
 public:
  Printer(const InspectArguments& arguments, const Inspection& inspection)
      : arguments_(arguments), found_(inspection), screen_(screen_size(STDOUT_FILENO)) {}

  void print() const {
    print_kind();
    print_ports("inputs", found_.inputs);
    print_ports("outputs", found_.outputs);
    if (found_.kind == FileKind::kParameters) print_arrays();
    if (!found_.layers.empty()) print_layers();
    print_operators();
    print_list("not needed at inference", found_.labels);
    std::vector<std::string> lines;
    for (const auto& [key, value] : found_.metadata)
      lines.push_back(fmt::format("{}: {}", key, value));
    print_list("metadata", lines);
    lines.clear();
    for (const auto& entry : found_.diagnostics)
      lines.push_back(fmt::format("{} [{}]", entry.message, entry.id));
    print_list("warnings of a conversion", lines);
    if (found_.kind == FileKind::kOnnx) return;
    print_list("what would not convert", found_.problems, true);
    print_verdict();
  }

 private:
  void print_kind() const {
    const std::string name = printable(arguments_.symbol);
    switch (found_.kind) {
      case FileKind::kSymbol:
        fmt::print("{}: a graph saved by MXNet {}{}\n", name, found_.mxnet_version,
                   found_.np_shape ? " with NumPy shape semantics" : "");
        fmt::print("parameters: {} arrays, {} numbers, {}\n", grouped(found_.num_parameters),
                   grouped(found_.parameter_count), size_text(found_.parameter_bytes));
        return;
      case FileKind::kParameters:
        fmt::print("{}: parameters of MXNet, without a graph: {} arrays, {} numbers, {}\n", name,
                   grouped(found_.num_parameters), grouped(found_.parameter_count),
                   size_text(found_.parameter_bytes));
        return;
      case FileKind::kOnnx: {
        std::string opsets;
        for (const auto& [domain, version] : found_.opsets) {
          opsets += fmt::format(", opset {}{}{}", version, domain.empty() ? "" : " of ",
                                printable(domain));
        }
        fmt::print("{}: an ONNX model{}{}{}, IR version {}\n", name,
                   found_.producer.empty() ? "" : " of ", printable(found_.producer), opsets,
                   found_.ir_version);
        fmt::print("weights: {} arrays, {} numbers, {}\n", grouped(found_.num_parameters),
                   grouped(found_.parameter_count), size_text(found_.parameter_bytes));
        return;
      }
    }
  }

  static void print_ports(const char* title, const std::vector<PortReport>& ports) {
    if (ports.empty()) return;
    fmt::print("{}\n", title);
    for (const auto& port : ports)
      fmt::print("  {}: {}\n", printable(port.name), printable(type_text(port)));
  }

  // Lists are cut as the table is; what stands in the way of a conversion never is.
  void print_list(const char* title, const std::vector<std::string>& lines,
                  bool whole = false) const {
    constexpr std::size_t kMost = 10;
    if (lines.empty()) return;
    fmt::print("{}\n", title);
    const std::size_t shown =
        whole || arguments_.all || lines.size() <= kMost ? lines.size() : kMost - 1;
    for (std::size_t i = 0; i < shown; ++i) {
      std::string_view rest = lines[i];
      while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        fmt::print("  {}\n", printable(line));
      }
    }
    if (shown < lines.size()) fmt::print("  and {} more (--all)\n", lines.size() - shown);
  }

  std::size_t most_rows() const {
    constexpr std::size_t kOfAFile = 32;
    constexpr std::size_t kOtherLines = 16;
    constexpr std::size_t kFewest = 12;
    if (arguments_.all) return 0;
    if (screen_.lines == 0) return kOfAFile;
    return std::max(kFewest, screen_.lines - std::min(screen_.lines, kOtherLines));
  }

  void print_layers() const {
    const std::size_t rows = most_rows();
    fmt::print("\n");
    for (const auto& line : layer_table(found_.layers, {screen_.columns, rows}))
      fmt::print("{}\n", line);
    std::string notes;
    if (rows != 0 && found_.layers.size() > rows) notes = "--all shows each layer";
    const bool any_work =
        std::any_of(found_.layers.begin(), found_.layers.end(),
                    [](const LayerInfo& layer) { return layer.multiply_adds.value_or(0) > 0; });
    if (any_work && !found_.counted_as_one.empty()) {
      std::string ones;
      for (const auto& name : found_.counted_as_one) ones += (ones.empty() ? "" : " = ") + name;
      notes += fmt::format("{}multiply-adds are for {} = 1", notes.empty() ? "" : "; ", ones);
    }
    if (!notes.empty()) fmt::print("({})\n", printable(notes));
    fmt::print("\n");
  }

  void print_arrays() const {
    std::vector<std::string> lines;
    for (const auto& array : found_.arrays) {
      std::string shape;
      for (const auto size : array.shape)
        shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
      lines.push_back(fmt::format("{}: {} ({}{})", array.name.empty() ? "(no name)" : array.name,
                                  array.dtype, shape, array.shape.size() == 1 ? "," : ""));
    }
    const std::size_t rows = most_rows();
    if (rows != 0 && lines.size() > rows) {
      const std::size_t more = lines.size() - rows;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(rows / 2),
                  lines.end() - static_cast<std::ptrdiff_t>(rows - rows / 2));
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(rows / 2),
                   fmt::format("… {} more (--all)", more));
    }
    fmt::print("arrays\n");
    for (const auto& line : lines) fmt::print("  {}\n", printable(line));
  }

  void print_operators() const {
    if (found_.operators.empty()) return;
    std::vector<std::string> words;
    for (const auto& count : found_.operators) {
      const bool is_last = &count == &found_.operators.back();
      words.push_back(fmt::format("{} {}{}{}", count.nodes, printable(count.op),
                                  count.known ? "" : " (not known)", is_last ? "" : ","));
    }
    constexpr std::size_t kColumnsOfAFile = 100;
    const std::size_t columns = screen_.columns == 0 ? kColumnsOfAFile : screen_.columns;
    fmt::print("operators\n{}", lines_of(words, columns, "  ", "  ", ""));
  }

  void print_verdict() const {
    for (const auto& hint : found_.hints) fmt::print("hint: {}\n", printable(hint));
    if (found_.converts) {
      fmt::print("converts to opset {}: {}\n", found_.opset,
                 printable(arguments_.convert_command()));
      return;
    }
    fmt::print("does not convert to opset {}: {} problem{}, exit code {} of convert\n",
               found_.opset, found_.problems.size(), found_.problems.size() == 1 ? "" : "s",
               static_cast<int>(found_.failure.value_or(ErrorCode::kModel)));
  }

  const InspectArguments& arguments_;
  const Inspection& found_;
  ScreenSize screen_;
};

int run_inspect(InspectArguments& arguments) {
  arguments.finish();
  arguments.json |= arguments.graph;
  const bool pictured = arguments.graph || arguments.pictures.wanted();
  Picture found;
  if (pictured) {
    found = make_picture(arguments.source(), arguments.options);
    arguments.pictures.write(found);
  } else {
    found.inspection = inspect(arguments.source(), arguments.options);
  }
  const Inspection& inspection = found.inspection;
  if (arguments.json) {
    fmt::print("{}\n", arguments.graph ? to_json(found) : to_json(inspection));
  } else if (!arguments.pictures.on_standard_output()) {
    Printer(arguments, inspection).print();
  }
  return arguments.check && inspection.failure ? static_cast<int>(*inspection.failure) : 0;
}

}  // namespace

void add_inspect_command(CLI::App& app, Run& run) {
  const auto arguments = std::make_shared<InspectArguments>();
  CLI::App& command =
      *app.add_subcommand("inspect", "Say what is in a model, and what would not convert");
  command.footer(
      "SYMBOL may also be a parameter file or an ONNX file.\n"
      "\nExamples:\n"
      "  mx2onnx inspect resnet-symbol.json resnet-0000.params\n"
      "  mx2onnx inspect resnet-0000.params --all\n"
      "  mx2onnx inspect resnet.onnx --json\n"
      "  mx2onnx inspect resnet-symbol.json resnet-0000.params --html resnet.html\n"
      "  mx2onnx inspect resnet.onnx --dot - | dot -Tsvg -o resnet.svg");
  arguments->declare(command);
  command.add_flag("--all", arguments->all, "show each layer, each array and each warning");
  command.add_flag("--check", arguments->check,
                   "exit with the code that convert would fail with: 5 or 6");
  command.add_flag("--json", arguments->json, "print JSON");
  command.add_flag("--graph", arguments->graph,
                   "print JSON with the graphs: nodes with their blocks, values,\n"
                   "statistics of weights, and what each node became");
  arguments->pictures.declare(command);
  command.callback([arguments, &run] { run = [arguments] { return run_inspect(*arguments); }; });
}

}  // namespace mx2onnx::cli
