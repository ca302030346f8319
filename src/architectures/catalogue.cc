#include "architectures/catalogue.h"

#include <memory>

#include "architectures/data.h"
#include "base/error.h"
#include "base/inflate.h"
#include "base/nearest.h"
#include "base/text.h"
#include "mxnet/input_spec.h"

namespace mx2onnx::architectures {
namespace {

constexpr std::int64_t kTracedBy = 10901;
constexpr std::size_t kHeader = 4;

// In the order of PREPARATIONS in tools/gen_architectures.py.
Preprocessing preparation(std::size_t index) {
  Preprocessing result;
  result.scale = "1/255";
  result.layout = "NHWC";
  result.dtype = "uint8";
  switch (index) {
    case 0:  // ImageNet
      result.mean = {0.485, 0.456, 0.406};
      result.std = {0.229, 0.224, 0.225};
      break;
    case 1:  // CIFAR-10
      result.mean = {0.4914, 0.4822, 0.4465};
      result.std = {0.2023, 0.1994, 0.2010};
      break;
    case 3:  // AlphaPose's, which divides by no deviation
      result.mean = {0.406, 0.457, 0.480};
      break;
    default:  // the scale alone
      break;
  }
  return result;
}

std::vector<std::string> words(std::string_view text, char separator) {
  std::vector<std::string> result;
  for (const auto word : split(text, separator)) {
    if (!word.empty()) result.emplace_back(word);
  }
  return result;
}

Architecture read_entry(Stream& stream) {
  Architecture entry;
  entry.name = stream.text();
  entry.prefix = stream.text();
  entry.task = stream.text();
  entry.library = stream.text();
  entry.files = words(stream.text(), ' ');
  for (const auto& input : words(stream.text(), ';'))
    entry.inputs.push_back(mxnet::parse_input_spec(input));
  entry.graph = stream.count();
  entry.layout = stream.count();
  if (const auto classes = stream.count(); classes > 0) entry.classes = classes - 1;
  if (const auto kind = stream.count(); kind > 0) entry.preparation = preparation(kind - 1);
  entry.has_old_form = stream.count() != 0;
  const std::size_t further = stream.count();
  for (std::size_t i = 0; i < further; ++i) entry.further_keys.push_back(stream.name());
  return entry;
}

}  // namespace

std::optional<Catalogue> Catalogue::load() {
  const auto packed = packed_nets();
  if (packed.empty()) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = kHeader; i-- > 0;) size = size << 8 | packed[i];
  return Catalogue(inflate_own(packed.subspan(kHeader), size));
}

Catalogue::Catalogue(std::vector<unsigned char> bytes) : bytes_(std::move(bytes)) {
  Stream head(bytes_);
  texts_.resize(head.count());
  for (auto& text : texts_) {
    const auto part = head.take_sized();
    text = {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  Stream stream(head.rest(), &texts_);
  operators_.resize(stream.count());
  for (auto& op : operators_) {
    op.name = stream.text();
    op.subgraphs = stream.count();
    const std::size_t attributes = stream.count();
    for (std::size_t i = 0; i < attributes; ++i) {
      const std::string_view key = stream.text();
      op.attrs.emplace(key, stream.text());
    }
  }
  for (auto* parts : {&graphs_, &layouts_}) {
    parts->resize(stream.count());
    for (auto& part : *parts) part = stream.take_sized();
  }
  classes_.resize(stream.count());
  for (auto& names : classes_) {
    names.resize(stream.count());
    for (auto& name : names) name = stream.text();
  }
  const std::size_t entries = stream.count();
  // Names of further keys are told apart from those of the other parts.
  Stream rest(stream.rest(), &texts_);
  for (std::size_t i = 0; i < entries; ++i) all_.push_back(read_entry(rest));
}

std::vector<Parameter> Catalogue::layout(std::size_t index) const {
  Stream stream(layouts_.at(index), &texts_);
  std::vector<Parameter> result(stream.count());
  for (auto& parameter : result) {
    parameter.key = stream.name();
    parameter.name = stream.name();
    parameter.shape.resize(stream.count());
    for (auto& size : parameter.shape) size = static_cast<std::int64_t>(stream.number());
    if (const auto same = stream.count(); same > 0) parameter.same_as = same - 1;
  }
  return result;
}

std::size_t Catalogue::layout_size(std::size_t index) const {
  return Stream(layouts_.at(index), &texts_).count();
}

mxnet::Symbol Catalogue::graph(std::size_t index) const {
  return read_graph(Stream(graphs_.at(index), &texts_));
}

mxnet::Symbol Catalogue::read_graph(Stream stream) const {
  mxnet::Symbol symbol;
  symbol.mxnet_version = kTracedBy;
  symbol.nodes.resize(stream.count());
  for (std::size_t i = 0; i < symbol.nodes.size(); ++i) {
    mxnet::Node& node = symbol.nodes[i];
    const std::size_t op = stream.count();
    node.name = stream.name();
    if (op == 0) continue;
    node.op = operators_.at(op - 1).name;
    node.attrs = operators_.at(op - 1).attrs;
    node.inputs.resize(stream.count());
    for (auto& input : node.inputs) {
      const std::uint64_t coded = stream.number();
      input.node = static_cast<std::uint32_t>(i - (coded >> 1));
      if ((coded & 1) != 0) input.index = static_cast<std::uint32_t>(stream.number());
    }
    for (std::size_t part = 0; part < operators_[op - 1].subgraphs; ++part) {
      node.subgraphs.push_back(
          std::make_shared<mxnet::Symbol>(read_graph(Stream(stream.take_sized(), &texts_))));
    }
  }
  symbol.heads.resize(stream.count());
  for (auto& head : symbol.heads) {
    head.node = static_cast<std::uint32_t>(stream.number());
    head.index = static_cast<std::uint32_t>(stream.number());
  }
  return symbol;
}

std::vector<std::string> Catalogue::classes(std::size_t index) const {
  return {classes_.at(index).begin(), classes_.at(index).end()};
}

const Architecture& Catalogue::find(const std::string& name) const {
  for (const char* library : {"", "mxnet/", "nlp/"}) {
    for (const auto& entry : all_) {
      if (entry.name == library + name) return entry;
    }
  }
  std::vector<std::string> names;
  for (const auto& entry : all_) names.push_back(entry.name);
  const auto like = nearest(name, names, 1);
  fail(ErrorCode::kUsage, fmt::format("architecture: there is none called {}", in_quotes(name)),
       like.empty() ? "mx2onnx architectures lists them"
                    : fmt::format("did you mean '{}'? mx2onnx architectures lists them", like[0]));
}

}  // namespace mx2onnx::architectures
