// See preprocessing.h. The order of the operations is that of the formula, each rounded as NumPy
// would: the result is what the same formula gave before it was part of the model.
#include "convert/preprocessing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kChannelAxis = 1;  // of what the MXNet model takes

struct Scale {
  double times = 1;
  double over = 1;
};

[[noreturn]] void fail_value(std::string_view option, std::string_view expected,
                             std::string_view found) {
  fail(ErrorCode::kUsage, fmt::format("{}: expected {}, got {}", option, expected, found));
}

Scale parse_scale(const std::string& text) {
  if (text.empty()) return {};
  const auto parts = split_once(text, '/');
  const auto times = parse_double(parts ? parts->first : text);
  const auto over = parts ? parse_double(parts->second) : std::optional<double>(1);
  const auto usable = [](const auto& value) {
    return value && std::isfinite(*value) && *value != 0;
  };
  if (!usable(times) || !usable(over)) {
    fail_value("scale", "a number other than 0, or a fraction such as 1/255", in_quotes(text));
  }
  return {*times, *over};
}

void check_values(std::string_view option, const std::vector<double>& values, bool may_be_zero) {
  for (const double value : values) {
    if (!std::isfinite(value) || (value == 0 && !may_be_zero)) {
      fail_value(option, may_be_zero ? "finite numbers" : "finite numbers other than 0",
                 fmt::format("{}", value));
    }
  }
}

bool has_channels_last(const Preprocessing& preprocessing) {
  return lower(preprocessing.layout) == "nhwc";
}

void check_channels(std::string_view option, const std::vector<double>& values,
                    std::string_view name, const TensorType& type) {
  if (values.size() <= 1) return;
  const Dim& channels = type.shape[kChannelAxis];
  if (channels == Dim(static_cast<std::int64_t>(values.size()))) return;
  fail(ErrorCode::kUsage,
       fmt::format("{}: expected 1 value or one per channel of '{}', whose shape is {} (channels "
                   "are axis 1), got {}",
                   option, name, type.shape.to_string(), values.size()));
}

onnx::Value per_channel(onnx::Builder& b, const std::vector<double>& values,
                        const TensorType& type) {
  if (values.size() == 1) return b.scalar(type.dtype, values[0]);
  std::vector<std::int64_t> dims(type.shape.rank() - kChannelAxis, 1);
  dims[0] = static_cast<std::int64_t>(values.size());
  return b.constant(make_tensor_as(type.dtype, std::move(dims), values));
}

}  // namespace

void check_preprocessing(const Preprocessing& preprocessing) {
  check_values("mean", preprocessing.mean, true);
  check_values("std", preprocessing.std, false);
  parse_scale(preprocessing.scale);
  const auto layout = lower(preprocessing.layout);
  if (!layout.empty() && layout != "nchw" && layout != "nhwc") {
    fail_value("layout", "NCHW or NHWC", in_quotes(preprocessing.layout));
  }
  if (!preprocessing.dtype.empty()) {
    const auto dtype = dtype_from_name(preprocessing.dtype);
    if (!dtype || *dtype == DType::kBool) {
      fail_value("input type", "an element type such as uint8", in_quotes(preprocessing.dtype));
    }
  }
}

std::size_t find_image_node(const Preprocessing& preprocessing, const Model& model,
                            const InferResult& types) {
  std::vector<std::string> names;
  std::vector<std::size_t> images;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].role != VariableRole::kInput) continue;
    names.push_back(model.symbol.nodes[i].name);
    if (names.back() == preprocessing.input) return i;
    if (types.entries[model.first_entry[i]].type.shape.rank() > 2) images.push_back(i);
  }
  if (!preprocessing.input.empty()) {
    fail(ErrorCode::kUsage,
         fmt::format("image input: the model has no input '{}'", preprocessing.input),
         "inputs of the model: " + join_alternatives(names));
  }
  if (images.size() != 1) {
    fail(ErrorCode::kUsage,
         fmt::format("{} inputs of the model could be the image to prepare", images.size()),
         "name it; inputs of the model: " + join_alternatives(names));
  }
  return images[0];
}

TensorType image_type(const Preprocessing& preprocessing, std::string_view name,
                      const TensorType& type) {
  TensorType result = type;
  if (type.shape.rank() <= kChannelAxis &&
      !(preprocessing.mean.empty() && preprocessing.std.empty())) {
    fail(ErrorCode::kUsage, fmt::format("mean, std: input '{}' has no channels, its shape is {}",
                                        name, type.shape.to_string()));
  }
  check_channels("mean", preprocessing.mean, name, type);
  check_channels("std", preprocessing.std, name, type);
  if (!preprocessing.dtype.empty()) result.dtype = *dtype_from_name(preprocessing.dtype);
  if (has_channels_last(preprocessing)) {
    if (type.shape.rank() != 4) {
      fail(ErrorCode::kUsage,
           fmt::format("layout: NHWC is for an input of 4 dimensions, but '{}' has the shape {}",
                       name, type.shape.to_string()));
    }
    const auto& dims = type.shape.dims();
    result.shape = Shape({dims[0], dims[2], dims[3], dims[1]});
  }
  return result;
}

onnx::Value prepare_image(onnx::Builder& b, const Preprocessing& preprocessing, onnx::Value image,
                          const TensorType& type) {
  // Turned over before the Cast, while the elements are small.
  if (has_channels_last(preprocessing)) image = b.transpose(image, {0, 3, 1, 2});
  image = b.cast(image, type.dtype);
  const Scale scale = parse_scale(preprocessing.scale);
  if (scale.times != 1) image = b.mul(image, b.scalar(type.dtype, scale.times));
  if (scale.over != 1) image = b.div(image, b.scalar(type.dtype, scale.over));
  const auto is_all = [](const std::vector<double>& values, double x) {
    return std::all_of(values.begin(), values.end(), [&](double value) { return value == x; });
  };
  if (!is_all(preprocessing.mean, 0))
    image = b.sub(image, per_channel(b, preprocessing.mean, type));
  if (!is_all(preprocessing.std, 1)) image = b.div(image, per_channel(b, preprocessing.std, type));
  return image;
}

}  // namespace mx2onnx
