#include "convert/output_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <system_error>

#include "base/error.h"
#include "base/mapping_faults.h"
#include "base/output_file.h"

namespace mx2onnx {
namespace {

namespace fs = std::filesystem;

// Data files of one output: each conversion leaves one, and a killed one may have left its own.
constexpr unsigned kMostDataFiles = 64;

fs::path data_path(const fs::path& output, unsigned number) {
  fs::path path = output;
  path += number == 0 ? ".data" : fmt::format(".{}.data", number);
  return path;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

fs::path free_data_path(const fs::path& output) {
  unsigned number = 0;
  while (number + 1 < kMostDataFiles && is_there(data_path(output, number))) ++number;
  return data_path(output, number);
}

// A link's target is what is written.
fs::path without_links(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const auto resolved = fs::canonical(path, error);
  return error ? path : resolved;
}

/// Keeps other conversions from giving files in this folder their names. Where the file system has
/// no locks it does nothing.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : descriptor_(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ >= 0) ::flock(descriptor_, LOCK_EX);
  }
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

/// Removes the file unless it is kept.
class Provisional {
 public:
  explicit Provisional(fs::path path) : path_(std::move(path)) {}
  ~Provisional() {
    std::error_code ignored;
    if (!kept_) fs::remove(path_, ignored);
  }
  Provisional(const Provisional&) = delete;
  Provisional& operator=(const Provisional&) = delete;
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

void expect_no_input(const std::vector<std::string>& inputs, const fs::path& output) {
  for (const auto& path : inputs) {
    std::error_code ignored;  // One of them is not there.
    if (fs::equivalent(path, output, ignored)) {
      fail_at({.file = output.native()}, ErrorCode::kUsage, "the output is also an input");
    }
  }
}

}  // namespace

void check_output(const std::vector<std::string>& inputs, const fs::path& output, bool has_data) {
  expect_no_input(inputs, output);
  for (unsigned number = 0; has_data && number < kMostDataFiles; ++number) {
    const fs::path data = data_path(output, number);
    if (number > 0 && !is_there(data)) break;
    expect_no_input(inputs, data);
  }
}

WrittenFiles write_model_file(const onnx::ModelWriter& writer, const fs::path& output,
                              const onnx::WriteProgress& progress, const LastCheck& last_check) {
  OutputFile sink(output.native());
  writer.write(sink, progress);
  fail_if_shrunk();
  if (last_check) last_check();
  sink.commit();
  return {sink.size(), {}};
}

WrittenFiles write_model_and_data(onnx::ModelWriter& writer, const fs::path& output,
                                  const onnx::WriteProgress& progress,
                                  const LastCheck& last_check) {
  const fs::path target = without_links(output);
  std::error_code ignored;
  const auto type = fs::status(target, ignored).type();
  if (type != fs::file_type::regular && type != fs::file_type::not_found &&
      type != fs::file_type::directory) {
    fail_at({.file = output.native()}, ErrorCode::kUsage,
            "the weights in a file of their own need a file to lie beside",
            "write the model to a file");
  }
  fs::path path = free_data_path(target);
  writer.use_data_file(path.filename().native());
  OutputFile data(path.native());
  OutputFile model(output.native());
  writer.write_data(data, progress);
  fail_if_shrunk();

  const FolderLock lock(target.parent_path());
  if (const fs::path now = free_data_path(target); now != path) {
    path = now;
    writer.use_data_file(path.filename().native());
  }
  writer.write(model, progress);
  fail_if_shrunk();
  if (last_check) last_check();
  data.commit_as(path.native());
  Provisional provisional(path);
  model.commit();
  provisional.keep();
  for (unsigned number = 0; number < kMostDataFiles; ++number) {
    const fs::path old = data_path(target, number);
    if (old != path) fs::remove(old, ignored);
  }
  return {model.size() + data.size(), path.native()};
}

}  // namespace mx2onnx
