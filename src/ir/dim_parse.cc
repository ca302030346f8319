#include "ir/dim_parse.h"

#include <cctype>
#include <charconv>
#include <string>

namespace mx2onnx {
namespace {

// More parentheses than any shape rule writes.
constexpr int kMostDepth = 64;

bool is_name_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  // The names of sizes that depend on data have dots and number signs in them.
  return std::isalnum(u) != 0 || c == '_' || c == '.' || c == '#' || u >= 0x80;
}

/// sum = product {("+" | "-") product}; product = factor {("*" | "//") factor}.
class Parser {
 public:
  Parser(std::string_view text, DimArena& arena) : text_(text), arena_(arena) {}

  std::optional<Dim> parse() {
    const Dim dim = sum();
    skip_space();
    if (failed_ || !text_.empty()) return std::nullopt;
    return dim;
  }

 private:
  void skip_space() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_space();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) { failed_ = !take(token) || failed_; }

  // A single slash is of a name, two of them divide.
  bool in_name(std::size_t i) const {
    if (text_[i] != '/') return is_name_char(text_[i]);
    return i > 0 && i + 1 < text_.size() && text_[i + 1] != '/';
  }

  Dim sum() {
    if (++depth_ > kMostDepth) failed_ = true;
    Dim result = take("-") ? Dim(0) - product() : product();
    while (!failed_) {
      if (take("+")) {
        result = result + product();
      } else if (take("-")) {
        result = result - product();
      } else {
        break;
      }
    }
    --depth_;
    return result;
  }

  Dim product() {
    Dim result = factor();
    while (!failed_) {
      if (take("//")) {
        const Dim by = factor();
        const bool positive = !by.is_constant() || by.value() > 0;
        failed_ = failed_ || !positive;
        if (!failed_) result = floor_div(result, by);
      } else if (take("*")) {
        result = result * factor();
      } else {
        break;
      }
    }
    return result;
  }

  Dim two(Dim (*function)(const Dim&, const Dim&)) {
    const Dim a = sum();
    expect(",");
    const Dim b = sum();
    expect(")");
    return function(a, b);
  }

  Dim factor() {
    if (failed_) return {};
    if (take("?")) return {};
    if (take("min(")) return two(min);
    if (take("max(")) return two(max);
    if (take("(")) {
      const Dim inner = sum();
      expect(")");
      return inner;
    }
    std::size_t length = 0;
    while (length < text_.size() && in_name(length)) ++length;
    const auto word = text_.substr(0, length);
    text_.remove_prefix(length);
    if (word.empty()) {
      failed_ = true;
      return {};
    }
    if (std::isdigit(static_cast<unsigned char>(word.front())) == 0) return arena_.symbol(word);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    failed_ = error != std::errc() || end != word.data() + word.size();
    return number;
  }

  std::string_view text_;
  DimArena& arena_;
  bool failed_ = false;
  int depth_ = 0;
};

}  // namespace

std::optional<Dim> parse_dim(std::string_view text, DimArena& arena) {
  return Parser(text, arena).parse();
}

}  // namespace mx2onnx
