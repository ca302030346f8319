#include "source/find_model.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/zip_directory.h"
#include "source/checkpoints.h"
#include "source/container.h"
#include "source/kind.h"

namespace mx2onnx::source {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelExpected = "a model of MXNet";
constexpr std::string_view kParamsExpected = "a parameter file of MXNet";

// Of a URL's scheme: s3 has a digit.
bool is_scheme_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void check_not_url(const std::string& name) {
  const auto colon = name.find("://");
  if (colon == std::string::npos || colon == 0 ||
      !std::all_of(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(colon),
                   is_scheme_letter)) {
    return;
  }
  const std::string scheme = lower(name.substr(0, colon));
  std::string next = "download it and name the file";
  if (scheme == "http" || scheme == "https" || scheme == "ftp")
    next = fmt::format("curl -LO '{}'", name);
  if (scheme == "s3") next = fmt::format("aws s3 cp '{}' .", name);
  if (scheme == "gs") next = fmt::format("gsutil cp '{}' .", name);
  if (scheme == "file") next = fmt::format("name the path alone: '{}'", name.substr(colon + 3));
  fail_at({.file = name}, ErrorCode::kUsage,
          "this is a URL, and nothing is fetched from the network", next);
}

// PyTorch's files are zip archives with a pickle in them.
void check_not_torch(const FilePart& archive) {
  for (const auto& entry : read_zip_directory(archive.bytes())) {
    if (!entry.name.ends_with("/data.pkl")) continue;
    fail_at({.file = archive.name}, ErrorCode::kFormat,
            fmt::format("expected {}, found a model of PyTorch", kModelExpected),
            "torch.onnx.export converts it");
  }
}

bool is_symbol_kind(Kind kind) { return kind == Kind::kJson || kind == Kind::kUtf16; }

class Finder {
 public:
  Finder(const Source& source, Unpacker& unpacker)
      : source_(source), unpacker_(unpacker), name_(source.symbol_path.native()) {
    for (const auto& path : source.param_paths) paths_.push_back(path.native());
  }

  FoundModel find() {
    if (!source_.symbol_json.empty()) {
      check_no_epoch();
      FoundModel model;
      model.symbol_name = name_;
      model.symbol_text = Text(source_.symbol_json);
      return with_given_parameters(std::move(model));
    }
    check_not_url(name_);
    std::error_code ignored;
    const auto status = fs::status(name_, ignored);
    if (fs::is_directory(status)) {
      const auto folder = open_folder(name_, unpacker_);
      return with_given_parameters(find_model_in(*folder, source_, unpacker_));
    }
    if (!fs::exists(status)) return with_given_parameters(find_by_prefix());
    return find_in_file();
  }

 private:
  void check_no_epoch() const {
    if (!source_.epoch) return;
    fail_at({.file = name_}, ErrorCode::kUsage,
            "an epoch is chosen among files, and these are named already",
            "name the folder, or the beginning of the files' names, or leave out --epoch");
  }

  FoundModel find_in_file() {
    FilePart file = open(name_);
    const Kind kind = kind_of(file.bytes());
    const bool npz = kind == Kind::kZip && is_npz(file);
    if (kind == Kind::kTar || (kind == Kind::kZip && !npz)) {
      if (kind == Kind::kZip) check_not_torch(file);
      const auto archive = open_archive(std::move(file), unpacker_);
      return with_given_parameters(find_model_in(*archive, source_, unpacker_));
    }
    if (kind == Kind::kParameters || npz) return find_for_parameters(std::move(file));
    if (!is_symbol_kind(kind) && is_known_other(file.name, file.bytes()))
      fail_other(file.name, file.bytes(), kModelExpected);
    if (source_.epoch && paths_.empty()) return find_epoch_of_symbol();
    FoundModel model;
    model.symbol_name = name_;
    // What is unknown is taken for a symbol, whose reader says where it goes wrong.
    const ErrorScope scope = ErrorScope::file(name_);
    model.symbol_text = text_of_symbol(file);
    return with_given_parameters(std::move(model));
  }

  // The parameters are named first: the symbol is among the other files, or beside it.
  FoundModel find_for_parameters(FilePart params) {
    check_no_epoch();
    if (paths_.empty() && source_.arrays.empty())
      return find_model_of_parameters(source_, std::move(params), unpacker_);
    std::vector<std::string> symbols;
    for (const auto& path : paths_) {
      if (is_symbol_kind(kind_of(open(path).bytes()))) symbols.push_back(path);
    }
    if (symbols.size() != 1) {
      fail_at({.file = name_}, ErrorCode::kUsage,
              symbols.empty()
                  ? "expected a symbol of MXNet first, found a parameter file"
                  : fmt::format("of several symbols none is the model's: {}", list_names(symbols)),
              "mx2onnx convert model-symbol.json model-0000.params -o model.onnx");
    }
    FoundModel model;
    model.symbol_name = symbols[0];
    model.symbol_text = text_of_symbol(open(symbols[0]));
    model.notes.push_back(
        {"W-files-swapped", "",
         fmt::format("'{}' is the symbol, '{}' the parameters", symbols[0], name_)});
    model.params.push_back(std::move(params));
    model.files.push_back(name_);
    for (const auto& path : paths_) {
      model.files.push_back(path);
      if (path != symbols[0]) model.params.push_back(open_parameters(path));
    }
    return model;
  }

  FoundModel find_epoch_of_symbol() {
    const std::string prefix = prefix_of(name_);
    Source by_prefix = source_;
    by_prefix.symbol_path = prefix;
    return Finder(by_prefix, unpacker_).find_by_prefix();
  }

  // The files of a prefix are a folder's whose names begin so.
  FoundModel find_by_prefix() {
    const fs::path path(name_);
    const std::string folder_name = path.has_parent_path() ? path.parent_path().string() : ".";
    std::error_code ignored;
    if (name_.empty() || !fs::is_directory(folder_name, ignored)) fail_missing({});
    const auto folder = open_folder(folder_name, unpacker_);
    const std::string prefix = path.filename().string();
    const auto& names = folder->members();
    std::string symbol;
    for (const auto* end : {"-symbol.json", "-symbol.json.gz"}) {
      if (symbol.empty() && std::binary_search(names.begin(), names.end(), prefix + end))
        symbol = prefix + end;
    }
    if (symbol.empty()) fail_missing(names);
    FoundModel model;
    const auto open_member = [&](const std::string& name) {
      const std::string shown = path.has_parent_path() ? folder->path_of(name) : name;
      model.files.push_back(shown);
      return open(shown);
    };
    const FilePart part = open_member(symbol);
    if (!is_symbol_kind(kind_of(part.bytes())))
      fail_other(part.name, part.bytes(), "a symbol of MXNet");
    model.symbol_name = part.name;
    model.symbol_text = text_of_symbol(part);
    if (paths_.empty() && source_.arrays.empty()) {
      const ErrorScope scope = ErrorScope::file(name_);
      const Checkpoint checkpoint = find_parameters(names, symbol, source_.epoch, false);
      for (const auto& name : checkpoint.params) model.params.push_back(open_member(name));
      if (auto note = epoch_note(checkpoint, source_.epoch))
        model.notes.push_back(std::move(*note));
    }
    return model;
  }

  [[noreturn]] void fail_missing(const std::vector<std::string>& names) {
    const std::string wanted = fs::path(name_).filename().string();
    std::vector<std::string> bases;
    for (const auto& name : names) {
      bases.push_back(name);
      if (name.ends_with("-symbol.json")) bases.push_back(prefix_of(name));
    }
    // The system may have other words for why it cannot be read.
    if (names.empty()) MappedFile::open(name_);
    const auto like = wanted.empty() ? std::vector<std::string>() : nearest(wanted, bases, 1);
    fail_at({.file = name_}, ErrorCode::kIo, "cannot be read: No such file or directory",
            like.empty() ? ""
                         : fmt::format("did you mean '{}'?",
                                       fs::path(name_).replace_filename(like[0]).string()));
  }

  FilePart open(const std::string& path) {
    return gunzip_if_packed(open_file(path, unpacker_), unpacker_);
  }

  FilePart open_parameters(const std::string& path) {
    check_not_url(path);
    FilePart part = open(path);
    switch (kind_of(part.bytes())) {
      case Kind::kParameters:
      case Kind::kZip:
        return part;
      case Kind::kJson:
      case Kind::kUtf16:
        fail_at({.file = path}, ErrorCode::kFormat,
                fmt::format("expected {}, found JSON", kParamsExpected),
                "name each model by itself: a symbol, then its parameters");
      case Kind::kTar:
        fail_at({.file = path}, ErrorCode::kFormat,
                fmt::format("expected {}, found an archive", kParamsExpected),
                "an archive with a whole model is named alone");
      case Kind::kGzip:
        fail_at({.file = path}, ErrorCode::kFormat,
                fmt::format("expected {}, found gzip in gzip", kParamsExpected));
      case Kind::kOther:
        break;
    }
    fail_other(path, part.bytes(), kParamsExpected);
  }

  FoundModel with_given_parameters(FoundModel model) {
    if (source_.epoch && !paths_.empty()) check_no_epoch();
    if (model.files.empty() && source_.symbol_json.empty()) model.files.push_back(name_);
    for (const auto& path : paths_) {
      model.params.push_back(open_parameters(path));
      model.files.push_back(path);
    }
    return model;
  }

  const Source& source_;
  Unpacker& unpacker_;
  std::string name_;
  std::vector<std::string> paths_;
};

}  // namespace

FoundModel find_model(const Source& source, Unpacker& unpacker) {
  return Finder(source, unpacker).find();
}

}  // namespace mx2onnx::source
