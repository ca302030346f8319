// See mx2onnx/picture.h.
#include "mx2onnx/picture.h"

#include "base/attempt.h"
#include "base/interruption.h"
#include "convert/look.h"
#include "picture/sides.h"

namespace mx2onnx {

Picture make_picture(const Source& source, const ConvertOptions& options,
                     const PictureOptions& looks) {
  Look look = look_at(source, options, true);
  const InterruptionScope interruptions(options.checkpoint);
  return with_system_errors(source.symbol_path.native(), [&] {
    Picture result;
    result.name = source.symbol_path.filename().native();
    picture::StatisticsReader statistics(looks.most_numbers);
    if (look.inspection.kind == FileKind::kOnnx) {
      const auto file = MappedFile::open(source.symbol_path.native());
      result.graphs.push_back(picture::stored_side(file, look.inspection, statistics));
    } else if (look.conversion.model) {
      result.graphs.push_back(picture::mxnet_side(look, statistics));
      if (look.inspection.converts)
        result.graphs.push_back(picture::onnx_side(look, result.graphs.front(), statistics));
    }
    fail_if_shrunk();
    result.inspection = std::move(look.inspection);
    return result;
  });
}

}  // namespace mx2onnx
