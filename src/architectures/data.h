// The packed nets, as tools/gen_architectures.py writes them. They lie in the program itself, so
// that a wheel, a copied binary and WebAssembly have them; pages that nobody reads are not loaded.
#pragma once

#include <span>

namespace mx2onnx::architectures {

/// data/architectures.bin; empty in a build without it (MX2ONNX_ARCHITECTURES).
std::span<const unsigned char> packed_nets();

}  // namespace mx2onnx::architectures
