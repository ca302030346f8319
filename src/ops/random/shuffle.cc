// _shuffle (src/operator/random/shuffle_op.cc).
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/random_draws.h"

namespace mx2onnx {
namespace {

using onnx::Builder;

// The first axis in the order of as many draws.
void translate_shuffle(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  if (t.input_rank(0) == 0) return t.refuse("MXNet does not shuffle scalars");
  warn_of_draws(t);
  const Dim& size = t.input_shape(0)[0];
  Draws draws(b, Shape{size}, DType::kFloat64);
  t.set_output(0, b.gather(t.input(0), onnx::top_k(b, draws.unit(), size, 0, true).second, 0));
}

}  // namespace

void register_shuffle(Registry& r) {
  r.add<NoParam>({"_shuffle", "shuffle", "_npi_shuffle"})
      .summary("Brings the first axis into a random order.")
      .infer(infer_same<NoParam>)
      .translate(translate_shuffle)
      .note(std::string(kSeedNote));
}

}  // namespace mx2onnx
