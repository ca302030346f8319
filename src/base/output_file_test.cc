#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/output_file.h"
#include "support/error_text.h"

namespace mx2onnx {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("file_sink_{}", ::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::size_t num_files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(OutputFileTest, AppearsOnlyWhenComplete) {
  {
    OutputFile sink(path("out"));
    sink.append_text("hello");
    EXPECT_FALSE(fs::exists(path("out")));
    sink.commit();
  }
  EXPECT_EQ(content(path("out")), "hello");
  EXPECT_EQ(num_files(), 1U);
}

TEST_F(OutputFileTest, LeavesNothingBehindWithoutCommit) {
  std::ofstream(path("out")) << "old";
  {
    OutputFile sink(path("out"));
    sink.append_text(std::string(1 << 20, 'x'));
  }
  EXPECT_EQ(content(path("out")), "old");
  EXPECT_EQ(num_files(), 1U);
}

TEST_F(OutputFileTest, CopiesRangesOfMappedFiles) {
  std::string bytes(300000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  std::ofstream(path("in"), std::ios::binary) << bytes;
  const auto file = MappedFile::open(path("in"));
  OutputFile sink(path("out"));
  sink.append_text("begin");
  sink.append_range(*file, 3, 200000);
  sink.append_range(*file, 1, 5);
  sink.append_text("end");
  EXPECT_EQ(sink.size(), 200013U);
  sink.commit();
  EXPECT_EQ(content(path("out")), "begin" + bytes.substr(3, 200000) + bytes.substr(1, 5) + "end");
}

TEST_F(OutputFileTest, GathersPiecesOfEverySize) {
  std::string all;
  OutputFile sink(path("out"));
  for (const std::size_t size : {3, 1 << 18, (1 << 20) + 1, 70000, (1 << 20) - 70000, 1 << 21, 5}) {
    std::string piece(size, '\0');
    for (std::size_t i = 0; i < size; ++i) piece[i] = static_cast<char>((all.size() + i) * 31 >> 3);
    sink.append_text(piece);
    all += piece;
  }
  EXPECT_EQ(sink.size(), all.size());
  sink.commit();
  EXPECT_TRUE(read_text_file(path("out")) == all);
}

TEST_F(OutputFileTest, WritesThroughSymbolicLinks) {
  std::ofstream(path("target")) << "old";
  fs::create_symlink(path("target"), path("link"));
  OutputFile sink(path("link"));
  sink.append_text("new");
  sink.commit();
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content(path("target")), "new");
}

TEST_F(OutputFileTest, ObeysTheUmask) {
  const mode_t before = ::umask(027);
  OutputFile sink(path("out"));
  sink.commit();
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat(path("out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(OutputFileTest, SaysWhyItCannotWrite) {
  EXPECT_EQ(error_text([&] { OutputFile sink(path("missing/out")); }),
            path("missing/out") + ": cannot be written: No such file or directory");
  EXPECT_EQ(error_text([&] { OutputFile sink(folder_.string()); }),
            folder_.string() + ": cannot be written: Is a directory");
}

TEST_F(OutputFileTest, NoticesAFullDisk) {
  EXPECT_EQ(error_text([&] {
              OutputFile sink("/dev/full");
              sink.append_text("x");
              sink.commit();
            }),
            "/dev/full: cannot be written: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(OutputFileTest, MappedFileErrors) {
  EXPECT_EQ(error_text([&] { MappedFile::open(path("none")); }),
            path("none") + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_text([&] { MappedFile::open(folder_.string()); }),
            folder_.string() + ": cannot be read: Is a directory");
  std::ofstream(path("empty"));
  EXPECT_TRUE(MappedFile::open(path("empty"))->bytes().empty());
}

}  // namespace
}  // namespace mx2onnx
