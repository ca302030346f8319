// Parameter files, parameter sets, input specifications.
#include "mxnet/parameters.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/budget.h"
#include "base/error.h"
#include "mxnet/input_spec.h"
#include "support/error_text.h"

namespace mx2onnx::mxnet {
namespace {

// Builds the bytes of a file piece by piece.
class Bytes {
 public:
  template <typename T>
  Bytes& add(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  Bytes& add_text(const std::string& text) {
    text_ += text;
    return *this;
  }
  Bytes& add_list(std::uint64_t count) {
    return add<std::uint64_t>(0x112).add<std::uint64_t>(0).add(count);
  }
  Bytes& add_name(const std::string& name) {
    return add<std::uint64_t>(name.size()).add_text(name);
  }
  Bytes& add_v2(std::int32_t storage) { return add<std::uint32_t>(0xF993fac9).add(storage); }
  Bytes& add_shape(const std::vector<std::int64_t>& dims) {
    add(static_cast<std::int32_t>(dims.size()));
    for (const auto dim : dims) add(dim);
    return *this;
  }
  Bytes& add_context() { return add<std::int32_t>(1).add<std::int32_t>(0); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::vector<StoredArray> read(const std::string& bytes) {
  const auto path =
      (std::filesystem::path(testing::TempDir()) / fmt::format("params_{}", ::getpid())).string();
  std::ofstream(path, std::ios::binary) << bytes;
  auto file = MappedFile::open(path);
  std::filesystem::remove(path);
  Unpacker unpacker;
  return read_param_file(file, unpacker);
}

// The message without the file's name.
std::string read_error(const std::string& bytes) {
  const std::string text = error_text([&] { read(bytes); });
  const auto at = text.find(": ");
  return at == std::string::npos ? text : text.substr(at + 2);
}

TEST(ParamFilesTest, ReadsV0V1V2) {
  Bytes bytes;
  bytes.add_list(3);
  bytes.add<std::uint32_t>(1)
      .add<std::uint32_t>(2)
      .add_context()
      .add<std::int32_t>(4)
      .add<std::int32_t>(7)
      .add<std::int32_t>(8);
  bytes.add<std::uint32_t>(0xF993fac8)
      .add_shape({1})
      .add_context()
      .add<std::int32_t>(5)
      .add<std::int8_t>(-3);
  bytes.add_v2(0).add_shape({1, 1}).add_context().add<std::int32_t>(6).add<std::int64_t>(9);
  bytes.add<std::uint64_t>(3).add_name("arg:a").add_name("aux:b").add_name("c");
  const auto arrays = read(bytes.text());
  ASSERT_EQ(arrays.size(), 3U);
  EXPECT_EQ(arrays[0].name, "arg:a");
  EXPECT_EQ(read_ints(arrays[0].tensor), (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(arrays[1].tensor.dtype, DType::kInt8);
  EXPECT_EQ(read_ints(arrays[1].tensor), (std::vector<std::int64_t>{-3}));
  EXPECT_EQ(arrays[2].tensor.dims, (std::vector<std::int64_t>{1, 1}));
}

TEST(ParamFilesTest, ReadsSparseArrays) {
  Bytes bytes;
  bytes.add_list(2);
  // Row 1 of 3.
  bytes.add_v2(1).add_shape({1, 2}).add_shape({3, 2}).add_context().add<std::int32_t>(4);
  bytes.add<std::int32_t>(6)
      .add_shape({1})
      .add<std::int32_t>(5)
      .add<std::int32_t>(6)
      .add<std::int64_t>(1);
  // (0, 1) and (1, 0) of 2 by 2.
  bytes.add_v2(2).add_shape({2}).add_shape({2, 2}).add_context().add<std::int32_t>(4);
  bytes.add<std::int32_t>(6).add_shape({3}).add<std::int32_t>(6).add_shape({2});
  bytes.add<std::int32_t>(7).add<std::int32_t>(8);
  bytes.add<std::int64_t>(0)
      .add<std::int64_t>(1)
      .add<std::int64_t>(2)
      .add<std::int64_t>(1)
      .add<std::int64_t>(0);
  bytes.add<std::uint64_t>(0);
  const auto arrays = read(bytes.text());
  EXPECT_EQ(read_ints(arrays[0].tensor), (std::vector<std::int64_t>{0, 0, 5, 6, 0, 0}));
  EXPECT_EQ(read_ints(arrays[1].tensor), (std::vector<std::int64_t>{0, 7, 8, 0}));
}

TEST(ParamFilesTest, HostileLists) {
  EXPECT_EQ(read_error(""),
            "expected a parameter file of MXNet, found an empty file\n"
            "hint: MXNet's parameter files begin with 12 01 00 00, \"PK\" or \"\\x93NUMPY\"");
  EXPECT_EQ(read_error("{\"nodes\": []}"),
            "expected a parameter file of MXNet, found something else\n"
            "hint: MXNet's parameter files begin with 12 01 00 00, \"PK\" or \"\\x93NUMPY\"");
  EXPECT_EQ(read_error(Bytes().add_list(1ULL << 62).text()),
            "offset 16: number of arrays: found 4611686018427387904, more than the rest of the "
            "file can hold");
  const auto v2 = [] { return Bytes().add_list(1).add_v2(0); };
  EXPECT_EQ(read_error(v2().add<std::int32_t>(1000).text()),
            "array 1 of 1, offset 32: array shape: expected at most 32 dimensions, found 1000");
  EXPECT_EQ(
      read_error(v2().add_shape({1LL << 40, 1LL << 40}).add_context().add<std::int32_t>(0).text()),
      "array 1 of 1, offset 64: expected the sizes of an array, found (1099511627776, "
      "1099511627776)");
  EXPECT_EQ(read_error(v2().add_shape({1LL << 40}).add_context().add<std::int32_t>(0).text()),
            "array 1 of 1, offset 56: array data: expected 4398046511104 bytes, found 0 before the "
            "end of the file");
  EXPECT_EQ(read_error(v2().add_shape({1}).add_context().add<std::int32_t>(99).text()),
            "array 1 of 1, offset 52: type flag: expected 0 to 12, found 99\n"
            "hint: what is damaged may also be the shape before it, which reads (1,)");
  EXPECT_EQ(read_error(Bytes().add_list(1).add_v2(7).text()),
            "array 1 of 1, offset 28: storage type: expected -1 to 2, found 7");
  EXPECT_EQ(read_error(v2().add_shape({0})
                           .add_context()
                           .add<std::int32_t>(0)
                           .add<std::uint64_t>(2)
                           .add<std::uint64_t>(0)
                           .text()),
            "offset 56: number of names: expected 1 or 0, found 2");
}

TEST(ParamFilesTest, HostileSparseArrays) {
  const auto rows = [](std::int64_t row, std::int64_t size) {
    return Bytes()
        .add_list(1)
        .add_v2(1)
        .add_shape({1, 1})
        .add_shape({size, 1})
        .add_context()
        .add<std::int32_t>(4)
        .add<std::int32_t>(6)
        .add_shape({1})
        .add<std::int32_t>(5)
        .add(row)
        .add<std::uint64_t>(0);
  };
  EXPECT_EQ(read_error(rows(3, 3).text()),
            "array 1 of 1, offset 112: sparse array: expected ascending rows below 3, found 3");
  EXPECT_EQ(read_error(rows(-1, 3).text()),
            "array 1 of 1, offset 112: sparse array: expected ascending rows below 3, found -1");
  const BudgetScope budget(1 << 20, 8);
  EXPECT_EQ(read_error(rows(0, 1LL << 50).text()),
            "8 bytes that were read would become more than 1048576\n"
            "hint: if the file can be trusted, allow more with --unpack-limit");
}

StoredArray array(const std::string& name) { return {name, make_tensor<float>({1}, {1})}; }

TEST(ParameterSetTest, TakesPrefixesOffAndRefusesDoubles) {
  ParameterSet set;
  set.add({array("arg:a"), array("aux:b"), array("c")}, "one.params");
  EXPECT_EQ(set.names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(error_text([&] { set.add({array("a")}, "two.params"); }),
            "two.params: parameter 'a' is also in one.params");
  EXPECT_EQ(error_text([&] {
              set.add({array("d"), array("arg:d")}, "two.params");
            }),
            "two.params: parameter 'd' is stored twice");
  EXPECT_EQ(error_text([&] { set.add({array("")}, "two.params"); }),
            "two.params: array 1 of 1 has no name\n"
            "hint: a list saved by mx.nd.save without names cannot be matched with a symbol");
}

TEST(RenameTest, Patterns) {
  const auto with = [](const std::string& name, const std::string& pattern,
                       const std::string& replacement) {
    return rename(name, {{pattern, replacement}});
  };
  EXPECT_EQ(with("bn0_running_mean", "*_running_mean", "*_moving_mean"), "bn0_moving_mean");
  EXPECT_EQ(with("bn0_running_var", "*_running_mean", "*_moving_mean"), "bn0_running_var");
  EXPECT_EQ(with("a.b.c", "*.*.*", "*-*-*"), "a-b-c");
  EXPECT_EQ(with("a", "a", "b"), "b");
  EXPECT_EQ(with("ab", "a", "b"), "ab");
  EXPECT_EQ(with("net_x", "net_*", "*"), "x");
}

TEST(InputSpecTest, Forms) {
  const auto spec = parse_input_spec("data:batch,3,224,?:float16");
  EXPECT_EQ(spec.name, "data");
  EXPECT_EQ(*spec.dims, (std::vector<std::string>{"batch", "3", "224", "?"}));
  EXPECT_EQ(spec.dtype, "float16");
  EXPECT_EQ(parse_input_spec("data").dims, std::nullopt);
  EXPECT_EQ(parse_input_spec("data:int32").dtype, "int32");
  EXPECT_EQ(parse_input_spec("scope:data:1,2").name, "scope:data");
  EXPECT_TRUE(parse_input_spec("x::float32").dims->empty());
  EXPECT_EQ(error_text([] { parse_input_spec("data:1,-3"); }),
            "input \"data:1,-3\": expected sizes between commas, got \"1,-3\"\n"
            "hint: write for instance data:batch,3,224,224 or data:1,3,224,224:float16");
  EXPECT_EQ(error_text([] { parse_input_spec(":1,3"); }),
            "input \":1,3\": expected a name before the first colon");
}

TEST(InputSpecTest, SameNameIsSameSize) {
  DimArena arena;
  const auto dims = spec_dims(parse_input_spec("data:N,N,3"), false, arena);
  EXPECT_EQ(dims[0], dims[1]);
  EXPECT_EQ(dims[2], Dim(3));
}

TEST(InputSpecTest, UnknownSizes) {
  DimArena arena;
  const auto spec = parse_input_spec("data:?,-1,None,0,1");
  const auto known = [&](bool np_shape) {
    std::vector<bool> found;
    for (const auto& dim : spec_dims(spec, np_shape, arena)) found.push_back(dim.known());
    return found;
  };
  EXPECT_EQ(known(false), (std::vector<bool>{false, false, false, false, true}));
  EXPECT_EQ(known(true), (std::vector<bool>{false, false, false, true, true}));
}

}  // namespace
}  // namespace mx2onnx::mxnet
