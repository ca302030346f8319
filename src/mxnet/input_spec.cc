#include "mxnet/input_spec.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "mxnet/input_mistakes.h"

namespace mx2onnx::mxnet {
namespace {

bool is_size_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

bool is_dim(std::string_view text) {
  const auto number = parse_int(text);
  return number ? *number >= -1 : text == "?" || is_size_name(text);
}

bool are_dims(std::string_view text) {
  const auto parts = split(text, ',');
  return text.empty() ||
         std::all_of(parts.begin(), parts.end(), [](auto part) { return is_dim(trim(part)); });
}

}  // namespace

InputSpec parse_input_spec(std::string_view text) {
  check_input_mistakes(text);
  const std::string_view whole = text;
  InputSpec spec;
  // From the right, since MXNet's names may contain colons.
  auto colon = text.rfind(':');
  if (colon != std::string_view::npos && dtype_from_name(text.substr(colon + 1))) {
    spec.dtype = text.substr(colon + 1);
    text = text.substr(0, colon);
    colon = text.rfind(':');
  }
  if (colon != std::string_view::npos && are_dims(text.substr(colon + 1))) {
    std::vector<std::string> dims;
    if (!text.substr(colon + 1).empty()) {
      for (const auto part : split(text.substr(colon + 1), ',')) dims.emplace_back(trim(part));
    }
    spec.dims = std::move(dims);
    text = text.substr(0, colon);
  } else if (colon != std::string_view::npos && text.find(',') != std::string_view::npos) {
    fail(ErrorCode::kUsage,
         fmt::format("input {}: expected sizes between commas, got {}", in_quotes(whole),
                     in_quotes(text.substr(colon + 1))),
         "write for instance data:batch,3,224,224 or data:1,3,224,224:float16");
  }
  spec.name = text;
  if (spec.name.empty()) {
    fail(ErrorCode::kUsage,
         fmt::format("input {}: expected a name before the first colon", in_quotes(whole)));
  }
  return spec;
}

bool is_unknown_dim(std::string_view text, bool np_shape) {
  return text == "?" || text == "-1" || text == "None" || (text == "0" && !np_shape);
}

std::vector<Dim> spec_dims(const InputSpec& spec, bool np_shape, DimArena& arena) {
  std::vector<Dim> dims;
  for (const auto& text : *spec.dims) {
    const auto number = parse_int(text);
    if (is_unknown_dim(text, np_shape)) {
      dims.emplace_back();
    } else if (number && *number >= 0 && *number <= kLargestSize) {
      dims.emplace_back(*number);
    } else if (is_size_name(text)) {
      dims.push_back(arena.symbol(text));
    } else {
      fail(ErrorCode::kUsage, fmt::format("input '{}': expected a size or a name for one, got {}",
                                          spec.name, in_quotes(text)));
    }
  }
  return dims;
}

}  // namespace mx2onnx::mxnet
