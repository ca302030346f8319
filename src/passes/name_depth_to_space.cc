// A pixel shuffle that is spelled out, as Gluon's is: channels are made two more axes, which are
// moved behind height and width and joined with these. One DepthToSpace does that, also in
// runtimes that have no arrays of six axes.
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

using Perm = std::vector<std::int64_t>;

bool is_size(const Dim& dim, std::int64_t size) { return dim.is_constant() && dim.value() == size; }

std::optional<NewNode> depth_to_space(const Match& match, Place& place) {
  const Shape& from = match.type("x").shape;
  const Shape& apart = match.type("apart").shape;
  const Shape& to = place.type().shape;
  const DType dtype = place.type().dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64) return std::nullopt;
  if (!from.known() || from.rank() != 4 || apart.rank() != 6 || to.rank() != 4) return std::nullopt;
  const Perm perm = match.node("moved").ints_attr("perm");
  // The channels that remain are before the blocks (column, row, depth) or behind them.
  const bool depth_last = perm == Perm{0, 1, 4, 2, 5, 3};
  if (!depth_last && perm != Perm{0, 3, 4, 1, 5, 2}) return std::nullopt;
  const Dim& block = apart[depth_last ? 2 : 1];
  const Dim& channels = apart[depth_last ? 1 : 3];
  if (!block.is_constant() || !channels.is_constant() || !from[1].is_constant())
    return std::nullopt;
  const std::int64_t size = block.value();
  const bool splits_channels = size > 0 && is_size(apart[depth_last ? 3 : 2], size) &&
                               from[1].value() / size / size == channels.value() &&
                               from[1].value() % (size * size) == 0;
  const bool keeps_places = apart[0] == from[0] && apart[4] == from[2] && apart[5] == from[3];
  const bool joins =
      to[0] == from[0] && to[1] == channels && to[2] == from[2] * block && to[3] == from[3] * block;
  if (!splits_channels || !keeps_places || !joins) return std::nullopt;
  return NewNode{"DepthToSpace",
                 {match.value("x")},
                 {{"blocksize", size}, {"mode", depth_last ? "CRD" : "DCR"}}};
}

}  // namespace

std::size_t name_depth_to_space(onnx::Graph& graph, const PassOptions& /*options*/) {
  static const std::vector<Rule> rules = {
      {op("Reshape",
          {op("Transpose", {op("Reshape", {any("x"), constant("sizes")}).as("apart")}).as("moved"),
           constant("joined")}),
       depth_to_space},
  };
  return rewrite(graph, rules);
}

}  // namespace mx2onnx::passes
