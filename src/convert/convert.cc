// The whole conversion, from top to bottom.
#include "mx2onnx/convert.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "convert/bind.h"
#include "convert/conversion.h"
#include "convert/known_net.h"
#include "convert/load.h"
#include "convert/metadata.h"
#include "convert/ports.h"
#include "convert/preprocessing.h"
#include "convert/problems.h"
#include "convert/resolve.h"
#include "convert/translate.h"
#include "infer/infer.h"
#include "mx2onnx/version.h"
#include "mxnet/input_spec.h"
#include "onnx/check.h"
#include "onnx/schema.h"
#include "onnx/writer.h"
#include "passes/pass.h"

namespace mx2onnx {
namespace {

static_assert(kFirstOpset == onnx::kOldestOpset && kLastOpset == onnx::kNewestOpset);

void check_options(const ConvertOptions& options) {
  if (options.opset < kFirstOpset || options.opset > kLastOpset) {
    fail(ErrorCode::kUsage, fmt::format("opset: expected a number from {} to {}, got {}",
                                        kFirstOpset, kLastOpset, options.opset));
  }
  passes::check_names(options.disabled_passes);
  if (options.preprocessing) check_preprocessing(*options.preprocessing);
}

constexpr std::size_t kMostFixedSizes = 256;

bool inputs_have(const Model& model, const DimAtom& symbol) {
  return std::any_of(model.nodes.begin(), model.nodes.end(), [&](const ModelNode& node) {
    if (node.role != VariableRole::kInput || !node.declared.shape.known_rank()) return false;
    const auto& dims = node.declared.shape.dims();
    return std::any_of(dims.begin(), dims.end(),
                       [&](const Dim& dim) { return contains(dim, symbol); });
  });
}

Diagnostic describe_fixed(const FixedSize& fixed) {
  const SizeSolution& found = fixed.solution;
  if (found.multiple != 0) {
    std::string text = fmt::format(
        "size '{}' is free on a condition: '{}' needs {} to be {}, as for multiples of {}",
        found.symbol->name, fixed.node, atom_text(*found.atom), found.size.to_string(),
        found.multiple);
    if (found.broadcasts_up_to != 0) {
      text += fmt::format("; up to {}, other sizes may give numbers where MXNet gives an error",
                          found.broadcasts_up_to);
    }
    return {"W-dim-condition", fixed.node, std::move(text)};
  }
  std::string size = found.size.to_string();
  if (found.lowest != found.highest)
    size = fmt::format("{} to {}: {} is taken", found.lowest, found.highest, size);
  return {"W-dim-fixed", fixed.node,
          fmt::format("size '{}' is not free: '{}' needs it to be {}", found.atom->name, fixed.node,
                      size)};
}

// Inference starts again with each free size that turns out to be fixed, or free on a condition.
InferResult infer_with_fixed_sizes(Model& model, const ConvertOptions& options, DimArena& arena,
                                   Report& report) {
  std::vector<SizeSolution> fixed;
  for (;;) {
    declare_types(model, options, fixed, arena);
    InferResult result = infer_types(model, arena);
    if (result.conflict) {
      const DtypeConflict& conflict = *result.conflict;
      for (const auto input : conflict.inputs) {
        model.nodes[input].converted = true;
        const std::string& name = model.symbol.nodes[input].name;
        report.diagnostics.push_back(
            {"W-input-converted", name,
             fmt::format(
                 "input '{}' is converted to float32 inside the model: '{}' does not take {}", name,
                 conflict.node, dtype_name(model.nodes[input].fed_as))});
      }
      continue;
    }
    if (!result.fixed) return result;
    const SizeSolution& found = result.fixed->solution;
    const DimAtom& symbol = found.multiple != 0 ? *found.symbol : *found.atom;
    report.diagnostics.push_back(describe_fixed(*result.fixed));
    fixed.push_back(found);
    if (!inputs_have(model, symbol) || fixed.size() > kMostFixedSizes) {
      fail_at({.node = result.fixed->node}, ErrorCode::kModel,
              fmt::format("size '{}' would have to be {}, but no input has it", symbol.name,
                          found.size.to_string()));
    }
    if (found.multiple != 0) arena.assume(*found.atom, found.size);
  }
}

PortReport describe(const onnx::Graph& graph, onnx::Value value) {
  PortReport port{graph.name_of(value), std::string(dtype_name(graph.type(value).dtype)), {}};
  for (const Dim& dim : graph.type(value).shape.dims()) port.shape.push_back(dim.to_string());
  if (!graph.type(value).shape.known_rank()) port.shape = {"..."};
  return port;
}

// In the order in which the operators first occur, those of subgraphs after those around them.
void add_notes(const Model& model, std::vector<OperatorNotes>& notes) {
  for (const auto& node : model.nodes) {
    if (!node.live || node.def == nullptr) continue;
    if (!node.def->notes.empty()) {
      const auto known = std::find_if(notes.begin(), notes.end(), [&](const OperatorNotes& entry) {
        return entry.op == node.def->name();
      });
      if (known != notes.end()) {
        ++known->nodes;
      } else {
        notes.push_back({node.def->name(), 1, node.def->notes});
      }
    }
    // As deep as control flow is nested, which the resolver bounds.
    for (const auto& body : node.bodies) add_notes(*body, notes);
  }
}

void describe_result(const Model& model, Conversion& result) {
  Report& report = result.report;
  report.opset = result.info.opset;
  report.ir_version = onnx::ir_version(report.opset);
  for (const auto value : result.graph.main.inputs)
    report.inputs.push_back(describe(result.graph, value));
  for (const auto value : result.graph.main.outputs)
    report.outputs.push_back(describe(result.graph, value));
  add_notes(model, report.notes);
  for (const auto& node : model.nodes) {
    if (node.live && node.def != nullptr) ++report.num_mxnet_nodes;
    if (node.role != VariableRole::kParameter) continue;
    ++report.num_parameters;
    report.parameter_bytes += node.data->size_bytes();
  }
  for_each_node(result.graph.main, [&](const onnx::Node&) { ++report.num_onnx_nodes; });
}

// Collects pieces of a size that pays, and hands them on.
class StreamSink : public ByteSink {
 public:
  explicit StreamSink(const std::function<void(std::span<const std::byte>)>& write)
      : write_(write) {
    buffer_.reserve(kPiece);
  }
  void append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      if (buffer_.size() == kPiece) flush();
      const std::size_t piece = std::min(bytes.size(), kPiece - buffer_.size());
      buffer_.insert(buffer_.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(piece));
      bytes = bytes.subspan(piece);
    }
  }
  void append_range(const MappedFile& file, std::size_t offset, std::size_t size) override {
    while (size > 0) {
      if (buffer_.size() == kPiece) flush();
      const std::size_t begin = buffer_.size();
      const std::size_t piece = std::min(size, kPiece - begin);
      buffer_.resize(begin + piece);
      file.read(offset, std::span(buffer_).subspan(begin));
      offset += piece;
      size -= piece;
    }
  }
  void flush() {
    write_(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kPiece = 1 << 20;
  const std::function<void(std::span<const std::byte>)>& write_;
  std::vector<std::byte> buffer_;
};

// Writing over a file that is being read would destroy it.
void check_output(const std::vector<std::string>& inputs, const std::filesystem::path& output) {
  for (const auto& path : inputs) {
    std::error_code ignored;  // One of them is not there.
    if (std::filesystem::equivalent(path, output, ignored)) {
      fail_at({.file = output.native()}, ErrorCode::kUsage, "the output is also an input");
    }
  }
}

}  // namespace

Conversion convert_graph(const Source& source, const ConvertOptions& given) {
  check_options(given);
  Unpacker unpacker(unpack_limits(source));
  Conversion result;
  source::FoundModel found = source::find_model(source, unpacker);
  mxnet::ParameterSet params = load_parameters(found, source, given, unpacker);
  ConvertOptions asked = given;
  recognise_net(found, params, asked);
  result.report.diagnostics = found.notes;
  result.files = found.files;
  const ErrorScope scope = ErrorScope::file(found.symbol_name);
  mxnet::Symbol symbol = load_symbol(found, asked);
  const ConvertOptions options = with_found_inputs(found, symbol, asked, result.report.diagnostics);

  std::vector<NodeProblem> problems;
  OperatorTable operators(options, *result.arena);
  Model model = resolve_operators(std::move(symbol), operators, problems);
  fail_if_any(problems, options.opset);
  assign_roles(model, params, options, result.report);

  const auto types = infer_with_fixed_sizes(model, options, *result.arena, result.report);
  result.graph = translate_model(model, types, options, problems, result.report.diagnostics);
  fail_if_any(problems, options.opset);

  if (options.optimize)
    result.report.passes = passes::run_pipeline(result.graph, options.disabled_passes);
  const auto renames = rename_ports(result.graph, options.rename);
  onnx::check_graph(result.graph);

  const std::string base = found.symbol_name.substr(found.symbol_name.rfind('/') + 1);
  result.graph.name = onnx::Names().unique(base.substr(0, base.rfind("-symbol.json")));
  result.info = {options.opset, kVersion,
                 make_metadata(model, types, options, onnx::Names().unique(base), renames)};
  if (!found.labels.empty())
    result.info.metadata.emplace_back("mx2onnx.labels", labels_text(found.labels));
  for (auto& fact : found.metadata) result.info.metadata.push_back(std::move(fact));
  describe_result(model, result);
  return result;
}

InputSpec parse_input(std::string_view text) { return mxnet::parse_input_spec(text); }

RenameRule parse_rename(std::string_view option, std::string_view text) {
  const auto parts = split_once(text, '=');
  if (!parts || parts->first.empty() || parts->second.empty()) {
    fail(ErrorCode::kUsage, fmt::format("{}: expected old=new, got {}", option, in_quotes(text)));
  }
  return {std::string(parts->first), std::string(parts->second)};
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const auto& pass : passes::pipeline()) names.emplace_back(pass.name);
  return names;
}

Report convert_files(const std::filesystem::path& symbol_path,
                     const std::vector<std::filesystem::path>& param_paths,
                     const std::filesystem::path& output, const ConvertOptions& options) {
  return convert_to_file({symbol_path, "", param_paths, {}, {}, {}}, output, options);
}

Report convert_to_file(const Source& source, const std::filesystem::path& output,
                       const ConvertOptions& options) {
  Conversion result = convert_graph(source, options);
  check_output(result.files, output);
  onnx::ModelWriter writer(result.graph, result.info);
  FileSink sink(output.native());
  if (options.external_data || writer.message_size() > onnx::kMostMessageBytes) {
    auto data_path = output;
    data_path += ".data";
    check_output(result.files, data_path);
    FileSink data(data_path.native());
    writer.write_with_data(sink, data, data_path.filename().native(), options.progress);
    data.commit();
  } else {
    writer.write(sink, options.progress);
  }
  sink.commit();
  return std::move(result.report);
}

std::pair<std::string, Report> convert_to_memory(const Source& source,
                                                 const ConvertOptions& options) {
  if (options.external_data) {
    fail(ErrorCode::kUsage, "external data needs an output file to lie beside");
  }
  Conversion result = convert_graph(source, options);
  const onnx::ModelWriter writer(result.graph, result.info);
  MemorySink sink;
  sink.reserve(static_cast<std::size_t>(std::min(writer.message_size(), onnx::kMostMessageBytes)));
  writer.write(sink, options.progress);
  return {sink.take(), std::move(result.report)};
}

Report convert_to_stream(const Source& source,
                         const std::function<void(std::span<const std::byte>)>& write,
                         const ConvertOptions& options) {
  if (options.external_data) {
    fail(ErrorCode::kUsage, "external data needs an output file to lie beside");
  }
  Conversion result = convert_graph(source, options);
  const onnx::ModelWriter writer(result.graph, result.info);
  StreamSink sink(write);
  writer.write(sink, options.progress);
  sink.flush();
  return std::move(result.report);
}

}  // namespace mx2onnx
