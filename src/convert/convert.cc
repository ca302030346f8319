// The whole conversion, from top to bottom.
#include "mx2onnx/convert.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/attempt.h"
#include "base/error.h"
#include "convert/bind.h"
#include "convert/conversion.h"
#include "convert/load.h"
#include "convert/metadata.h"
#include "convert/ports.h"
#include "convert/preprocessing.h"
#include "convert/problems.h"
#include "convert/resolve.h"
#include "convert/signature.h"
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

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Conversion convert_to_opset(const Source& source, const mxnet::ParameterSet& params,
                            const ConvertOptions& options) {
  const ErrorScope scope = ErrorScope::file(source.symbol_name);
  Conversion result;
  mxnet::Symbol symbol = load_symbol(source, options);

  std::vector<NodeProblem> problems;
  OperatorTable operators(options, *result.arena);
  Model model = resolve_operators(std::move(symbol), operators, problems);
  fail_if_any(problems, options.opset);
  assign_roles(model, params, options, result.report);

  SignatureSolver solver(model, source, options, *result.arena);
  std::vector<Diagnostic> said;
  const auto translate = [&](const InferResult& types) {
    return attempt([&] {
      problems.clear();
      said.clear();
      result.graph = translate_model(model, types, options, problems, said);
      fail_if_any(problems, options.opset);
    });
  };
  const InferResult& types = solver.solve(translate);
  auto& diagnostics = result.report.diagnostics;
  for (const auto& found : {solver.diagnostics(), said})
    diagnostics.insert(diagnostics.end(), found.begin(), found.end());

  if (options.optimize)
    result.report.passes = passes::run_pipeline(result.graph, options.disabled_passes);
  const auto renames = rename_ports(result.graph, options.rename);
  onnx::check_graph(result.graph);

  const std::string base = file_name(source.symbol_name);
  result.graph.name = onnx::Names().unique(base.substr(0, base.rfind("-symbol.json")));
  result.info = {options.opset, kVersion,
                 make_metadata(model, types, options, onnx::Names().unique(base), renames)};
  describe_result(model, result);
  return result;
}

// Writing over a file that is being read would destroy it.
void check_output(const Source& source, const std::string& output) {
  struct stat target = {};
  if (::stat(output.c_str(), &target) != 0) return;
  auto inputs = source.param_paths;
  if (source.symbol_json.empty()) inputs.push_back(source.symbol_name);
  for (const auto& path : inputs) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) continue;
    if (status.st_dev == target.st_dev && status.st_ino == target.st_ino) {
      fail_at({.file = output}, ErrorCode::kUsage, "the output is also an input");
    }
  }
}

}  // namespace

Conversion convert_graph(const Source& source, const ConvertOptions& options) {
  check_options(options);
  const mxnet::ParameterSet params = load_parameters(source, options);
  Conversion result;
  const auto converts_to = [&](int opset) {
    ConvertOptions at = options;
    at.opset = opset;
    return attempt([&] { result = convert_to_opset(source, params, at); });
  };
  const auto error = converts_to(options.opset);
  if (!error) return result;
  // What the newest opset does not help, none does.
  const bool may_raise = options.raise_opset && error->code() == ErrorCode::kUnsupported;
  if (!may_raise || converts_to(kLastOpset)) fail_again(*error);
  int opset = options.opset + 1;
  while (opset < kLastOpset && converts_to(opset)) ++opset;
  if (opset == kLastOpset) converts_to(opset);
  const ErrorPlace& place = error->place();
  result.report.diagnostics.insert(
      result.report.diagnostics.begin(),
      {"W-opset-raised", place.node,
       fmt::format(
           "opset {} is written instead of {}: {} needs it", opset, options.opset,
           place.node.empty() ? "the model" : fmt::format("'{}' ({})", place.node, place.op))});
  return result;
}

InputSpec parse_input(std::string_view text) { return mxnet::parse_input_spec(text); }

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const auto& pass : passes::pipeline()) names.emplace_back(pass.name);
  return names;
}

Report convert_files(const std::string& symbol_path, const std::vector<std::string>& param_paths,
                     const std::string& output, const ConvertOptions& options) {
  return convert_to_file({symbol_path, "", param_paths, {}}, output, options);
}

Report convert_to_file(const Source& source, const std::string& output,
                       const ConvertOptions& options) {
  check_output(source, output);
  Conversion result = convert_graph(source, options);
  onnx::ModelWriter writer(result.graph, result.info);
  FileSink sink(output);
  if (options.external_data || writer.message_size() > onnx::kMostMessageBytes) {
    const std::string data_path = output + ".data";
    check_output(source, data_path);
    FileSink data(data_path);
    writer.write_with_data(sink, data, file_name(data_path), options.progress);
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

}  // namespace mx2onnx
