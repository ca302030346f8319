// The model in a folder or an archive.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "source/checkpoints.h"
#include "source/container.h"
#include "source/facts.h"
#include "source/find_model.h"
#include "source/kind.h"

namespace mx2onnx::source {
namespace {

// Of a file that is read into memory as a whole, but for symbols.
constexpr std::size_t kMostFactBytes = 16 << 20;
// Where a symbol has its "nodes": at the beginning, if MXNet wrote it.
constexpr std::size_t kProbed = 4096;

std::string_view text_of(const FilePart& part) {
  return {reinterpret_cast<const char*>(part.bytes().data()), part.size};
}

// Told by their content: SageMaker's linear learner calls its zip archive `model_algo-1`.
std::vector<std::string> find_archives(Container& container) {
  constexpr std::size_t kMostLookedInto = 64;
  std::vector<std::string> archives;
  for (const auto& name : container.members()) {
    if (container.members().size() > kMostLookedInto) break;
    const auto kind = kind_of(container.open(name).bytes());
    const bool is_one_file = kind == Kind::kGzip && without_gz(name).ends_with(".json");
    if (kind == Kind::kZip || kind == Kind::kTar || (kind == Kind::kGzip && !is_one_file))
      archives.push_back(name);
  }
  return archives;
}

[[noreturn]] void fail_without_symbol(Container& container,
                                      const std::vector<std::string>& archives) {
  const auto& names = container.members();
  const auto params = parameter_names(names);
  const ErrorPlace place{.file = container.name()};
  if (!params.empty()) {
    const std::string path = container.path_of(params[0]);
    fail_at(place, ErrorCode::kModel,
            fmt::format("the {} has the parameters of several models ({}), and no symbol "
                        "(*-symbol.json)",
                        container.kind(), list_names(params)),
            path.empty() ? "unpack the archive and name one of them"
                         : fmt::format("name the one that is meant: '{}'", path));
  }
  if (!archives.empty()) {
    const std::string path = container.path_of(archives[0]);
    fail_at(place, ErrorCode::kModel,
            fmt::format("the {} has no model, but archives in it: {}", container.kind(),
                        list_names(archives)),
            path.empty() ? "unpack it and name the one that is meant"
                         : fmt::format("name the one that is meant: '{}'", path));
  }
  fail_at(place, ErrorCode::kModel,
          names.empty() ? fmt::format("the {} has no files", container.kind())
                        : fmt::format("the {} has no model of MXNet, but {}", container.kind(),
                                      list_names(names)),
          "a model is a *-symbol.json with its *.params");
}

[[noreturn]] void fail_several(Container& container, const std::vector<std::string>& symbols) {
  const std::string first = container.path_of(prefix_of(symbols[0]));
  fail_at({.file = container.name()}, ErrorCode::kModel,
          fmt::format("the {} has {} models: {}", container.kind(), symbols.size(),
                      list_names(symbols)),
          first.empty() ? "unpack the archive and name one of them"
                        : fmt::format("name one by the beginning of its files: '{}'", first));
}

// What is said of the model beside it; read from the symbol's folder.
void add_facts(Container& container, const std::string& symbol, FoundModel& model) {
  const auto slash = symbol.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : symbol.substr(0, slash + 1);
  const auto& names = container.members();
  const auto read = [&](const std::string& name, auto use) {
    if (!std::binary_search(names.begin(), names.end(), folder + name)) return;
    const FilePart part = container.open(folder + name);
    const ErrorScope scope = ErrorScope::file(part.name);
    if (part.size > kMostFactBytes) {
      fail(ErrorCode::kFormat,
           fmt::format("expected at most {} bytes, found {}", kMostFactBytes, part.size));
    }
    use(to_utf8(part.bytes()), part.name);
  };
  const auto take_inputs = [&](std::vector<InputSpec> inputs) { model.inputs = std::move(inputs); };
  read("model-shapes.json",
       [&](const std::string& text, const auto&) { take_inputs(read_model_shapes(text)); });
  read("signature.json",
       [&](const std::string& text, const auto&) { take_inputs(read_signature(text)); });
  read("synset.txt", [&](const std::string& text, const std::string& name) {
    model.labels = read_labels(text);
    if (model.labels.empty() && !text.empty()) {
      model.notes.push_back(
          {"W-labels-ignored", "", fmt::format("{} is not UTF-8: its labels are left out", name)});
    }
  });
}

// Opens a member that is part of the model.
FilePart open_part(Container& container, const std::string& name, Unpacker& unpacker,
                   FoundModel& model) {
  const std::string path = container.path_of(name);
  if (!path.empty()) model.files.push_back(path);
  return gunzip_if_packed(container.open(name), unpacker);
}

void add_parameters(Container& container, const std::string& symbol, const Source& source,
                    Unpacker& unpacker, FoundModel& model) {
  const Checkpoint found = find_parameters(container.members(), symbol, source.epoch, true);
  for (const auto& name : found.params)
    model.params.push_back(open_part(container, name, unpacker, model));
  if (auto note = epoch_note(found, source.epoch)) model.notes.push_back(std::move(*note));
}

// Parameters of one model without its symbol. The net may be known by them.
std::optional<FoundModel> find_alone(Container& container, const Source& source,
                                     Unpacker& unpacker) {
  const auto params = likely_parameters(parameter_names(container.members()));
  if (params.empty() || !source.param_paths.empty() || !source.arrays.empty()) return std::nullopt;
  const std::string prefix = parse_parameter_name(params[0]).prefix;
  if (std::any_of(params.begin(), params.end(), [&](const std::string& name) {
        return parse_parameter_name(name).prefix != prefix;
      })) {
    return std::nullopt;
  }
  FoundModel model;
  model.is_alone = true;
  add_parameters(container, prefix + "-symbol.json", source, unpacker, model);
  model.symbol_name = model.params.at(0).name;
  return model;
}

FoundModel find_in_inner(Container& container, const std::string& name, const Source& source,
                         Unpacker& unpacker) {
  FilePart file = gunzip_if_packed(container.open(name), unpacker);
  const auto kind = kind_of(file.bytes());
  if (kind != Kind::kZip && kind != Kind::kTar) fail_without_symbol(container, {name});
  const auto archive = open_archive(std::move(file), unpacker);
  FoundModel model = find_model_in(*archive, source, unpacker, true);
  const std::string path = container.path_of(name);
  if (!path.empty()) model.files.push_back(path);
  model.notes.insert(model.notes.begin(), {"W-archive-chosen", "",
                                           fmt::format("the archive '{}' in it is taken", name)});
  return model;
}

}  // namespace

FoundModel find_model_in(Container& container, const Source& source, Unpacker& unpacker,
                         bool is_inner) {
  const auto& names = container.members();
  const ErrorScope scope = ErrorScope::file(container.name());
  const auto symbols = find_symbols(names, [&](const std::string& name) {
    const FilePart part = gunzip_if_packed(container.open(name), unpacker);
    const auto kind = kind_of(part.bytes());
    if (kind != Kind::kJson && kind != Kind::kUtf16) return false;
    const auto first = part.bytes().first(std::min(part.size, kProbed));
    const std::string text = kind == Kind::kUtf16
                                 ? to_utf8(part.bytes())
                                 : std::string(text_of({part.file, "", part.offset, first.size()}));
    return text.find("\"nodes\"") != std::string::npos;
  });
  if (symbols.empty()) {
    if (auto alone = find_alone(container, source, unpacker)) return std::move(*alone);
    const auto archives =
        parameter_names(names).empty() ? find_archives(container) : std::vector<std::string>();
    if (archives.size() == 1 && !is_inner)
      return find_in_inner(container, archives[0], source, unpacker);
    fail_without_symbol(container, archives);
  }
  if (symbols.size() > 1) fail_several(container, symbols);

  FoundModel model;
  const FilePart symbol = open_part(container, symbols[0], unpacker, model);
  const Kind kind = kind_of(symbol.bytes());
  if (kind != Kind::kJson && kind != Kind::kUtf16)
    fail_other(symbol.name, symbol.bytes(), "a symbol of MXNet");
  model.symbol_name = symbol.name;
  model.symbol_text = text_of_symbol(symbol);
  if (source.param_paths.empty() && source.arrays.empty())
    add_parameters(container, symbols[0], source, unpacker, model);
  add_facts(container, symbols[0], model);
  return model;
}

}  // namespace mx2onnx::source
