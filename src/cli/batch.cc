// Several models at once, into a folder.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "mx2onnx/printable.h"
#include "mx2onnx/report.h"

namespace mx2onnx::cli {
namespace {

namespace fs = std::filesystem;

struct Result {
  std::string name;
  std::string output;
  Report report;
  std::optional<Error> failed;
};

std::string_view kind_of_failure(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return "wrong use";
    case ErrorCode::kIo:
      return "cannot be read or written";
    case ErrorCode::kFormat:
      return "malformed file";
    case ErrorCode::kModel:
      return "parts do not fit";
    case ErrorCode::kUnsupported:
      return "needs what is not supported";
    case ErrorCode::kInternal:
      break;
  }
  return "a bug of mx2onnx";
}

std::vector<Result> name_outputs(const Batch& batch) {
  std::vector<Result> results;
  std::map<std::string, std::string> sources;
  for (const auto& source : batch.sources) {
    Result result;
    const std::string name = model_name(source.symbol_path);
    result.name = printable(name);
    result.output = (fs::path(batch.folder) / (name + ".onnx")).string();
    const auto [known, is_new] = sources.emplace(result.output, source.symbol_path.string());
    if (!is_new) {
      throw Error(ErrorCode::kUsage, {.file = result.output},
                  fmt::format("'{}' and '{}' would both become this file", printable(known->second),
                              printable(source.symbol_path.string())),
                  "convert them into two folders");
    }
    results.push_back(std::move(result));
  }
  return results;
}

void convert_one(const Batch& batch, const Source& source, Result& result) {
  try {
    result.report = convert_to_file(source, result.output, batch.options);
  } catch (const Error& error) {
    result.failed = error;
  } catch (const std::exception& error) {
    result.failed =
        Error(ErrorCode::kInternal, {.file = source.symbol_path.string()}, error.what(), "");
  }
}

void print_table(const std::vector<Result>& results) {
  constexpr std::size_t kWidest = 40;
  std::size_t width = 5;
  for (const auto& result : results) width = std::max(width, std::min(result.name.size(), kWidest));
  fmt::print("{:{}}  {:>5}  {:>6}  {:>9}\n", "model", width, "opset", "nodes", "weights");
  for (const auto& result : results) {
    if (result.failed) {
      fmt::print("{:{}}  failed ({}): {}\n", result.name, width,
                 static_cast<int>(result.failed->code()), kind_of_failure(result.failed->code()));
    } else {
      fmt::print("{:{}}  {:>5}  {:>6}  {:>9}\n", result.name, width, result.report.opset,
                 result.report.num_onnx_nodes, size_text(result.report.parameter_bytes));
    }
  }
}

// A list of what --json prints of one model: its report or its error.
void print_json(const std::vector<Result>& results) {
  std::string text;
  for (const auto& result : results) {
    text += text.empty() ? "[\n" : ",\n";
    text += result.failed ? to_json(*result.failed) : to_json(result.report);
  }
  fmt::print("{}\n]\n", text);
}

// What was said of a model, as soon as it is done.
void print_messages(const Result& result) {
  for (const auto& diagnostic : result.report.diagnostics) {
    print_warning(fmt::format("{}: {} [{}]", result.name, diagnostic.message, diagnostic.id));
  }
  if (result.failed) print_error(result.failed->what());
}

}  // namespace

std::string model_name(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();
  std::string name = path.filename().string();
  if (name == "." || name == "..")
    name = fs::weakly_canonical(fs::absolute(path)).filename().string();
  for (const std::string_view end : {".gz", ".tgz", ".tar", ".zip", ".mar", ".model",
                                     "-symbol.json", ".json", ".params", ".npz"}) {
    if (name.size() > end.size() && std::string_view(name).ends_with(end))
      name.resize(name.size() - end.size());
  }
  return name;
}

bool is_folder(const std::string& output) {
  std::error_code ignored;
  return output.ends_with('/') || fs::is_directory(output, ignored);
}

int convert_batch(const Batch& batch) {
  auto results = name_outputs(batch);
  std::error_code error;
  fs::create_directories(batch.folder, error);
  if (error) {
    throw Error(ErrorCode::kIo, {.file = batch.folder},
                fmt::format("cannot be made: {}", error.message()), "");
  }
  std::atomic<std::size_t> next = 0;
  std::mutex printing;
  const auto work = [&] {
    for (std::size_t i = next++; i < results.size(); i = next++) {
      convert_one(batch, batch.sources[i], results[i]);
      const std::scoped_lock lock(printing);
      print_messages(results[i]);
    }
  };
  std::vector<std::thread> threads;
  const auto others = std::min<std::size_t>(batch.jobs, results.size());
  for (std::size_t i = 1; i < others; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();

  if (batch.json) {
    print_json(results);
  } else if (!batch.quiet) {
    print_table(results);
  }
  std::fflush(stdout);
  std::size_t failed = 0;
  int worst = 0;
  bool is_bug = false;
  for (const auto& result : results) {
    if (!result.failed) continue;
    ++failed;
    worst = std::max(worst, static_cast<int>(result.failed->code()));
    is_bug = is_bug || result.failed->code() == ErrorCode::kInternal;
  }
  if (failed > 0)
    print_error(fmt::format("mx2onnx: {} of {} models were not converted", failed, results.size()));
  return is_bug ? static_cast<int>(ErrorCode::kInternal) : worst;
}

}  // namespace mx2onnx::cli
