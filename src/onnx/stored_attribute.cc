#include "onnx/stored_attribute.h"

#include <fmt/format.h>

#include <string_view>

namespace mx2onnx::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr std::size_t kMostElements = 64;
constexpr std::size_t kMostLetters = 2000;

constexpr std::uint32_t tag(std::uint32_t number, pbf_wire_type type) {
  return protozero::tag_and_type(number, type);
}

/// The elements of a list, which may come one by one or packed.
class ListText {
 public:
  template <typename T>
  void add(const T& value) {
    if (++count_ > kMostElements) return;
    text_ += fmt::format("{}{}", text_.empty() ? "" : ", ", value);
  }
  bool empty() const { return count_ == 0; }
  std::string take() const {
    return fmt::format("[{}{}]", text_,
                       count_ > kMostElements ? fmt::format(", … {} more", count_ - kMostElements)
                                              : std::string());
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

std::string_view text_of(pbf_reader& reader) {
  const auto view = reader.get_view();
  return std::string_view(view.data(), view.size()).substr(0, kMostLetters);
}

}  // namespace

std::string attribute_text(pbf_reader reader) {
  constexpr auto kBytes = pbf_wire_type::length_delimited;
  std::string single;
  ListText list;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case tag(2, pbf_wire_type::fixed32):
        single = fmt::format("{:g}", reader.get_float());
        break;
      case tag(3, pbf_wire_type::varint):
        single = std::to_string(reader.get_int64());
        break;
      case tag(4, kBytes):
        single = text_of(reader);
        break;
      case tag(5, kBytes):
        reader.skip();
        single = "a tensor";
        break;
      case tag(6, kBytes):
        reader.skip();
        single = "a graph";
        break;
      case tag(7, kBytes):
        for (const float value : reader.get_packed_float()) list.add(fmt::format("{:g}", value));
        break;
      case tag(7, pbf_wire_type::fixed32):
        list.add(fmt::format("{:g}", reader.get_float()));
        break;
      case tag(8, kBytes):
        for (const auto value : reader.get_packed_int64()) list.add(value);
        break;
      case tag(8, pbf_wire_type::varint):
        list.add(reader.get_int64());
        break;
      case tag(9, kBytes):
        list.add(text_of(reader));
        break;
      case tag(10, kBytes):
        reader.skip();
        list.add("a tensor");
        break;
      case tag(11, kBytes):
        reader.skip();
        list.add("a graph");
        break;
      default:
        reader.skip();
    }
  }
  // Some programs write the fields of the other kinds, too, with zeros in them.
  return list.empty() ? single : list.take();
}

}  // namespace mx2onnx::onnx
