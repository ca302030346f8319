// See mx2onnx/inspect.h: the conversion itself, and what it has found out where it fails.
#include "mx2onnx/inspect.h"

#include <map>
#include <set>

#include "base/attempt.h"
#include "base/error.h"
#include "base/interruption.h"
#include "convert/bind.h"
#include "convert/conversion.h"
#include "convert/heads.h"
#include "convert/inspect_files.h"
#include "convert/layers.h"
#include "convert/look.h"

namespace mx2onnx {
namespace {

void count_operators(const Model& model, std::map<std::string, OperatorCount>& counts) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (raw.is_variable() || !model.nodes[i].live) continue;
    auto& count = counts[raw.op];
    count.op = raw.op;
    count.known = model.nodes[i].def != nullptr;
    ++count.nodes;
    for (const auto& body : model.nodes[i].bodies) count_operators(*body, counts);
  }
}

std::string output_name(const Model& model, const mxnet::NodeEntry& head) {
  const ModelNode& node = model.nodes[head.node];
  if (head.index < node.output_names.size()) return node.output_names[head.index];
  return model.symbol.nodes[head.node].name;
}

// True for what is wrong with the model, which an inspection tells; other failures are its own.
bool is_verdict(const Error& error) {
  return error.code() == ErrorCode::kModel || error.code() == ErrorCode::kUnsupported;
}

void add_failure(const Error& error, const std::vector<NodeProblem>& problems, Look& look) {
  Inspection& result = look.inspection;
  if (!result.failure) result.failure = error.code();
  look.problems.insert(look.problems.end(), problems.begin(), problems.end());
  if (!problems.empty()) {
    for (auto& line : problem_lines(problems)) result.problems.push_back(std::move(line));
    return;
  }
  ErrorPlace place = error.place();
  place.file.clear();  // it is the file that is looked at
  if (!place.node.empty()) {
    look.problems.push_back({place.node_index, place.node, place.op, place.attribute,
                             error.message(), error.hint(), error.code()});
  }
  result.problems.push_back(place_text(place) + error.message());
  if (!error.hint().empty()) result.hints.push_back(error.hint());
}

// Takes the nodes out that inference could not do with.
void take_out(Model& model, const std::vector<NodeProblem>& problems) {
  for (const auto& problem : problems) {
    const auto index = static_cast<std::size_t>(problem.node_index);
    if (index < model.nodes.size() && model.symbol.nodes[index].name == problem.node) {
      model.nodes[index].def = nullptr;
      continue;
    }
    for (auto& node : model.nodes) {  // in a body
      if (!node.bodies.empty()) node.def = nullptr;
    }
  }
}

// The types as far as they can be known, of a model that does not convert.
std::vector<EntryInfo> infer_what_is_known(Model& model, const ConvertOptions& options,
                                           DimArena& arena) {
  std::vector<EntryInfo> entries(model.num_entries);
  attempt([&] {
    declare_types(model, options, TrainedShapes::kRank, {}, arena);
    entries =
        infer_types(model, arena, {.allow_unknown = true, .pass_over_failures = true}).entries;
  });
  return entries;
}

// What a failed conversion did not come to: problems of the steps after the one that failed.
void look_further(const Source& source, const ConvertOptions& options, Look& look) {
  Conversion& conversion = look.conversion;
  ConvertOptions lenient = options;
  lenient.random_weights = true;
  lenient.optimize = false;  // no pass refuses anything
  if (conversion.stage == ConversionStage::kResolved && conversion.problems.empty()) {
    // Parameters are missing: with others in their place the rest can be tried.
    Conversion again;
    again.found = conversion.found;
    again.params = conversion.params;
    const auto failure = attempt([&] { convert_graph(source, lenient, again); });
    if (failure && is_verdict(*failure)) add_failure(*failure, again.problems, look);
    if (again.stage >= ConversionStage::kBound) conversion = std::move(again);
    return;
  }
  if (conversion.stage == ConversionStage::kResolved) {
    Report report;
    const auto bind = [&](const ConvertOptions& how) {
      return attempt([&] { assign_roles(*conversion.model, conversion.params, how, report); });
    };
    if (const auto failure = bind(options)) {
      if (is_verdict(*failure)) add_failure(*failure, {}, look);
      bind(lenient);
    }
  }
}

void describe_variables(const Model& model, const std::vector<EntryInfo>& types,
                        Inspection& result) {
  std::set<std::string> used;  // variables may share a name
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].live) used.insert(model.symbol.nodes[i].name);
  }
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    const ModelNode& node = model.nodes[i];
    if (!raw.is_variable()) continue;
    result.arguments.push_back(raw.name);
    const TensorType& type = types[model.first_entry[i]].type;
    if (!node.live && !used.contains(raw.name)) result.labels.push_back(raw.name);
    if (node.role == VariableRole::kInput) {
      result.inputs.push_back(
          describe_port(raw.name, type.shape.known_rank() ? type : node.declared));
    }
    if (node.role == VariableRole::kRandom) result.missing_parameters.push_back(raw.name);
    if (node.role != VariableRole::kParameter) continue;
    const auto size = parameter_size(node, type);
    ++result.num_parameters;
    result.parameter_count += *size.count;
    result.parameter_bytes += *size.bytes;
  }
  for (const auto& head : model.symbol.heads) {
    result.outputs.push_back(
        describe_port(output_name(model, head), types[model.entry(head)].type));
  }
}

void describe_model(const ConvertOptions& options, Look& look) {
  Conversion& conversion = look.conversion;
  Inspection& result = look.inspection;
  Model& model = *conversion.model;
  result.mxnet_version = mxnet::version_text(model.symbol.mxnet_version);
  result.np_shape = model.symbol.np_shape;
  std::map<std::string, OperatorCount> counts;
  count_operators(model, counts);
  for (auto& [op, count] : counts) result.operators.push_back(std::move(count));

  std::vector<EntryInfo>& types = look.types;
  if (conversion.types) {
    types = std::move(conversion.types->entries);
  } else {
    take_out(model, conversion.problems);
    types = infer_what_is_known(model, options, *conversion.arena);
  }
  describe_variables(model, types, result);
  result.counted_as_one = first_sizes(model, types);
  result.layers = list_layers(model, types, result.counted_as_one);
}

Look look(const Source& source, const ConvertOptions& options, bool traced) {
  Look found;
  auto other = inspect_other_file(source, options);
  const bool may_be_net =
      other && other->kind == FileKind::kParameters && source.param_paths.empty();
  if (other && !may_be_net) {
    found.inspection = std::move(*other);
    return found;
  }
  Inspection& result = found.inspection;
  Conversion& conversion = found.conversion;
  result.opset = options.opset;
  if (traced) conversion.trace = std::make_unique<Trace>();
  const auto failure = attempt([&] {
    convert_graph(source, options, conversion);
    fail_if_shrunk();
  });
  const bool is_net = conversion.found != nullptr && conversion.found->symbol;
  const bool is_misuse = failure && failure->code() == ErrorCode::kUsage;
  if (other && !is_net && !is_misuse) {
    found.inspection = std::move(*other);
    found.conversion = {};
    return found;
  }
  if (failure && (!conversion.model || !is_verdict(*failure))) {
    fail_again(*failure);
  }
  result.converts = !failure;
  result.diagnostics = conversion.report.diagnostics;
  const Report report = conversion.report;
  if (failure) {
    const ErrorScope scope = ErrorScope::file(source.symbol_path.native());
    add_failure(*failure, conversion.problems, found);
    look_further(source, options, found);
  }
  describe_model(options, found);
  if (!failure) {
    result.opset = report.opset;
    result.inputs = report.inputs;
    result.outputs = report.outputs;
  }
  return found;
}

}  // namespace

Look look_at(const Source& source, const ConvertOptions& options, bool traced) {
  const InterruptionScope interruptions(options.checkpoint);
  return with_system_errors(source.symbol_path.native(),
                            [&] { return look(source, options, traced); });
}

Inspection inspect(const Source& source, const ConvertOptions& options) {
  return look_at(source, options).inspection;
}

}  // namespace mx2onnx
