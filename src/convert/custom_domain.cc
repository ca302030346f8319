#include "convert/custom_domain.h"

#include "base/error.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

bool is_hidden(std::string_view name) { return name.starts_with("__") && name.ends_with("__"); }

// A number, a tuple of numbers or a boolean as such, everything else as text.
onnx::Attribute typed_attribute(const std::string& name, const std::string& text) {
  if (text == "True" || text == "False") return {name, text == "True"};
  if (const auto integer = parse_int(text)) return {name, *integer};
  if (const auto number = parse_double(text)) return {name, *number};
  const bool is_tuple = text.size() >= 2 && ((text.front() == '(' && text.back() == ')') ||
                                             (text.front() == '[' && text.back() == ']'));
  Tuple integers;
  if (is_tuple && parse_attr(text, integers)) return {name, integers};
  FloatTuple numbers;
  if (is_tuple && parse_attr(text, numbers)) {
    return {name, std::vector<float>(numbers.begin(), numbers.end())};
  }
  return {name, text};
}

Shape shape_attribute(const mxnet::Attributes& attrs) {
  const auto text = attrs.find("__shape__");
  Tuple sizes;
  if (text == attrs.end() || !parse_attr(text->second, sizes)) return {};
  std::vector<Dim> dims;
  for (const auto size : sizes) dims.push_back(size <= 0 ? Dim() : Dim(size));
  return Shape(std::move(dims));
}

DType dtype_attribute(const mxnet::Attributes& attrs) {
  const auto text = attrs.find("__dtype__");
  const auto flag = text == attrs.end() ? std::nullopt : parse_int(text->second);
  return flag ? dtype_from_flag(*flag).value_or(DType::kUnknown) : DType::kUnknown;
}

void infer_unknown(const mxnet::Attributes& attrs, InferContext& c) {
  DType dtype = dtype_attribute(attrs);
  if (dtype == DType::kUnknown) {
    dtype = c.num_inputs() > 0 ? c.input(0).dtype : DType::kFloat32;
  }
  for (std::size_t i = 0; i < c.num_outputs(); ++i) {
    if (c.output(i).dtype == DType::kUnknown) c.set_output_dtype(i, dtype);
  }
  c.set_output_shape(0, shape_attribute(attrs));
}

}  // namespace

std::shared_ptr<const OpDef> record_in_domain(const std::string& op, const std::string& domain,
                                              std::size_t num_outputs) {
  auto def = std::make_shared<OpDef>();
  def->names = {op};
  def->summary = "An operator that is not known.";
  def->attrs = AttrSchema::open();
  def->variadic = true;
  def->any_shape = true;
  def->inputs = [](const void*) { return std::vector<InputDef>{{"data", InputRole::kData}}; };
  def->outputs = [num_outputs](const void*, std::size_t) {
    if (num_outputs == 1) return std::vector<std::string>{"output"};
    std::vector<std::string> names;
    for (std::size_t i = 0; i < num_outputs; ++i) names.push_back(fmt::format("output{}", i));
    return names;
  };
  def->infer = [](const void* params, InferContext& c) {
    infer_unknown(*static_cast<const mxnet::Attributes*>(params), c);
  };
  def->translate = [op, domain](const void* params, Translation& t) {
    const auto& given = *static_cast<const mxnet::Attributes*>(params);
    std::string op_type = op;
    onnx::Attributes attrs;
    for (const auto& [name, text] : given) {
      if (is_hidden(name)) continue;
      // A Python operator's own name is the one that a kernel has.
      if (name == "op_type" && (op == "Custom" || op == "_npi_Custom")) {
        op_type = text;
      } else {
        attrs.push_back(typed_attribute(name, text));
      }
    }
    std::vector<onnx::Value> inputs;
    for (std::size_t i = 0; i < t.num_inputs(); ++i) inputs.push_back(t.input(i));
    std::vector<TensorType> types;
    for (std::size_t i = 0; i < t.num_outputs(); ++i) types.push_back(t.output_type(i));
    const auto outputs =
        t.b.emit_custom(domain, op_type, std::move(inputs), std::move(attrs), std::move(types));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      t.set_output(i, outputs[i]);
      // Sizes that only the runtime's kernel knows can be read here.
      const Shape& shape = t.output_shape(i);
      for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        const auto symbol = shape[axis].symbol_name();
        if (!symbol.empty() && t.b.symbol_source(symbol) == nullptr) {
          t.b.define_symbol(symbol, outputs[i], axis);
        }
      }
    }
    t.warn("W-custom-domain",
           fmt::format("is not translated: it is a node '{}' of the domain '{}', for which the "
                       "runtime needs a kernel",
                       op_type, domain));
  };
  return def;
}

}  // namespace mx2onnx
