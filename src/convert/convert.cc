// The whole conversion, from top to bottom.
#include "mx2onnx/convert.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "base/attempt.h"
#include "base/error.h"
#include "base/interruption.h"
#include "base/text.h"
#include "convert/bind.h"
#include "convert/conversion.h"
#include "convert/heads.h"
#include "convert/known_net.h"
#include "convert/load.h"
#include "convert/metadata.h"
#include "convert/old_files.h"
#include "convert/optimize.h"
#include "convert/output_files.h"
#include "convert/phase_clock.h"
#include "convert/ports.h"
#include "convert/precision.h"
#include "convert/preprocessing.h"
#include "convert/problems.h"
#include "convert/raised_opset.h"
#include "convert/random_weights.h"
#include "convert/resolve.h"
#include "convert/signature.h"
#include "convert/size_hints.h"
#include "convert/stored_weights.h"
#include "convert/stream_sink.h"
#include "convert/targets.h"
#include "convert/translate.h"
#include "convert/weights_in_place.h"
#include "infer/infer.h"
#include "mx2onnx/printable.h"
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
  quantized_form_of(options);
  passes::check_names(options.disabled_passes);
  if (options.preprocessing) check_preprocessing(*options.preprocessing);
  check_precision(options);
  check_stored_weights(options);
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
  report.version = kVersion;
  report.opset = result.info.opset;
  report.ir_version = onnx::ir_version(report.opset);
  for (const auto value : result.graph.main.inputs)
    report.inputs.push_back(describe(result.graph, value));
  for (const auto value : result.graph.main.outputs)
    report.outputs.push_back(describe(result.graph, value));
  add_notes(model, report.notes);
  for (const auto& node : model.nodes) {
    if (node.live && node.def != nullptr) ++report.num_mxnet_nodes;
    if (node.role == VariableRole::kParameter) ++report.num_parameters;
  }
  report.parameter_bytes = parameter_bytes(model, *result.types);
  for_each_node(result.graph.main, [&](const onnx::Node&) { ++report.num_onnx_nodes; });
}

// Messages quote names, which may be anything.
void make_printable(std::vector<Diagnostic>& diagnostics) {
  for (auto& diagnostic : diagnostics) diagnostic.message = printable(diagnostic.message);
}

// What is written is bounded by what was read, whatever the graph makes of it: each node may want
// one weight in its own layout. Random weights are what the user asked for.
void expect_bounded(const Conversion& conversion, const Source& source, std::uint64_t bytes) {
  const auto& nodes = conversion.model->nodes;
  const bool is_random = std::any_of(nodes.begin(), nodes.end(), [](const ModelNode& node) {
    return node.role == VariableRole::kRandom;
  });
  if (is_random) return;
  const BudgetScope budget = budget_for(*conversion.found, source);
  const ErrorScope scope = ErrorScope::file(conversion.found->symbol_name);
  spend(bytes);
}

// All steps behind the reading of the parameters.
void run_at_opset(const Source& source, const ConvertOptions& given, Conversion& result) {
  PhaseClock clock(result.report.seconds);
  clock.begin("read");
  const source::FoundModel& found = *result.found;
  const ErrorScope scope = ErrorScope::file(found.symbol_name);
  expect_blocks(given);
  result.report.diagnostics = found.notes;
  const bool is_file =
      std::find(found.files.begin(), found.files.end(), found.symbol_name) != found.files.end();
  if (is_file && !found.is_alone) result.report.symbol_file = found.symbol_name;
  mxnet::Symbol symbol = load_symbol(found, given);
  const ConvertOptions options = with_found(found, symbol, given, result.report.diagnostics);

  OperatorTable operators(options, *result.arena, origin_of(symbol));
  result.model =
      resolve_for_inference(std::move(symbol), operators, options, result.problems, result.report);
  result.stage = ConversionStage::kResolved;
  Model& model = *result.model;
  fail_if_any(result.problems, options.opset,
              outputs_that_convert(model, options, result.problems));
  assign_roles(model, result.params, options, result.report);
  warn_of_training_inputs(model, options, result.report);
  result.stage = ConversionStage::kBound;

  clock.begin("infer");
  SignatureSolver solver(model, source, options, *result.arena);
  std::vector<Diagnostic> said;
  const auto translate = [&](const InferResult& types) {
    clock.begin("translate");
    result.stage = ConversionStage::kInferred;
    result.problems.clear();
    said.clear();
    auto error = attempt([&] {
      if (result.trace != nullptr) *result.trace = {};
      result.graph =
          translate_model(model, types, options, result.problems, said, result.trace.get());
      fail_if_any(result.problems, options.opset);
    });
    if (error) result.types = types;
    clock.begin("infer");
    return error;
  };
  solver.solve(translate);
  auto& diagnostics = result.report.diagnostics;
  for (const auto& more : {solver.diagnostics(), said})
    diagnostics.insert(diagnostics.end(), more.begin(), more.end());
  result.types = solver.take_types();
  const InferResult& types = *result.types;
  note_random_weights(model, result.report);

  clock.begin("optimize");
  optimize(result, options);
  const auto renames = rename_ports(result.graph, options.rename);
  onnx::check_graph(result.graph);

  const std::string base = found.symbol_name.substr(found.symbol_name.rfind('/') + 1);
  result.graph.name = onnx::Names().unique(base.substr(0, base.rfind("-symbol.json")));
  result.info = {options.opset, kVersion,
                 make_metadata(model, types, options, onnx::Names().unique(base), renames)};
  if (!found.labels.empty())
    result.info.metadata.emplace_back("mx2onnx.labels", labels_text(found.labels));
  result.info.metadata.insert(result.info.metadata.end(), found.metadata.begin(),
                              found.metadata.end());
  describe_result(model, result);
  lint_for_targets(result.graph, result.info, options, diagnostics);
  result.stage = ConversionStage::kDone;
}

// Another conversion of what was read already.
Conversion again(const Conversion& first) {
  Conversion other;
  other.found = first.found;
  other.params = first.params;
  if (first.trace != nullptr) other.trace = std::make_unique<Trace>();
  return other;
}

// The steps at the opset that is asked for or, where the model needs a higher one, at the first
// that will do. After a failure the result is that of the opset that was asked for.
void run_steps(const Source& source, const ConvertOptions& options, Conversion& result) {
  check_options(options);
  if (result.found == nullptr) {
    PhaseClock clock(result.report.seconds);
    clock.begin("read");
    Unpacker unpacker(unpack_limits(source));
    auto found = std::make_shared<source::FoundModel>(source::find_model(source, unpacker));
    const BudgetScope budget = budget_for(*found, source);
    result.params = load_parameters(*found, source, options, unpacker);
    recognise_net(*found, result.params, options);
    result.found = std::move(found);
  }
  const BudgetScope budget = budget_for(*result.found, source);
  const auto [first_opset, last_opset] = opsets_of_blocks(options);
  if (options.raise_opset && options.opset < first_opset) {
    ConvertOptions at = options;
    at.opset = first_opset;
    run_steps(source, at, result);
    return say_raised(result, options, "", fmt::format("--weights {}", options.weights));
  }
  const auto error = attempt([&] { run_at_opset(source, options, result); });
  if (!error) return;
  Conversion raised;
  const auto converts_to = [&](int opset) {
    Conversion other = again(result);
    ConvertOptions at = options;
    at.opset = opset;
    const auto failure = attempt([&] { run_at_opset(source, at, other); });
    if (!failure) raised = std::move(other);
    return !failure;
  };
  // What the newest opset does not help, none does.
  const bool may_raise = options.raise_opset && error->code() == ErrorCode::kUnsupported;
  if (!may_raise || !converts_to(last_opset)) fail_again(*error);
  int opset = options.opset + 1;
  while (opset < last_opset && !converts_to(opset)) ++opset;
  const ErrorPlace& place = error->place();
  result = std::move(raised);
  say_raised(result, options, place.node,
             place.node.empty() ? "the model" : fmt::format("'{}' ({})", place.node, place.op));
}

}  // namespace

void convert_graph(const Source& source, const ConvertOptions& given, Conversion& result) {
  const ConvertOptions options = with_targets(given);
  const auto error = attempt([&] { run_steps(source, options, result); });
  if (!error) {
    make_printable(result.report.diagnostics);
    return;
  }
  if (error->code() == ErrorCode::kModel && result.found != nullptr &&
      may_have_old_pooling(*result.found, options)) {
    ConvertOptions old = options;
    old.mxnet_version = kLastOldPooling;
    Conversion other = again(result);
    if (!attempt([&] { run_steps(source, old, other); })) {
      result = std::move(other);
      auto& diagnostics = result.report.diagnostics;
      diagnostics.insert(diagnostics.begin(), old_pooling_warning());
      make_printable(diagnostics);
      return;
    }
  }
  std::string hint = error->hint();
  if (error->code() == ErrorCode::kModel && result.stage == ConversionStage::kBound) {
    const auto converts = [&](const ConvertOptions& other) {
      Conversion trial = again(result);
      return !attempt([&] { run_steps(source, other, trial); });
    };
    const std::string better = hint_for_sizes(*error, *result.model, options, converts);
    if (!better.empty()) hint = better;
  }
  fail_with(Error(error->code(), error->place(), error->message(), std::move(hint)));
}

Conversion convert_graph(const Source& source, const ConvertOptions& options) {
  Conversion result;
  convert_graph(source, options, result);
  return result;
}

namespace {

// Converts, and lets `write` write the model where there is no place beside it.
template <typename Write>
Report convert_to_one_place(const Source& source, const ConvertOptions& options, Write&& write) {
  if (options.external_data || options.weights_in_place)
    fail(ErrorCode::kUsage, "external data needs an output file to lie beside");
  const InterruptionScope interruptions(options.checkpoint);
  return with_system_errors(source.symbol_path.native(), [&] {
    Conversion result = convert_graph(source, options);
    const onnx::ModelWriter writer(result.graph, result.info);
    expect_bounded(result, source, writer.message_size());
    PhaseClock clock(result.report.seconds);
    clock.begin("write");
    write(writer);
    fail_if_shrunk();
    clock.end();
    report_precision(result.half, options, result.report);
    report_stored_weights(result.weights, options, result.report);
    result.report.output_bytes = writer.message_size();
    return std::move(result.report);
  });
}

}  // namespace

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
  const InterruptionScope interruptions(options.checkpoint);
  return with_system_errors(source.symbol_path.native(), [&] {
    Conversion result = convert_graph(source, options);
    Report& report = result.report;
    PhaseClock clock(report.seconds);
    clock.begin("write");
    onnx::ModelWriter writer(result.graph, result.info);
    expect_bounded(result, source, writer.message_size());
    bool external = options.external_data || writer.message_size() > onnx::kMostMessageBytes;
    LastCheck last_check;
    if (options.weights_in_place) {
      const auto in_place = std::make_shared<WeightsInPlace>(writer, output);
      external = in_place->bytes_elsewhere() > 0;
      last_check = [in_place] { in_place->expect_unchanged(); };
      report.weights_in_place = in_place->files();
    }
    check_output(result.found->files, output, external);
    const WrittenFiles written =
        external ? write_model_and_data(writer, output, options.progress, last_check)
                 : write_model_file(writer, output, options.progress, last_check);
    clock.end();
    report_precision(result.half, options, report);
    report_stored_weights(result.weights, options, report);
    report.output = output.native();
    report.output_data = written.data;
    report.output_bytes = written.bytes;
    return std::move(report);
  });
}

std::pair<std::string, Report> convert_to_memory(const Source& source,
                                                 const ConvertOptions& options) {
  MemorySink sink;
  Report report = convert_to_one_place(source, options, [&](const onnx::ModelWriter& writer) {
    sink.reserve(
        static_cast<std::size_t>(std::min(writer.message_size(), onnx::kMostMessageBytes)));
    writer.write(sink, options.progress);
  });
  return {sink.take(), std::move(report)};
}

Report convert_to_stream(const Source& source,
                         const std::function<void(std::span<const std::byte>)>& write,
                         const ConvertOptions& options) {
  return convert_to_one_place(source, options, [&](const onnx::ModelWriter& writer) {
    StreamSink sink(write);
    writer.write(sink, options.progress);
    sink.flush();
  });
}

}  // namespace mx2onnx
