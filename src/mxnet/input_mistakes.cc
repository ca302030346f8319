// See input_mistakes.h.
#include "mxnet/input_mistakes.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "base/text.h"

namespace mx2onnx::mxnet {
namespace {

struct OtherName {
  std::string_view name;
  std::string_view dtype;
};

// Names of other programs. "float", "int" and "long" are C's and PyTorch's.
constexpr std::array<OtherName, 17> kOtherNames = {{{"fp16", "float16"},
                                                    {"half", "float16"},
                                                    {"f16", "float16"},
                                                    {"bf16", "bfloat16"},
                                                    {"fp32", "float32"},
                                                    {"f32", "float32"},
                                                    {"float", "float32"},
                                                    {"single", "float32"},
                                                    {"fp64", "float64"},
                                                    {"double", "float64"},
                                                    {"u8", "uint8"},
                                                    {"byte", "uint8"},
                                                    {"i8", "int8"},
                                                    {"i32", "int32"},
                                                    {"int", "int32"},
                                                    {"i64", "int64"},
                                                    {"long", "int64"}}};

std::string_view dtype_meant(std::string_view word) {
  const std::string name = lower(word);
  const auto found = std::find_if(kOtherNames.begin(), kOtherNames.end(),
                                  [&](const OtherName& other) { return other.name == name; });
  return found == kOtherNames.end() ? std::string_view() : found->dtype;
}

// Sizes between commas, a number among them.
bool look_like_sizes(std::string_view text) {
  const auto parts = split(text, ',');
  const auto is_number = [](std::string_view part) { return parse_int(trim(part)).has_value(); };
  return !text.empty() && std::any_of(parts.begin(), parts.end(), is_number);
}

}  // namespace

void check_input_mistakes(std::string_view text) {
  const auto refuse = [&](const std::string& what, const std::string& hint) {
    fail(ErrorCode::kUsage, fmt::format("input {}: {}", in_quotes(text), what), hint);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    const auto equals = text.rfind('=');
    if (equals != std::string_view::npos && look_like_sizes(text.substr(equals + 1))) {
      refuse("expected a colon between the name and the sizes, got '='",
             fmt::format("write {}:{}", text.substr(0, equals), text.substr(equals + 1)));
    }
    return;
  }
  const std::string_view front = text.substr(0, colon);
  const std::string_view back = trim(text.substr(colon + 1));
  if (const auto dtype = dtype_meant(back); !dtype.empty()) {
    refuse(fmt::format("expected an element type such as float32, got {}", in_quotes(back)),
           fmt::format("write {}:{}", front, dtype));
  }
  constexpr std::string_view kOpening = "([";
  constexpr std::string_view kClosing = ")]";
  if (back.size() > 1 && kOpening.find(back.front()) != std::string_view::npos &&
      kClosing.find(back.back()) != std::string_view::npos) {
    std::string sizes;
    for (const auto part : split(back.substr(1, back.size() - 2), ',')) {
      if (trim(part).empty()) continue;
      sizes += fmt::format("{}{}", sizes.empty() ? "" : ",", trim(part));
    }
    refuse(fmt::format("expected sizes between commas, got {}", in_quotes(back)),
           fmt::format("write {}:{}", front, sizes));
  }
}

}  // namespace mx2onnx::mxnet
