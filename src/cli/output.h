// Where converted models go other than into one named file: standard output, or a folder of many.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mx2onnx/convert.h"

namespace mx2onnx::cli {

/// True for "-", for the names that the system has for it, and for the device or pipe that it is.
bool is_standard_output(const std::string& output);

/// Writes out what has been printed. Fails with kIo if it could not be.
void finish_standard_output();

/// Writes the model to standard output. Fails with kUsage if that is a terminal.
Report convert_to_standard_output(const Source& source, const ConvertOptions& options);

/// True for an output that ends with a slash, or is a folder that exists.
bool is_folder(const std::string& output);

/// "resnet" of "models/resnet-symbol.json", "resnet.tar.gz" and "resnet/".
std::string model_name(std::filesystem::path path);

struct Batch {
  std::vector<Source> sources;
  std::string folder;
  ConvertOptions options;
  unsigned jobs = 1;
  bool quiet = false;
  bool json = false;
};

/// Converts each into FOLDER/NAME.onnx, `jobs` of them side by side, and prints a table or, as
/// JSON, a list of reports and errors. Returns the exit code of the worst: a bug's, else the
/// largest.
int convert_batch(const Batch& batch);

}  // namespace mx2onnx::cli
