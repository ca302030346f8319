// data/viewer.html, the page that shows a model; web/ is what it is made of.
#pragma once

#include <span>

namespace mx2onnx::picture {

std::span<const unsigned char> viewer_page();

}  // namespace mx2onnx::picture
