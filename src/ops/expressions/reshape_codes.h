// The codes that a reshape has among its sizes: those of Reshape and those of NumPy's extension.
#pragma once

#include <optional>
#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

struct ReshapeParam {
  Tuple shape;
  bool reverse = false;
  std::optional<Tuple> target_shape = Tuple();
  bool keep_highest = false;

  static void declare(AttrDeclarer<ReshapeParam>& d) {
    d.field("shape", &ReshapeParam::shape)
        .at_least(-4)
        .help(
            "0 keeps a size, -1 is what is left, -2 keeps all the rest, -3 merges two, -4 splits "
            "one into the two that follow");
    d.field("reverse", &ReshapeParam::reverse)
        .help("match `shape` with the sizes from right to left");
    d.field("target_shape", &ReshapeParam::target_shape)
        .at_least(-1)
        .help("old spelling, without `shape`: one 0 is what is left");
    d.field("keep_highest", &ReshapeParam::keep_highest)
        .help("with `target_shape`: keep the first size");
  }
};

struct NpxReshapeParam {
  Tuple newshape;
  bool reverse = false;

  static void declare(AttrDeclarer<NpxReshapeParam>& d) {
    d.field("newshape", &NpxReshapeParam::newshape)
        .required()
        .at_least(-6)
        .help(
            "-1 is what is left, -2 keeps a size, -3 drops a size of 1, -4 keeps all the rest, -5 "
            "merges two, -6 splits one into the two that follow; 0 is a size");
    d.field("reverse", &NpxReshapeParam::reverse)
        .help("match `newshape` with the sizes from right to left");
    d.ignore({"order"});
  }
};

/// The shape that Reshape's codes make of another one; a code that is not a number is a free size.
/// Fails with kModel if they do not apply.
Shape reshaped(std::vector<Dim> codes, const Shape& from);

/// The shape rule for the first input and the first output, of whatever types.
void infer_reshaped(const ReshapeParam& p, InferContext& c);
void infer_reshaped(const NpxReshapeParam& p, InferContext& c);

/// Fails with kModel: `newshape` does not apply to an input of this shape.
[[noreturn]] void fail_newshape(const Tuple& shape, const Shape& from, std::string_view why);

/// What the -1 of `newshape` stands for beside the other sizes of `to`, where it is 1.
Dim what_is_left(const Tuple& shape, const Shape& from, const std::vector<Dim>& to);

}  // namespace mx2onnx
