// Weights as integers of few bits, a scale for each block of them, rounded while they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "ir/tensor.h"

namespace mx2onnx::passes {

/// What rounding did to the elements of a weight; known once it is written.
struct BlockLosses {
  std::string name;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;  ///< With the scales.
  double squares = 0;             ///< Of the elements that are finite, summed.
  double squared_errors = 0;      ///< Of what these became.
  std::uint64_t not_finite = 0;   ///< A NaN became 0, an infinity the largest number of its block.
};

/// The integers, as int8 whatever their bits, and a scale for each block; an element is the
/// product.
struct BlockWeight {
  Tensor codes;
  Tensor scales;
};

/// A float32 matrix in blocks of `block` elements along `axis`, the last one of which may be
/// shorter, with as many `bits`, 8 or 4. An integer is the element divided by its scale, to
/// nearest, ties to even, and there is no zero point. The scale is the largest magnitude of the
/// block divided by 127; of 4 bits divided by 7 or by 8, whichever errs less (8 cuts what comes
/// near 8 above 0). It is 1 for a block of zeros. Nothing is held in memory; `losses` is filled
/// when the codes are read from front to back.
BlockWeight in_blocks(const Tensor& matrix, std::size_t axis, int bits, std::int64_t block,
                      std::shared_ptr<BlockLosses> losses);

/// Codes of 4 bits as int4.
Tensor as_int4(const Tensor& codes);

/// The codes of a matrix in blocks along axis 1 as MatMulNBits takes them: unsigned, from the
/// lowest number of so many bits up, and rows of whole blocks.
Tensor as_nbits(const Tensor& codes, int bits, std::int64_t block);

}  // namespace mx2onnx::passes
