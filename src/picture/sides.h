// The graphs of a picture.
#pragma once

#include <memory>

#include "base/mapped_file.h"
#include "convert/look.h"
#include "mx2onnx/picture.h"
#include "picture/statistics.h"

namespace mx2onnx::picture {

/// The model as MXNet has it: its live operators, in order.
PictureGraph mxnet_side(const Look& look, StatisticsReader& statistics);

/// The ONNX graph of a conversion that is done and was traced; `mxnet` gets its counterparts.
PictureGraph onnx_side(const Look& look, PictureGraph& mxnet, StatisticsReader& statistics);

/// An ONNX file, of which `inspection` tells.
PictureGraph stored_side(const std::shared_ptr<const MappedFile>& file,
                         const Inspection& inspection, StatisticsReader& statistics);

}  // namespace mx2onnx::picture
