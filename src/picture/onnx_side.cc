// See sides.h.
#include <algorithm>
#include <limits>
#include <unordered_set>

#include "convert/layers.h"
#include "convert/onnx_work.h"
#include "onnx/text.h"
#include "picture/sides.h"

namespace mx2onnx::picture {
namespace {

const char* name_of(TraceEvent::What what) {
  switch (what) {
    case TraceEvent::What::kChanged:
      return "changed";
    case TraceEvent::What::kMade:
      return "made";
    default:
      return "removed";
  }
}

class OnnxSide {
 public:
  OnnxSide(const Look& look, PictureGraph& mxnet, StatisticsReader& statistics)
      : look_(look),
        source_(look.conversion.graph),
        mxnet_(mxnet),
        statistics_(statistics),
        size_(look.inspection.counted_as_one),
        values_(source_.num_values(), -1),
        makers_(source_.num_values(), -1) {
    const Model& model = *look.conversion.model;
    places_.assign(model.nodes.size(), -1);
    std::int64_t place = 0;
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      if (model.nodes[i].live && !model.symbol.nodes[i].is_variable()) places_[i] = place++;
    }
  }

  PictureGraph run() {
    graph_.side = "onnx";
    for (const auto& node : source_.main.nodes) add_node(node);
    for (const auto input : source_.main.inputs) graph_.inputs.push_back(value_of(input));
    for (const auto output : source_.main.outputs) graph_.outputs.push_back(value_of(output));
    for (const auto input : graph_.inputs)
      graph_.values[static_cast<std::size_t>(input)].kind = PictureValueKind::kInput;
    link();
    for (const auto& event : look_.conversion.trace->events()) add_event(event);
    add_blocks();
    return std::move(graph_);
  }

 private:
  std::int64_t value_of(onnx::Value value) {
    if (!value.present()) return -1;
    std::int64_t& place = values_[value.id];
    if (place >= 0) return place;
    place = static_cast<std::int64_t>(graph_.values.size());
    const onnx::ValueInfo& info = source_.info(value);
    PortReport port = describe_port(info.name, info.type);
    PictureValue result;
    result.name = std::move(port.name);
    result.dtype = std::move(port.dtype);
    result.shape = std::move(port.shape);
    if (info.constant) {
      // What a translation made itself is no weight.
      const bool is_weight = look_.conversion.trace->origin(value) == Trace::kNobody;
      result.kind = is_weight ? PictureValueKind::kParameter : PictureValueKind::kConstant;
      result.bytes = info.constant->size_bytes();
      result.statistics = statistics_.look_at(*info.constant);
      result.numbers = small_numbers(*info.constant);
    }
    graph_.values.push_back(std::move(result));
    return place;
  }

  void add_node(const onnx::Node& node) {
    PictureNode result;
    result.name = node.name;
    result.op = node.op_type;
    result.domain = node.domain;
    OnnxWork work{node.op_type, {}, {}, node.int_attr("transA", 0) != 0};
    for (const auto input : node.inputs) {
      work.inputs.push_back(input.present() ? source_.type(input).shape : Shape());
      result.inputs.push_back(value_of(input));
      const Tensor* constant = source_.constant(input);
      if (constant == nullptr || !counted_.insert(input.id).second) continue;
      result.parameters = plus(result.parameters, static_cast<std::uint64_t>(constant->count()));
      result.parameter_bytes = plus(result.parameter_bytes, constant->size_bytes());
    }
    for (const auto output : node.outputs) {
      result.outputs.push_back(value_of(output));
      if (output.present()) makers_[output.id] = static_cast<std::int64_t>(graph_.nodes.size());
    }
    if (!node.outputs.empty() && node.outputs[0].present())
      work.output = source_.type(node.outputs[0]).shape;
    bool has_body = false;
    for (const auto& attr : node.attrs) {
      result.attributes.emplace_back(attr.name, onnx::to_text(attr.value));
      has_body = has_body || std::holds_alternative<std::shared_ptr<onnx::Body>>(attr.value);
    }
    result.multiply_adds = has_body ? std::nullopt : multiply_adds(work, size_);
    graph_.nodes.push_back(std::move(result));
  }

  std::int64_t place_of(std::uint32_t mxnet_node) const {
    return mxnet_node < places_.size() ? places_[mxnet_node] : -1;
  }

  // A node is of the MXNet node that it was made for, and of the one whose output it gives now.
  void link() {
    const Trace& trace = *look_.conversion.trace;
    for (std::size_t i = 0; i < source_.main.nodes.size(); ++i) {
      const auto& node = source_.main.nodes[i];
      connect(place_of(trace.origin(node)), i);
      for (const auto output : node.outputs) connect(place_of(trace.origin(output)), i);
    }
  }

  void connect(std::int64_t mxnet_place, std::size_t onnx_place) {
    if (mxnet_place < 0) return;
    auto& here = graph_.nodes[onnx_place].counterparts;
    if (std::find(here.begin(), here.end(), mxnet_place) != here.end()) return;
    here.push_back(mxnet_place);
    mxnet_.nodes[static_cast<std::size_t>(mxnet_place)].counterparts.push_back(
        static_cast<std::int64_t>(onnx_place));
  }

  void add_event(const TraceEvent& event) {
    const auto place = place_of(event.from);
    if (place < 0) return;
    mxnet_.nodes[static_cast<std::size_t>(place)].passes.push_back(
        {event.pass, name_of(event.what), event.node});
  }

  // A node is in the block of its MXNet node, and in one of that node's own if it is one of
  // several. What is of nobody is where its input is.
  void add_blocks() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      auto& node = graph_.nodes[i];
      if (!node.counterparts.empty()) {
        const auto& of = mxnet_.nodes[static_cast<std::size_t>(node.counterparts.front())];
        node.block = of.block;
        if (of.counterparts.size() > 1) node.block.push_back(of.name);
        continue;
      }
      for (const auto input : source_.main.nodes[i].inputs) {
        const auto maker = input.present() ? makers_[input.id] : -1;
        if (maker < 0 || static_cast<std::size_t>(maker) >= i) continue;
        node.block = graph_.nodes[static_cast<std::size_t>(maker)].block;
        break;
      }
    }
  }

  const Look& look_;
  const onnx::Graph& source_;
  PictureGraph& mxnet_;
  StatisticsReader& statistics_;
  SizeEvaluator size_;
  PictureGraph graph_;
  std::vector<std::int64_t> values_;  // places, by id
  std::vector<std::int64_t> makers_;  // nodes that make values, by id
  std::vector<std::int64_t> places_;  // of MXNet nodes in their picture
  std::unordered_set<std::uint32_t> counted_;
};

}  // namespace

PictureGraph onnx_side(const Look& look, PictureGraph& mxnet, StatisticsReader& statistics) {
  return OnnxSide(look, mxnet, statistics).run();
}

}  // namespace mx2onnx::picture
