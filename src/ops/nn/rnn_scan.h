// One direction of a recurrent layer as a Scan over its steps, for what ONNX's LSTM, GRU and RNN
// lack: an LSTM's projection, and kernels of float64.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

enum class RnnMode { kGru, kLstm, kRnnRelu, kRnnTanh };

/// The weights of a direction, of one dtype, with the gates in MXNet's order (LSTM i, f, c, o; GRU
/// r, z, n).
struct RnnDirectionWeights {
  onnx::Value input;             ///< (gates * size, features)
  onnx::Value recurrent;         ///< (gates * size, recurrent size)
  onnx::Value projection;        ///< (recurrent size, size), or absent.
  onnx::Value input_biases;      ///< (gates * size)
  onnx::Value recurrent_biases;  ///< (gates * size)
};

/// The states after the last step, (batch, recurrent size) and (batch, size), and the sequence,
/// (length, batch, recurrent size). Only an LSTM has a cell.
struct RnnDirectionResult {
  onnx::Value state, cell, sequence;
};

/// Runs over a sequence (length, batch, features) from the states (batch, …), from its end if
/// `backwards`. The formulas are those of src/operator/rnn_impl.h.
RnnDirectionResult scan_direction(onnx::Builder& b, RnnMode mode, bool backwards,
                                  const RnnDirectionWeights& weights, onnx::Value sequence,
                                  onnx::Value state, onnx::Value cell);

}  // namespace mx2onnx
