#include "tests/fuzz/draw.h"

#include <algorithm>
#include <cmath>

#include "ir/dtype.h"

namespace mx2onnx::fuzz {
namespace {

constexpr const char* kOddTexts[] = {
    "",      "None", "()",   "(,)",   "[]",     "nan",    "-inf", "inf", "1e400", "-0",
    "0x10",  "1.5",  "True", "(1,",   "(None)", "((1,))", "-1",   "0",   "1e-46", "(2L, 2L)",
    "False", " 3 ",  "+2",   "1e308", "NCHW",   "NHWC",   "auto", "bool"};
constexpr const char* kHuge[] = {
    "2147483647",          "-2147483648",         "4294967296",          "1000000000000000000",
    "2305843009213693952", "9223372036854775807", "-9223372036854775808"};
constexpr const char* kTexts[] = {"ij,jk->ik", "ij->ji", "(0, -1)", "(-1, 0)", "max",
                                  "avg",       "linear", "lstm",    "f",       ""};
constexpr const char* kReals[] = {"0",     "1",    "0.5",  "-2",  "3",   "1e-3",
                                  "-0.75", "1e-5", "2e-5", "2.5", "255", "0.0625"};

}  // namespace

std::int64_t Draw::size() {
  if (once_in(60)) return of(std::vector<std::int64_t>{-1, 1 << 20, std::int64_t{1} << 40});
  if (once_in(30)) return 0;
  return from_to(1, once_in(4) ? 9 : 4);
}

std::vector<std::int64_t> Draw::shape() {
  constexpr std::size_t kRanks[] = {1, 2, 2, 3, 3, 4, 4, 4, 5, 0};
  std::vector<std::int64_t> dims(of(kRanks));
  for (auto& dim : dims) dim = size();
  return dims;
}

std::string Draw::integer(const AttrField& field) {
  if (once_in(60)) return of(kHuge);
  constexpr double kFar = 1e9;
  const auto least = static_cast<std::int64_t>(std::max(-kFar, field.minimum.value_or(-2)));
  const auto most = static_cast<std::int64_t>(std::min(kFar, field.maximum.value_or(kFar)));
  return std::to_string(from_to(least, std::max(least, std::min(most, least + 4))));
}

std::string Draw::real() {
  if (once_in(60)) return of(std::vector<const char*>{"1e308", "1e-45", "nan", "inf", "-1e18"});
  return of(kReals);
}

std::string Draw::value(const AttrField& field) {
  if (once_in(50)) return of(kOddTexts);
  if (field.optional && once_in(6)) return "None";
  if (!field.names.empty()) return of(field.names);
  if (field.kind == "boolean") return once_in(2) ? "True" : "False";
  if (field.kind == "element type")
    return std::string(dtype_name(static_cast<DType>(below(static_cast<int>(DType::kUnknown)))));
  if (field.kind == "integer") return integer(field);
  if (field.kind == "number") return real();
  if (!field.kind.starts_with("tuple")) return of(kTexts);
  const auto [fewest, most] = field.tuple_sizes;
  const auto count = fewest + below(std::min<std::size_t>(most - fewest, 4) + 1);
  std::string text = "(";
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_none = field.kind.ends_with("None") && once_in(4);
    text += (is_none                                          ? "None"
             : field.kind.find("number") != std::string::npos ? real()
                                                              : integer(field)) +
            ", ";
  }
  return text + ")";
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (const auto dim : shape) text += std::to_string(dim) + ", ";
  return text + ")";
}

}  // namespace mx2onnx::fuzz
