#include "convert/custom_operator.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "ir/dim_parse.h"
#include "onnx/node_check.h"
#include "onnx/schema.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {
namespace {

constexpr std::int64_t kMostNumbers = std::int64_t{1} << 32;

[[noreturn]] void fail_custom(const std::string& name, std::string_view what) {
  fail(ErrorCode::kUsage, fmt::format("the registered operator '{}' {}", name, what));
}

/// Types as the user's functions see them, and back. A size that was handed out comes back as the
/// same size, whatever its text.
class Types {
 public:
  Types(const CustomOperator& custom, DimArena& arena) : custom_(custom), arena_(arena) {}

  CustomType text_of(const TensorType& type) {
    CustomType result;
    if (type.dtype != DType::kUnknown) result.dtype = dtype_name(type.dtype);
    if (!type.shape.known_rank()) return result;
    result.shape.emplace();
    for (const Dim& dim : type.shape.dims()) {
      result.shape->push_back(dim.to_string());
      if (dim.is_symbolic()) known_.emplace(result.shape->back(), dim);
    }
    return result;
  }

  Shape shape_of(const CustomShape& sizes) const {
    std::vector<Dim> dims;
    for (const auto& text : sizes) {
      const auto known = known_.find(text);
      const auto dim = known != known_.end() ? known->second : parse_dim(text, arena_);
      if (!dim || (dim->is_constant() && dim->value() < 0)) {
        fail_custom(custom_.name, fmt::format("gives {} as a size", in_quotes(text)));
      }
      dims.push_back(*dim);
    }
    return Shape(std::move(dims));
  }

  DType dtype_of(const std::string& text) const {
    if (text.empty()) return DType::kUnknown;
    const auto dtype = dtype_from_name(text);
    if (!dtype) {
      fail_custom(custom_.name, fmt::format("gives {} as an element type", in_quotes(text)));
    }
    return *dtype;
  }

  TensorType type_of(const CustomType& type) const {
    return {dtype_of(type.dtype), type.shape ? shape_of(*type.shape) : Shape()};
  }

 private:
  const CustomOperator& custom_;
  DimArena& arena_;
  std::map<std::string, std::optional<Dim>> known_;
};

CustomNode describe(const CustomOperator& custom, const void* params, int opset) {
  CustomNode node;
  node.name = current_place().node;
  node.op = custom.name;
  node.opset = opset;
  for (const auto& [name, text] : *static_cast<const mxnet::Attributes*>(params)) {
    if (!name.starts_with("__")) node.attributes.emplace(name, text);
  }
  return node;
}

class Emitter final : public OnnxEmitter {
 public:
  Emitter(const CustomOperator& custom, Translation& translation, Types& types)
      : custom_(custom), t_(translation), b_(translation.b), types_(types) {}

  bool has(const std::string& op_type) const override { return b_.has(op_type); }

  OnnxValue input(std::size_t index) const override {
    if (index >= t_.num_inputs()) {
      fail_custom(custom_.name,
                  fmt::format("asks for input {} of a node that has {}", index, t_.num_inputs()));
    }
    return given(t_.input(index));
  }

  OnnxValue constant(const std::string& dtype, const std::vector<std::int64_t>& shape,
                     const std::vector<double>& numbers) override {
    const DType type = types_.dtype_of(dtype);
    std::int64_t count = 1;
    for (const auto size : shape) {
      if (size < 0 || (size > 0 && count > kMostNumbers / size)) {
        fail_custom(custom_.name, fmt::format("gives {} as a size of a constant", size));
      }
      count *= size;
    }
    const bool fits = numbers.size() == 1 || static_cast<std::int64_t>(numbers.size()) == count;
    if (!fits || type == DType::kUnknown) {
      fail_custom(custom_.name, fmt::format("gives {} numbers of type {} for a constant of {}",
                                            numbers.size(), in_quotes(dtype), count));
    }
    std::vector<double> all = numbers;
    if (numbers.size() == 1) all.assign(static_cast<std::size_t>(count), numbers[0]);
    return given(b_.constant(make_tensor_as(type, shape, all)));
  }

  OnnxValue shape(const CustomShape& sizes) override {
    const Shape shape = types_.shape_of(sizes);
    if (!shape.known()) fail_custom(custom_.name, "asks for a shape whose sizes are not known");
    return given(onnx::sizes_tensor(b_, shape.dims()));
  }

  std::vector<OnnxValue> emit_many(
      const std::string& op_type, const std::vector<OnnxValue>& inputs,
      const std::vector<std::pair<std::string, OnnxAttribute>>& attributes,
      const std::vector<CustomType>& outputs, const std::string& domain) override {
    std::vector<onnx::Value> values;
    for (const auto input : inputs) values.push_back(checked(input));
    onnx::Attributes attrs;
    const bool is_onnx = domain.empty() || domain == "ai.onnx";
    const auto* schema = is_onnx ? onnx::find_schema(op_type, b_.opset()) : nullptr;
    for (const auto& [name, value] : attributes)
      attrs.push_back(attribute(name, value,
                                schema == nullptr ? nullptr : onnx::find_attribute(*schema, name)));
    if (outputs.empty())
      fail_custom(custom_.name, fmt::format("emits {} without outputs", op_type));
    std::vector<TensorType> types;
    for (const auto& output : outputs) types.push_back(output_type(op_type, output, values, attrs));
    const auto made =
        is_onnx ? b_.emit_many(op_type, std::move(values), std::move(attrs), std::move(types))
                : b_.emit_custom(domain, op_type, std::move(values), std::move(attrs),
                                 std::move(types));
    std::vector<OnnxValue> result;
    for (const auto value : made) result.push_back(given(value));
    return result;
  }

  void set_output(std::size_t index, OnnxValue value) override {
    if (index >= t_.num_outputs()) {
      fail_custom(custom_.name,
                  fmt::format("sets output {} of a node that has {}", index, t_.num_outputs()));
    }
    const onnx::Value checked_value = checked(value);
    if (!checked_value.present()) fail_custom(custom_.name, "sets an output to no value");
    const TensorType& found = b_.type(checked_value);
    const TensorType& expected = t_.output_type(index);
    const bool same_rank = !found.shape.known_rank() || !expected.shape.known_rank() ||
                           found.shape.rank() == expected.shape.rank();
    if (found.dtype != expected.dtype || !same_rank) {
      fail_custom(custom_.name, fmt::format("sets output {} to {}, its shape rule says {}", index,
                                            found.to_string(), expected.to_string()));
    }
    t_.set_output(index, checked_value);
  }

  void refuse(const std::string& reason, const std::string& hint) override {
    t_.refuse(reason, hint);
  }
  void warn(const std::string& message) override { t_.warn("W-custom-operator", message); }

 private:
  static std::uint64_t next_number() {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
  }

  OnnxValue given(onnx::Value value) const { return {value.id, number_}; }

  onnx::Value checked(OnnxValue value) const {
    if (value.id != OnnxValue::kAbsent && value.emitter != number_) {
      fail_custom(custom_.name, "uses a value of another node's translation");
    }
    return {value.id};
  }

  TensorType output_type(const std::string& op_type, const CustomType& output,
                         const std::vector<onnx::Value>& inputs,
                         const onnx::Attributes& attributes) const {
    TensorType type = types_.type_of(output);
    if (const auto to = op_type == "Cast" ? cast_target(attributes) : std::nullopt) {
      if (type.dtype == DType::kUnknown) type.dtype = *to;
      if (type.dtype != *to) {
        fail_custom(custom_.name, fmt::format("casts to {} and says that the output is {}",
                                              dtype_name(*to), dtype_name(type.dtype)));
      }
    }
    if (type.dtype != DType::kUnknown) return type;
    const auto first = std::find_if(inputs.begin(), inputs.end(),
                                    [](const onnx::Value& input) { return input.present(); });
    if (first == inputs.end()) {
      fail_custom(custom_.name, fmt::format("emits {} without the output's element type", op_type));
    }
    type.dtype = b_.dtype(*first);
    return type;
  }

  static std::optional<DType> cast_target(const onnx::Attributes& attributes) {
    for (const auto& attr : attributes) {
      const auto* code = std::get_if<std::int64_t>(&attr.value);
      if (attr.name != "to" || code == nullptr) continue;
      for (int i = 0; i < static_cast<int>(DType::kUnknown); ++i) {
        if (onnx::onnx_type_code(static_cast<DType>(i)) == *code) return static_cast<DType>(i);
      }
    }
    return std::nullopt;
  }

  // Whole numbers and empty lists are of several kinds: the schema's row, if there is one, says
  // which is meant. Anything else is the builder's to refuse.
  static onnx::Attribute attribute(const std::string& name, const OnnxAttribute& value,
                                   const onnx::AttrRow* row) {
    const auto* whole = std::get_if<std::int64_t>(&value);
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
    const auto type = row == nullptr ? onnx::AttrType::kOther : row->type;
    if (whole != nullptr && type == onnx::AttrType::kFloat)
      return {name, static_cast<float>(*whole)};
    if (list != nullptr && type == onnx::AttrType::kFloats)
      return {name, std::vector<float>(list->begin(), list->end())};
    if (list != nullptr && list->empty() && type == onnx::AttrType::kStrings)
      return {name, std::vector<std::string>()};
    return std::visit(
        [&](const auto& v) -> onnx::Attribute {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<double>>) {
            return {name, std::vector<float>(v.begin(), v.end())};
          } else {
            return {name, v};
          }
        },
        value);
  }

  const CustomOperator& custom_;
  Translation& t_;
  onnx::Builder& b_;
  Types& types_;
  const std::uint64_t number_ = next_number();
};

void infer_custom(const CustomOperator& custom, const void* params, InferContext& c, int opset) {
  Types types(custom, c.arena());
  CustomNode node = describe(custom, params, opset);
  for (std::size_t i = 0; i < c.num_inputs(); ++i) node.inputs.push_back(types.text_of(c.input(i)));
  for (std::size_t i = 0; i < c.num_outputs(); ++i) {
    node.outputs.push_back(types.text_of(c.output(i)));
  }
  std::vector<CustomType> found;
  if (custom.infer) {
    found = custom.infer(node);
  } else if (!node.inputs.empty()) {
    found.assign(c.num_outputs(), node.inputs[0]);
  } else {
    fail_custom(custom.name, "needs a shape rule: the node has no inputs");
  }
  if (found.size() != c.num_outputs()) {
    fail_custom(custom.name, fmt::format("has {} outputs, its shape rule gives {}", c.num_outputs(),
                                         found.size()));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const TensorType type = types.type_of(found[i]);
    c.set_output_dtype(i, type.dtype);
    c.set_output_shape(i, type.shape);
  }
}

void translate_custom(const CustomOperator& custom, const void* params, Translation& t,
                      DimArena& arena) {
  Types types(custom, arena);
  CustomNode node = describe(custom, params, t.b.opset());
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    node.inputs.push_back(types.text_of(t.input_type(i)));
  }
  for (std::size_t i = 0; i < t.num_outputs(); ++i) {
    node.outputs.push_back(types.text_of(t.output_type(i)));
  }
  Emitter emitter(custom, t, types);
  t.b.set_blame(ErrorCode::kUsage);
  custom.translate(node, emitter);
  t.b.set_blame(ErrorCode::kInternal);
  if (t.refused()) return;
  for (std::size_t i = 0; i < t.num_outputs(); ++i) {
    if (t.output_used(i) && !t.output(i).present()) {
      fail_custom(custom.name, fmt::format("did not set output {}", i));
    }
  }
}

}  // namespace

std::shared_ptr<const OpDef> record_of(const std::shared_ptr<const CustomOperator>& custom,
                                       int opset, DimArena& arena) {
  if (custom == nullptr || custom->name.empty()) fail_custom("", "has no name");
  if (custom->outputs.empty()) fail_custom(custom->name, "has no outputs");
  if (!custom->translate) fail_custom(custom->name, "has no translation");
  auto def = std::make_shared<OpDef>();
  def->names = {custom->name};
  def->summary = "An operator of the user's own.";
  def->attrs = AttrSchema::open();
  def->variadic = custom->inputs.empty();
  def->inputs = [custom](const void*) {
    std::vector<InputDef> inputs;
    for (const auto& input : custom->inputs) {
      inputs.push_back({input.name, input.is_parameter ? InputRole::kWeight : InputRole::kData});
    }
    if (inputs.empty()) inputs.push_back({"data", InputRole::kData});
    return inputs;
  };
  def->outputs = [custom](const void*, std::size_t) { return custom->outputs; };
  def->infer = [custom, opset](const void* params, InferContext& c) {
    infer_custom(*custom, params, c, opset);
  };
  def->translate = [custom, &arena](const void* params, Translation& t) {
    translate_custom(*custom, params, t, arena);
  };
  def->any_shape = true;
  return def;
}

}  // namespace mx2onnx
