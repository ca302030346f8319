#include "source/facts.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace mx2onnx::source {
namespace {

[[noreturn]] void fail_expected(std::string_view path, std::string_view expected,
                                const JsonValue* found) {
  fail(ErrorCode::kFormat, fmt::format("{}: expected {}, found {}", path, expected,
                                       found == nullptr ? "nothing" : found->kind_name()));
}

std::vector<InputSpec> read_inputs(const JsonArray& entries, std::string_view path,
                                   std::string_view name_key, std::string_view shape_key) {
  std::vector<InputSpec> specs;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string at = fmt::format("{}[{}].", path, i);
    const JsonValue* name = entries[i].find(name_key);
    const JsonValue* shape = entries[i].find(shape_key);
    if (name == nullptr || name->as_string() == nullptr)
      fail_expected(at + std::string(name_key), "a string", name);
    if (shape == nullptr || shape->as_array() == nullptr)
      fail_expected(at + std::string(shape_key), "an array", shape);
    InputSpec spec;
    spec.name = *name->as_string();
    std::vector<std::string> dims;
    for (const auto& size : *shape->as_array()) {
      if (size.as_int() == nullptr) fail_expected(at + std::string(shape_key), "integers", &size);
      const std::int64_t value = *size.as_int();
      dims.push_back(value > 0 ? std::to_string(value) : dims.empty() ? "batch" : "?");
    }
    spec.dims = std::move(dims);
    specs.push_back(std::move(spec));
  }
  return specs;
}

// By the lengths of its sequences; overlong forms and surrogates are let through.
bool is_utf8(std::string_view text) {
  std::size_t more = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (more > 0) {
      if ((byte & 0xc0) != 0x80) return false;
      --more;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    }
  }
  return more == 0;
}

}  // namespace

std::vector<InputSpec> read_signature(std::string_view text) {
  const JsonValue document = parse_json(text);
  const JsonValue* inputs = document.find("inputs");
  if (inputs == nullptr || inputs->as_array() == nullptr)
    fail_expected("inputs", "an array", inputs);
  return read_inputs(*inputs->as_array(), "inputs", "data_name", "data_shape");
}

std::vector<InputSpec> read_model_shapes(std::string_view text) {
  const JsonValue document = parse_json(text);
  if (document.as_array() == nullptr) fail_expected("the document", "an array", &document);
  return read_inputs(*document.as_array(), "", "name", "shape");
}

std::vector<std::string> read_labels(std::string_view text) {
  std::vector<std::string> labels;
  if (!is_utf8(text)) return labels;
  for (const auto line : split(text, '\n')) labels.emplace_back(trim(line));
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

}  // namespace mx2onnx::source
