// The attributes of what slides a window over the spatial axes of an array, and the sizes that
// follow from them: convolutions, pooling, im2col.
#pragma once

#include <cstdint>
#include <string>

#include "base/checked.h"
#include "ir/dim.h"
#include "ops/expressions/spatial.h"

namespace mx2onnx {

/// kernel, stride, dilate and pad: an element for each spatial axis, or none but in the kernel.
struct SlidingWindow {
  Tuple kernel;
  Tuple stride;
  Tuple dilate;
  Tuple pad;

  /// Declares them for windows of `fewest` to `most` axes.
  template <typename P>
  static void declare_window(AttrDeclarer<P>& d, std::size_t fewest, std::size_t most,
                             std::string kernel_help = "window of the filter") {
    d.field("kernel", &P::kernel)
        .required()
        .sizes(fewest, most)
        .at_least(1)
        .help(std::move(kernel_help));
    d.field("stride", &P::stride).sizes(0, most).at_least(1).help("1 for each axis if empty");
    d.field("dilate", &P::dilate).sizes(0, most).at_least(1).help("1 for each axis if empty");
    d.field("pad", &P::pad)
        .sizes(0, most)
        .at_least(0)
        .help("zeros at both ends; 0 for each axis if empty");
  }

  std::size_t rank() const { return kernel.size(); }
  Tuple strides() const { return spatial_tuple(stride, rank(), 1); }
  Tuple dilations() const { return spatial_tuple(dilate, rank(), 1); }
  Tuple pads() const { return spatial_tuple(pad, rank(), 0); }
  std::int64_t stride_at(std::size_t i) const { return strides()[i]; }
  std::int64_t dilate_at(std::size_t i) const { return dilations()[i]; }
  std::int64_t pad_at(std::size_t i) const { return pads()[i]; }
  /// Extent of the dilated window.
  std::int64_t window(std::size_t i) const {
    return checked_add(checked_mul(kernel[i] - 1, dilate_at(i)), 1);
  }
  /// How many windows there are along an axis of this size. Fails with kModel if none fits.
  Dim windows(std::size_t i, const Dim& size) const;
};

/// `size` with `pad` at both ends. Fails with kModel if a window does not fit into that.
Dim padded_size(const Dim& size, std::int64_t pad, std::int64_t window);

/// Says of an attribute of another number of elements than `expected` what is wrong with it; an
/// empty one is not.
void check_elements(std::string name, const Tuple& tuple, std::size_t expected,
                    std::vector<AttrProblem>& problems);

}  // namespace mx2onnx
