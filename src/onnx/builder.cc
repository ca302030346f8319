#include "onnx/builder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/node_check.h"
#include "onnx/runtime_gaps.h"

namespace mx2onnx::onnx {
namespace {

// Constants up to this many bytes are shared by content.
constexpr std::size_t kMostSharedBytes = 64;

bool gives_bool(std::string_view op_type) {
  constexpr std::array<std::string_view, 11> kOps = {
      "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or",
      "Xor",   "Not",     "IsNaN",          "IsInf"};
  return std::find(kOps.begin(), kOps.end(), op_type) != kOps.end();
}

Dim broadcast(const Dim& a, const Dim& b) {
  if (a == b || (b.is_constant() && b.value() == 1)) return a;
  if (a.is_constant() && a.value() == 1) return b;
  if (a.is_constant()) return a;
  if (b.is_constant()) return b;
  // Equal, or one of them is 1. Unknown if one of them is.
  return max(a, b);
}

std::string constant_name(const Tensor& tensor) {
  if (!is_floating(tensor.dtype) && tensor.dims.size() <= 1 && tensor.count() <= 4) {
    std::string name = tensor.dims.empty() ? "int" : "ints";
    for (const auto value : read_ints(tensor)) name += fmt::format("_{}", value);
    return name;
  }
  if (tensor.dims.empty()) {
    return fmt::format("{}_{:g}", dtype_name(tensor.dtype), read_doubles(tensor)[0]);
  }
  return fmt::format("{}_constant", dtype_name(tensor.dtype));
}

}  // namespace

Shape broadcast(const Shape& a, const Shape& b) {
  if (!a.known_rank() || !b.known_rank()) return {};
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const Dim from_a = i < a.rank() ? a[a.rank() - 1 - i] : Dim(1);
    const Dim from_b = i < b.rank() ? b[b.rank() - 1 - i] : Dim(1);
    dims[rank - 1 - i] = broadcast(from_a, from_b);
  }
  return Shape(std::move(dims));
}

bool Builder::takes(std::string_view op_type, DType dtype, std::size_t index) const {
  const OpSchema* schema = find_schema(op_type, opset_);
  if (schema == nullptr || schema->inputs.empty()) return false;
  const auto& formal = schema->inputs[std::min(index, schema->inputs.size() - 1)];
  return formal.allows(dtype);
}

void Builder::reserve_name(std::string_view name) {
  // A name that occurs a second time has to take a suffix when its turn comes. None at all is what
  // an absent value has in ONNX, and gets another.
  if (!name.empty() && !graph_.names.taken(name)) {
    graph_.names.unique(name);
    reserved_.emplace(name, false);
  }
}

Value Builder::add_input(std::string_view name, TensorType type) {
  const Value value =
      graph_.add_value({name.empty() ? graph_.names.unique(name) : std::string(name),
                        std::move(type), std::nullopt});
  bodies_.back()->inputs.push_back(value);
  // There are runtimes that take a node with the name of an input for that input.
  node_names_.unique(graph_.name_of(value));
  has_final_name_.resize(graph_.num_values(), false);
  has_final_name_[value.id] = true;
  return value;
}

Value Builder::add_parameter(std::string_view name, Tensor tensor) {
  const auto reserved = reserved_.find(std::string(name));
  std::string final_name;
  if (reserved != reserved_.end() && !reserved->second) {
    reserved->second = true;
    final_name = name;
  } else {
    final_name = graph_.names.unique(name);
  }
  TensorType type = tensor.type();
  const Value value = graph_.add_value({std::move(final_name), std::move(type), std::move(tensor)});
  has_final_name_.resize(graph_.num_values(), false);
  has_final_name_[value.id] = true;
  return value;
}

void Builder::begin_node(std::string_view name) { scope_ = name; }

std::string Builder::output_name(std::string_view op_type) {
  return graph_.names.unique(scope_.empty() ? std::string(op_type)
                                            : fmt::format("{}/{}", scope_, op_type));
}

Value Builder::emit(std::string_view op_type, std::vector<Value> inputs, Attributes attrs,
                    TensorType type) {
  return emit_many(op_type, std::move(inputs), std::move(attrs), {std::move(type)})[0];
}

std::vector<Value> Builder::emit_many(std::string_view op_type, std::vector<Value> inputs,
                                      Attributes attrs, std::vector<TensorType> types) {
  const std::size_t telling = telling_input(op_type);
  if (telling < inputs.size() && inputs[telling].present()) {
    const DType from = dtype(inputs[telling]);
    const DType through = runtime_dtype(op_type, from);
    // What the schema does not take is refused, as everywhere, but for bfloat16, which goes through
    // float32 in any case.
    const bool takes_it = from == DType::kBfloat16 || takes(op_type, from, telling);
    if (through != from && takes_it && takes(op_type, through, telling)) {
      return emit_through(through, op_type, std::move(inputs), std::move(attrs), std::move(types));
    }
  }
  Node node;
  node.op_type = op_type;
  return append(std::move(node), std::move(inputs), std::move(attrs), std::move(types));
}

std::vector<Value> Builder::emit_custom(std::string_view domain, std::string_view op_type,
                                        std::vector<Value> inputs, Attributes attrs,
                                        std::vector<TensorType> types) {
  Node node;
  node.op_type = op_type;
  node.domain = domain;
  return append(std::move(node), std::move(inputs), std::move(attrs), std::move(types));
}

std::vector<Value> Builder::append(Node node, std::vector<Value> inputs, Attributes attrs,
                                   std::vector<TensorType> types) {
  spend(kNodeCost);
  node.name = node_names_.unique(scope_.empty() ? node.op_type
                                                : fmt::format("{}/{}", scope_, node.op_type));
  node.inputs = std::move(inputs);
  while (!node.inputs.empty() && !node.inputs.back().present()) node.inputs.pop_back();
  node.attrs = std::move(attrs);
  for (auto& type : types) {
    if (type.dtype == DType::kUnknown) {
      node.outputs.push_back({});
    } else {
      node.outputs.push_back(
          graph_.add_value({output_name(node.op_type), std::move(type), std::nullopt}));
    }
  }
  auto outputs = node.outputs;
  while (!node.outputs.empty() && !node.outputs.back().present()) node.outputs.pop_back();
  if (node.domain.empty()) check(node);
  Body& body = *bodies_.back();
  producers_.resize(graph_.num_values());
  for (const Value output : node.outputs) {
    if (output.present()) producers_[output.id] = {&body, body.nodes.size()};
  }
  body.nodes.push_back(std::move(node));
  return outputs;
}

const Node* Builder::producer(Value value) const {
  if (!value.present() || value.id >= producers_.size()) return nullptr;
  const auto& [body, index] = producers_[value.id];
  // A body that has ended may be gone.
  const bool is_open = std::find(bodies_.begin(), bodies_.end(), body) != bodies_.end();
  return is_open ? &body->nodes[index] : nullptr;
}

void Builder::must(bool condition, const std::string& message) const {
  if (condition) return;
  if (blame_ == ErrorCode::kInternal) require(false, message);
  fail(blame_, message);
}

void Builder::check(const Node& node) const {
  const OpSchema* schema = find_schema(node.op_type, opset_);
  if (schema == nullptr) {
    const int first = first_opset(node.op_type);
    fail(ErrorCode::kUnsupported,
         fmt::format("needs ONNX's {}, which opset {} does not have", node.op_type, opset_),
         first > opset_ ? fmt::format("ask for --opset {} or newer", first) : "");
  }
  for (const auto& attr : node.attrs) {
    if (find_attribute(*schema, attr.name) == nullptr) {
      fail(ErrorCode::kUnsupported,
           fmt::format("needs the attribute '{}' of ONNX's {}, which opset {} does not have",
                       attr.name, node.op_type, opset_),
           "ask for a newer opset");
    }
  }
  for (const auto& row : schema->attrs) {
    must(!row.required || node.find(row.name) != nullptr,
         fmt::format("{} is emitted without attribute '{}'", node.op_type, row.name));
  }
  const auto wrong = wrong_attributes(node, *schema);
  must(!wrong, wrong.value_or(""));
  check_inputs(node, *schema);
  // The program's own translations are held to it by what ONNX Runtime says in the tests.
  if (blame_ != ErrorCode::kUsage) return;
  const auto wrong_output = wrong_outputs(node, *schema, graph_);
  must(!wrong_output, wrong_output.value_or(""));
}

void Builder::check_inputs(const Node& node, const OpSchema& schema) const {
  const bool variadic = !schema.inputs.empty() && schema.inputs.back().variadic;
  must(variadic || node.inputs.size() <= schema.inputs.size(),
       fmt::format("{} is emitted with {} inputs", node.op_type, node.inputs.size()));
  std::array<DType, 16> group_dtype;
  group_dtype.fill(DType::kUnknown);
  for (std::size_t i = 0; i < std::max(node.inputs.size(), schema.inputs.size()); ++i) {
    const auto& formal = schema.inputs[std::min(i, schema.inputs.size() - 1)];
    if (i >= node.inputs.size() || !node.inputs[i].present()) {
      must(formal.optional || formal.variadic,
           fmt::format("{} is emitted without input {}", node.op_type, i));
      continue;
    }
    const DType dtype = graph_.type(node.inputs[i]).dtype;
    if (formal.dtypes != 0 && !formal.allows(dtype)) {
      const int first = first_opset_for_dtype(node.op_type, i, dtype, opset_);
      fail(ErrorCode::kUnsupported,
           fmt::format("ONNX's {} of opset {} does not take {}", node.op_type, opset_,
                       dtype_name(dtype)),
           first == 0 ? "" : fmt::format("ask for --opset {} or newer", first));
    }
    if (formal.group < 0) continue;
    DType& expected = group_dtype[static_cast<std::uint8_t>(formal.group)];
    must(expected == DType::kUnknown || expected == dtype,
         fmt::format("{} is emitted with inputs of type {} and {}", node.op_type,
                     dtype_name(expected), dtype_name(dtype)));
    expected = dtype;
  }
}

Value Builder::constant(Tensor tensor) {
  std::string key;
  if (tensor.data->size() <= kMostSharedBytes) {
    const TensorBytes raw(tensor);
    key = fmt::format("constant {} {} ", dtype_name(tensor.dtype),
                      Shape::of(tensor.dims).to_string());
    key.append(reinterpret_cast<const char*>(raw.bytes().data()), raw.bytes().size());
    if (const Value known = find_cached(key); known.present()) return known;
  }
  // What is made of weights while they are written takes no more than these.
  spend(kNodeCost + (tensor.data->view() ? tensor.data->size() : 0));
  const std::string name = graph_.names.unique(constant_name(tensor));
  TensorType type = tensor.type();
  const Value value = graph_.add_value({name, std::move(type), std::move(tensor)});
  // Constants are initializers of the main graph, whichever body asked for them.
  if (!key.empty()) caches_.front().emplace(std::move(key), value);
  return value;
}

Value Builder::ints(const std::vector<std::int64_t>& values) {
  return constant(make_tensor({static_cast<std::int64_t>(values.size())}, values));
}

Value Builder::int_scalar(std::int64_t value) {
  return constant(make_tensor<std::int64_t>({}, {value}));
}

Value Builder::scalar(DType dtype, double value) { return constant(make_scalar(dtype, value)); }

Value Builder::identity(Value x) { return emit("Identity", {x}, {}, type(x)); }

Value Builder::unary(std::string_view op_type, Value x) {
  TensorType result = type(x);
  if (gives_bool(op_type)) result.dtype = DType::kBool;
  return emit(op_type, {x}, {}, std::move(result));
}

Value Builder::binary(std::string_view op_type, Value a, Value b) {
  TensorType result{dtype(a), broadcast(shape(a), shape(b))};
  if (gives_bool(op_type)) result.dtype = DType::kBool;
  return emit(op_type, {a, b}, {}, std::move(result));
}

Value Builder::where(Value condition, Value a, Value b) {
  TensorType result{dtype(a), broadcast(shape(condition), broadcast(shape(a), shape(b)))};
  return emit("Where", {condition, a, b}, {}, std::move(result));
}

Value Builder::cast(Value x, DType dtype) {
  if (this->dtype(x) == dtype) return x;
  return emit("Cast", {x}, {{"to", onnx_type_code(dtype)}}, {dtype, shape(x)});
}

Value Builder::transpose(Value x, const std::vector<std::int64_t>& perm) {
  const Shape& from = shape(x);
  std::vector<Dim> dims;
  bool is_identity = true;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    dims.push_back(from[static_cast<std::size_t>(perm[i])]);
    is_identity = is_identity && perm[i] == static_cast<std::int64_t>(i);
  }
  if (is_identity) return x;
  return emit("Transpose", {x}, {{"perm", perm}}, {dtype(x), Shape(std::move(dims))});
}

Value Builder::concat(const std::vector<Value>& parts, std::int64_t axis) {
  if (parts.size() == 1) return parts[0];
  TensorType result = type(parts[0]);
  const auto at = resolve_axis(axis, result.shape.rank());
  require(at.has_value(), "Concat is emitted with an axis out of range");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    result.shape[*at] = result.shape[*at] + shape(parts[i])[*at];
  }
  return emit("Concat", parts, {{"axis", axis}}, std::move(result));
}

Value Builder::gather(Value x, Value indices, std::int64_t axis) {
  const Shape& from = shape(x);
  const auto at = resolve_axis(axis, from.rank());
  require(at.has_value(), "Gather is emitted with an axis out of range");
  std::vector<Dim> dims(from.dims().begin(),
                        from.dims().begin() + static_cast<std::ptrdiff_t>(*at));
  dims.insert(dims.end(), shape(indices).dims().begin(), shape(indices).dims().end());
  dims.insert(dims.end(), from.dims().begin() + static_cast<std::ptrdiff_t>(*at) + 1,
              from.dims().end());
  return emit("Gather", {x, indices}, {{"axis", axis}}, {dtype(x), Shape(std::move(dims))});
}

Value Builder::name_output(Value value, std::string_view name) {
  has_final_name_.resize(graph_.num_values(), false);
  if (has_final_name_[value.id] || graph_.constant(value) != nullptr) {
    value = identity(value);
    has_final_name_.resize(graph_.num_values(), false);
  }
  const auto reserved = reserved_.find(std::string(name));
  if (reserved != reserved_.end() && !reserved->second) {
    reserved->second = true;
    graph_.info(value).name = name;
  } else {
    graph_.info(value).name = graph_.names.unique(name);
  }
  has_final_name_[value.id] = true;
  // The node that makes an MXNet node's output carries its name.
  Node& last = bodies_.back()->nodes.back();
  if (std::find(last.outputs.begin(), last.outputs.end(), value) != last.outputs.end() &&
      !node_names_.taken(scope_) && !scope_.empty()) {
    last.name = node_names_.unique(scope_);
  }
  return value;
}

void Builder::define_symbol(std::string_view symbol, Value value, std::size_t axis) {
  symbols_.back().try_emplace(std::string(symbol), value, axis);
}

const std::pair<Value, std::size_t>* Builder::symbol_source(std::string_view symbol) const {
  for (std::size_t i = symbols_.size(); i-- > 0;) {
    const auto source = symbols_[i].find(symbol);
    if (source != symbols_[i].end()) return &source->second;
  }
  return nullptr;
}

Value Builder::find_cached(const std::string& key) const {
  Value found;
  // The innermost body that has it.
  for (const auto& cache : caches_) {
    const auto entry = cache.find(key);
    if (entry != cache.end()) found = entry->second;
  }
  return found;
}

void Builder::remember(const std::string& key, Value value) { caches_.back()[key] = value; }

void Builder::begin_body(Body& body) {
  bodies_.push_back(&body);
  caches_.emplace_back();
  symbols_.emplace_back();
}

void Builder::end_body() {
  bodies_.pop_back();
  caches_.pop_back();
  symbols_.pop_back();
}

}  // namespace mx2onnx::onnx
