// From what the user named to the parts of a model: files, a checkpoint's prefix, a folder, an
// archive; and a clear word where it is none of these.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file_part.h"
#include "base/unpack.h"
#include "mx2onnx/convert.h"
#include "mxnet/symbol.h"
#include "source/kind.h"

namespace mx2onnx::source {

struct FoundModel {
  std::string symbol_name;  ///< For messages; its last part is the file's name.
  Text symbol_text;
  std::vector<FilePart> params;
  /// What a model server's files say of the inputs. Of no weight against what the user says.
  std::vector<InputSpec> inputs;
  std::vector<std::string> labels;  ///< Of the classes, from synset.txt.
  std::vector<Diagnostic> notes;    ///< What was taken, where there was a choice.
  std::vector<std::string> files;   ///< On the disk, that must not be written over.
  /// There are parameters and no symbol. The net may be known by them.
  bool is_alone = false;
  std::optional<mxnet::Symbol> symbol;       ///< Of a known net, instead of the text.
  std::optional<Preprocessing> preparation;  ///< Of a known net, for ConvertOptions::prepare.
  /// What the ONNX file says of a known net, as pairs of texts.
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Finds the parts. Opens and maps files, unpacks what is compressed; the parameters themselves are
/// not read. Fails with kIo, kFormat, kUsage and kModel.
FoundModel find_model(const Source& source, Unpacker& unpacker);

/// The model of one parameter file: with the symbol that lies beside it, or alone.
FoundModel find_model_of_parameters(const Source& source, FilePart params, Unpacker& unpacker);

/// The model in an open folder or archive, or in the only archive that is in it (`is_inner` for
/// that one: it may have no further ones). The source says which epoch.
FoundModel find_model_in(class Container& container, const Source& source, Unpacker& unpacker,
                         bool is_inner = false);

}  // namespace mx2onnx::source
