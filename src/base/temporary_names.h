// The names of temporary files beside their targets: "model.onnx.mx2onnx-0.tmp". Whoever writes one
// holds a lock on it, so that those that a killed process has left are known and removed.
#pragma once

#include <string>

namespace mx2onnx {

/// A name for a temporary file that nobody has. Removes those of the target that no process holds.
std::string free_temporary_name(const std::string& target);

/// Says that the file of this descriptor is being written, as long as the process lives.
void hold_temporary(int descriptor);

/// From here on the file is removed when a signal ends the process (mx2onnx/signals.h). The text
/// must not move until `forget_temporary` is called with the same pointer.
void remember_temporary(const char* name);
void forget_temporary(const char* name);

/// Removes them all. May be called in a signal handler.
void remove_remembered();

}  // namespace mx2onnx
