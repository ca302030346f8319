// A failure as a JSON document.
#include "base/text.h"
#include "convert/json_parts.h"

namespace mx2onnx {
namespace {

const char* kind_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kIo:
      return "file";
    case ErrorCode::kFormat:
      return "format";
    case ErrorCode::kModel:
      return "model";
    default:
      return "unsupported";
  }
}

JsonValue text_or_null(const std::string& text) {
  return text.empty() ? JsonValue{nullptr} : JsonValue{text};
}

}  // namespace

// The first line of a list says what it is a list of.
std::vector<std::string> problems_of(const Error& error) {
  constexpr std::string_view kItem = "\n  ";
  const std::string& message = error.message();
  std::vector<std::string> lines;
  auto at = message.find(kItem);
  while (at != std::string::npos) {
    const auto begin = at + kItem.size();
    at = message.find(kItem, begin);
    lines.push_back(message.substr(begin, at - begin));
  }
  if (lines.empty()) lines.emplace_back(error.what());
  return lines;
}

std::string to_json(const Error& error) {
  const ErrorPlace& place = error.place();
  return json_text({JsonObject{{"error",
                                {JsonObject{{"code", {static_cast<std::int64_t>(error.code())}},
                                            {"kind", {std::string(kind_name(error.code()))}},
                                            {"file", text_or_null(place.file)},
                                            {"node", text_or_null(place.node)},
                                            {"operator", text_or_null(place.op)},
                                            {"attribute", text_or_null(place.attribute)},
                                            {"message", {error.message()}},
                                            {"hint", text_or_null(error.hint())},
                                            {"problems", json_strings(problems_of(error))}}}}}});
}

}  // namespace mx2onnx
