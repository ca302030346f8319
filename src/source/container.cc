#include "source/container.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "base/zip_directory.h"
#include "source/kind.h"
#include "source/tar.h"

namespace mx2onnx::source {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostMembers = 100'000;
// A zip's symbolic link has its target as content.
constexpr std::uint64_t kMostTargetBytes = 4096;
// Links to links end somewhere, or are refused.
constexpr int kMostLinks = 8;

/// The name without "." and with ".." resolved; nothing if it leads out of the archive.
std::optional<std::string> normalised(std::string_view name) {
  if (name.starts_with('/') || name.starts_with('\\')) return std::nullopt;
  if (name.size() > 1 && name[1] == ':') return std::nullopt;
  std::vector<std::string_view> parts;
  for (const auto part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

bool has_control_characters(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What archivers of Apple's add: attributes of the files, under names like theirs.
bool is_apple_double(std::string_view name) {
  const auto base = name.substr(name.rfind('/') + 1);
  return base.starts_with("._") || name.starts_with("__MACOSX/");
}

class Folder : public Container {
 public:
  Folder(std::string path, Unpacker& unpacker) : path_(std::move(path)), unpacker_(unpacker) {
    std::error_code error;
    fs::directory_iterator entries(path_, error);
    while (!error && entries != fs::directory_iterator()) {
      std::error_code ignored;
      if (entries->is_regular_file(ignored))
        members_.push_back(entries->path().filename().string());
      entries.increment(error);
    }
    if (error) {
      fail_at({.file = path_}, ErrorCode::kIo, fmt::format("cannot be read: {}", error.message()));
    }
    std::sort(members_.begin(), members_.end());
  }
  const std::string& name() const override { return path_; }
  std::string_view kind() const override { return "folder"; }
  const std::vector<std::string>& members() const override { return members_; }
  FilePart open(const std::string& member) override {
    return open_file(path_of(member), unpacker_);
  }
  std::string path_of(const std::string& member) const override {
    return path_.ends_with('/') ? path_ + member : path_ + "/" + member;
  }

 private:
  std::string path_;
  Unpacker& unpacker_;
  std::vector<std::string> members_;
};

class Archive : public Container {
 public:
  Archive(FilePart file, Unpacker& unpacker) : file_(std::move(file)), unpacker_(unpacker) {
    const ErrorScope scope = ErrorScope::file(file_.name);
    if (kind_of(file_.bytes()) == Kind::kZip) {
      for (auto& entry : read_zip_directory(file_.bytes())) {
        if (entry.name.ends_with("/")) continue;
        Member member;
        member.is_link = entry.is_link;
        std::string called = entry.name;
        member.zip = std::move(entry);
        add(called, std::move(member));
      }
    } else {
      for (auto& entry : read_tar_directory(file_.bytes())) {
        Member member;
        member.is_link = entry.type == TarEntry::Type::kLink;
        std::string called = entry.name;
        member.tar = std::move(entry);
        add(called, std::move(member));
      }
    }
    for (const auto& [called, member] : by_name_) members_.push_back(called);
  }

  const std::string& name() const override { return file_.name; }
  std::string_view kind() const override { return "archive"; }
  const std::vector<std::string>& members() const override { return members_; }
  std::string path_of(const std::string&) const override { return {}; }

  FilePart open(const std::string& member) override {
    const ErrorScope scope = ErrorScope::file(file_.name);
    std::string called = member;
    for (int links = 0; links < kMostLinks; ++links) {
      const Member& found = by_name_.find(called)->second;
      if (!found.is_link) return content(found, file_.name + "/" + member);
      called = resolve_link(called, found);
    }
    fail(ErrorCode::kFormat, fmt::format("entry '{}' is a link to links without an end", member));
  }

 private:
  struct Member {
    bool is_link = false;
    std::optional<ZipEntry> zip;
    std::optional<TarEntry> tar;
  };

  void add(std::string_view stored, Member member) {
    const auto called = normalised(stored);
    if (!called || called->empty() || has_control_characters(stored)) {
      fail(ErrorCode::kFormat,
           fmt::format("entry {}: expected a name within the archive", in_quotes(stored)));
    }
    if (is_apple_double(*called)) return;
    // A later member of a tar archive replaces an earlier one; that is how tar adds to archives.
    const bool is_new = by_name_.insert_or_assign(*called, std::move(member)).second;
    if (!is_new && by_name_.find(*called)->second.zip) {
      fail(ErrorCode::kFormat, fmt::format("entry '{}' is there twice", *called));
    }
    if (by_name_.size() > kMostMembers) {
      fail(ErrorCode::kFormat,
           fmt::format("expected at most {} entries, found more", kMostMembers));
    }
  }

  FilePart content(const Member& member, std::string called) {
    if (member.zip) {
      return zip_part(file_, read_zip_entry(file_, *member.zip, unpacker_), std::move(called),
                      unpacker_);
    }
    return {file_.file, std::move(called), file_.offset + member.tar->offset, member.tar->size};
  }

  std::string resolve_link(const std::string& called, const Member& link) {
    std::string target;
    if (link.zip) {
      if (link.zip->size > kMostTargetBytes) {
        fail(ErrorCode::kFormat, fmt::format("entry '{}': its link is too long", called));
      }
      const auto part = content(link, called);
      target.assign(reinterpret_cast<const char*>(part.bytes().data()), part.size);
    } else {
      target = link.tar->target;
    }
    const bool from_root = link.tar && link.tar->is_hard;
    const auto slash = called.rfind('/');
    const std::string folder =
        from_root || slash == std::string::npos ? "" : called.substr(0, slash + 1);
    const bool absolute = target.starts_with('/');
    const auto inside = absolute ? std::nullopt : normalised(folder + target);
    if (!inside || !by_name_.contains(*inside)) {
      fail(ErrorCode::kFormat,
           fmt::format("entry '{}' is a link to {}, which is not in the archive", called,
                       in_quotes(target)),
           "pack the file itself (tar --dereference)");
    }
    return *inside;
  }

  FilePart file_;
  Unpacker& unpacker_;
  std::map<std::string, Member, std::less<>> by_name_;
  std::vector<std::string> members_;
};

}  // namespace

FilePart open_file(const std::string& path, Unpacker& unpacker) {
  FilePart file = MappedFile::open(path);
  unpacker.admit(file.size);
  return file;
}

std::unique_ptr<Container> open_folder(const std::string& path, Unpacker& unpacker) {
  return std::make_unique<Folder>(path, unpacker);
}

std::unique_ptr<Container> open_archive(FilePart archive, Unpacker& unpacker) {
  return std::make_unique<Archive>(std::move(archive), unpacker);
}

FilePart gunzip_if_packed(FilePart file, Unpacker& unpacker) {
  if (kind_of(file.bytes()) != Kind::kGzip) return file;
  const ErrorScope scope = ErrorScope::file(file.name);
  const auto range = unpacker.gunzip(file.bytes());
  return unpacker.part(range, file.name);
}

std::string_view without_gz(std::string_view name) {
  return name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
}

}  // namespace mx2onnx::source
