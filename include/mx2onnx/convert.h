// Converting a model: the library's main door.
//
//   mx2onnx::ConvertOptions options;  // what it says of inputs is optional
//   options.inputs = {mx2onnx::parse_input("data:batch,3,224,224")};
//   mx2onnx::Report report = mx2onnx::convert_files("model-symbol.json", {"model-0000.params"},
//                                                   "model.onnx", options);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mx2onnx/custom_operator.h"
#include "mx2onnx/error.h"
#include "mx2onnx/export.h"
#include "mx2onnx/report.h"

namespace mx2onnx {

/// The opsets that can be written, and the one that is written unless asked otherwise: every
/// runtime we tried takes 17.
constexpr int kFirstOpset = 12;
constexpr int kLastOpset = 28;
constexpr int kDefaultOpset = 17;

/// The domain of operators that are not translated, if the user allows one and does not name it.
constexpr const char* kDefaultCustomDomain = "org.apache.mxnet";

/// What is known of one input of the model.
struct InputSpec {
  std::string name;
  /// Sizes as text: numbers, names of free sizes, or "?", "-1", "None" and "0" for those that are
  /// not known (under NumPy's shape semantics 0 is a size). Those the model determines, or they
  /// stay free under names such as "batch" and "height". Empty if all of the shape is not known.
  std::optional<std::vector<std::string>> dims;
  /// NumPy's name of the element type; empty if the model determines it (else float32).
  std::string dtype;
};

/// Parses `NAME:DIMS:DTYPE`, as the command line takes it (`data:batch,3,224,224:float32`). Throws
/// Error with kUsage.
MX2ONNX_EXPORT InputSpec parse_input(std::string_view text);

/// A new name for parameters: `*` in `from` matches any text, and the k-th `*` of `to` stands for
/// what the k-th of `from` matched.
struct RenameRule {
  std::string from;
  std::string to;
};

/// Parses `old=new`, as the command line takes it. Throws Error with kUsage, naming the option.
MX2ONNX_EXPORT RenameRule parse_rename(std::string_view option, std::string_view text);

/// The preparation of an image that becomes part of the converted model. The ONNX input is then the
/// image as a camera or a file gives it, and the MXNet model's input is
///
///   (image * scale - mean) / std
///
/// computed in this order in the element type of the MXNet model's input, as GluonCV's `ToTensor`
/// and `Normalize` do with a scale of 1/255.
struct Preprocessing {
  /// The input; empty for the only input that has three dimensions or more.
  std::string input;
  std::vector<double> mean;  ///< One value, or one per channel; empty for 0.
  std::vector<double> std;   ///< One value, or one per channel; empty for 1.
  std::string scale;         ///< A number, or a fraction such as "1/255"; empty for 1.
  /// "NHWC" if the image has its channels last; empty or "NCHW" if they are axis 1, as MXNet has
  /// them. ConvertOptions::inputs has MXNet's order in any case.
  std::string layout;
  std::string dtype;  ///< Element type of the image, "uint8"; empty for the model's own.
};

struct ConvertOptions {
  int opset = kDefaultOpset;
  /// Writes a higher opset where the model needs one, and says so.
  bool raise_opset = false;
  /// What is known of inputs; the model and its weights determine the rest.
  std::vector<InputSpec> inputs;
  /// A number for the size `batch`.
  std::optional<std::int64_t> batch;
  /// Makes all sizes that would stay free the numbers that people take for them.
  bool fixed_sizes = false;
  /// Values that become the outputs, instead of the file's: names of outputs as MXNet's
  /// `list_outputs` has them (`relu1_output`), or of nodes, for their first output. Empty for the
  /// file's own.
  std::vector<std::string> outputs;
  /// New names for inputs and outputs of the ONNX model, by their old ones; all at once, so that
  /// two can trade names.
  std::map<std::string, std::string> rename;
  std::optional<Preprocessing> preprocessing;
  /// The net that parameters without a symbol are of ("resnet50_v1"); empty to know it by them.
  std::string architecture;
  /// Fills in what preprocessing does not say, where the net of parameters without a symbol is one
  /// whose pictures are prepared in a known way: the input is then a picture of RGB bytes, NHWC.
  bool prepare = false;
  /// Rules for the names of stored parameters, in order: the first one that matches a name renames
  /// it.
  std::vector<RenameRule> rename_params;
  /// Fills parameters that no file has with seeded random numbers instead of failing.
  bool random_weights = false;
  /// The version of MXNet that wrote the symbol, "0.7": decides what operators mean that changed
  /// between versions. Empty for what the file says; else it holds against the file.
  std::string mxnet_version;
  /// Takes every Dropout for a plain one, also those that MXNet draws for at inference
  /// (`mode=always`).
  bool no_dropout = false;
  /// How layers of a model that MXNet quantised are written: "qdq", as operators on float32 between
  /// DequantizeLinear and QuantizeLinear; "qlinear", as operators on integers; "float", as the
  /// float network, in which nothing is rounded.
  std::string quantized_form = "qdq";
  /// Runtimes that the model is for, by their names (`lint_runtimes`): decides the opset, with
  /// `raise_opset`, fixes sizes that would stay free where these cost one of them something, spells
  /// otherwise what one gets wrong, and says what remains (`W-target-refuse`, `W-target-wrong`…).
  std::vector<std::string> targets;
  bool optimize = true;
  /// Passes left out of the pipeline, by name.
  std::vector<std::string> disabled_passes;
  /// Writes weights to `<output>.data` beside the model, or to `<output>.1.data` and so on while a
  /// file has this name; data files of earlier conversions go. Done in any case if the model would
  /// pass protobuf's limit of 2 GB.
  bool external_data = false;
  /// The model refers to its weights of 1 KiB and more in the parameter files where they lie, which
  /// are not copied: they have to stay where they are, at the same place relative to the model, and
  /// lie in its folder or below. Passes that change weights are left out; what no file has as it is
  /// (weights of an RNN in another order) goes to a data file as with `external_data`. Fails with
  /// kUsage if the files are compressed or lie elsewhere.
  bool weights_in_place = false;
  /// Operators of the user's own. Of two with one name the later one counts.
  std::vector<std::shared_ptr<const CustomOperator>> operators;
  /// If set, operators that are not translated become nodes of this domain, for a runtime that has
  /// kernels for them: with their attributes, and outputs whose shape is not known unless the node
  /// has `__shape__`.
  std::string custom_domain;
  /// "float32", or what products are computed in instead, from weights rounded to it while they are
  /// written: "float16", where operators that would lose too much stay float32; or "bfloat16",
  /// which weights alone are stored in, as ONNX Runtime has no kernels that compute in it (opset 13
  /// and up). Inputs and outputs stay float32.
  std::string precision = "float32";
  /// Float32 inputs and outputs become float16, too, but those for positions and ids. With
  /// "float16" alone.
  bool half_ports = false;
  /// "float32", or what the weights of products and the rows of embeddings are stored in: "int8" or
  /// "int4", in blocks with a scale each (opset 21 and up). All that is computed stays float32.
  /// "int4" stores rows of embeddings as int8, as ONNX Runtime picks no rows of int4. Excludes
  /// `precision` and `weights_in_place`.
  std::string weights = "float32";
  /// How a product takes its weights: "DequantizeLinear", of which runtimes make what they have; or
  /// "MatMulNBits", ONNX Runtime's own operator (domain com.microsoft).
  std::string weights_operator = "DequantizeLinear";
  /// Elements of a block, along the axis that a product sums over: 16, 32, 64, 128 or 256.
  std::int64_t weights_block = 32;
  /// What stays float32: names of nodes or operators of the ONNX graph, with `*` for any text.
  std::vector<std::string> keep_float32;
  /// Called while the model is written: bytes done, bytes in all, which are the same at the end.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
  /// Called often, in all phases, on the thread that converts. An exception that it throws ends the
  /// conversion, and nothing is left behind.
  std::function<void()> checkpoint;
};

/// An array that the caller holds, instead of a parameter file.
struct ParameterArray {
  std::string name;  ///< With or without `arg:` or `aux:`.
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;   ///< Row-major, little-endian.
  std::shared_ptr<const void> owner;  ///< Keeps the bytes alive; may be null if the caller does.
};

/// Reads a symbol file and any number of parameter files (or, without these, whatever
/// Source::symbol_path may be) and writes `output`. Nothing is written if
/// it fails. Throws Error.
MX2ONNX_EXPORT Report convert_files(const std::filesystem::path& symbol_path,
                                    const std::vector<std::filesystem::path>& param_paths,
                                    const std::filesystem::path& output,
                                    const ConvertOptions& options = {});

/// A model to convert, from files, from memory, or both.
struct Source {
  /// Path of the symbol; or of whatever else has a model in it: a folder, an archive (`.tar.gz`,
  /// `.tar`, `.zip`, `.mar`), what the names of a checkpoint's files begin with ("model" for
  /// "model-symbol.json" and "model-0000.params"). Any name, for messages, if there is a text.
  std::filesystem::path symbol_path;
  std::string symbol_json;  ///< The symbol's text.
  /// Parameter files. If there are none, those are taken that belong to a folder's, an archive's or
  /// a prefix' symbol.
  std::vector<std::filesystem::path> param_paths;
  std::vector<ParameterArray> arrays;
  /// Which of a checkpoint's epochs; the newest unless set.
  std::optional<std::int64_t> epoch;
  /// Bytes that small files may become: compressed and sparse ones, and the model that is made.
  /// Unless set, 100 times their size, but at least 64 MiB and at most 64 GiB.
  std::optional<std::uint64_t> unpack_limit;
};

/// Sorts what a user names into models: a symbol, a folder, an archive and a checkpoint's prefix
/// begin one each; parameter files belong to the symbol before them, or after them if their names
/// say so. A symbol without parameter files stands for its checkpoint.
MX2ONNX_EXPORT std::vector<Source> group_models(const std::vector<std::filesystem::path>& paths);

/// As convert_files, for any source.
MX2ONNX_EXPORT Report convert_to_file(const Source& source, const std::filesystem::path& output,
                                      const ConvertOptions& options = {});

/// The ONNX model's bytes instead of a file. Throws Error with kUnsupported if the model passes
/// protobuf's limit of 2 GB.
MX2ONNX_EXPORT std::pair<std::string, Report> convert_to_memory(const Source& source,
                                                                const ConvertOptions& options = {});

/// Hands the ONNX model's bytes to `write`, from the first to the last, without holding them: for
/// pipes and the like. Nothing is handed over if the model cannot be converted. Throws Error with
/// kUnsupported if the model passes protobuf's limit of 2 GB.
MX2ONNX_EXPORT Report convert_to_stream(
    const Source& source, const std::function<void(std::span<const std::byte>)>& write,
    const ConvertOptions& options = {});

/// The names of the passes, in the order in which they run.
MX2ONNX_EXPORT std::vector<std::string> pass_names();

}  // namespace mx2onnx
