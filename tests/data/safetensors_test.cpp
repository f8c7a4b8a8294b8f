#include <reel/autodiff/random.hpp>
#include <reel/data/file.hpp>
#include <reel/data/safetensors.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using test::error_of;
using test::TempFolder;

constexpr bool kIsDouble = sizeof(real) == 8;

Array ramp(const Shape& shape) {
  Array array = empty_array(shape);
  for (std::size_t i = 0; i < array.size(); ++i) array.data()[i] = static_cast<real>(i) / 3 - 1;
  return array;
}

Safetensors some_content() {
  return {{{"b", ramp({2, 3})}, {"a.é", ramp({})}, {"z", ramp({0, 4})}}, {{"format", "pt"}}};
}

// A file of this header and so many zero bytes.
std::string file_of(std::string_view header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes.append(header).append(data_bytes, '\0');
}

Safetensors parse(std::string_view bytes) { return parse_safetensors(bytes, "w"); }
std::string parse_error(std::string_view bytes) {
  return error_of<FileError>([&] { parse(bytes); });
}

// The elements of a one-axis array of this type and these bytes.
template <class Bits>
Array elements_of(std::string_view dtype, const std::vector<Bits>& elements) {
  const std::size_t size = elements.size() * sizeof(Bits);
  std::string bytes =
      file_of(fmt::format(R"({{"x":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})", dtype,
                          elements.size(), size));
  bytes.append(reinterpret_cast<const char*>(elements.data()), size);
  return parse(bytes).arrays.at("x");
}

TEST(SafetensorsTest, FileComesBack) {
  const TempFolder folder;
  const Safetensors content = some_content();
  save_safetensors(folder / "w", content);
  const Safetensors read = load_safetensors(folder / "w");
  EXPECT_EQ(read.metadata, content.metadata);
  ASSERT_EQ(read.arrays.size(), content.arrays.size());
  for (const auto& [name, array] : content.arrays) {
    EXPECT_EQ(shape_of(read.arrays.at(name)), shape_of(array));
    EXPECT_EQ(read.arrays.at(name), array);
  }
  EXPECT_EQ(folder.list(), std::vector<std::string>{"w"});
  EXPECT_EQ(parse(serialize_safetensors({})).arrays.size(), 0u);
}

TEST(SafetensorsTest, BytesAreThoseOfTheFormat) {
  Safetensors content;
  content.arrays["b"] = Array{1, -2};
  content.arrays["a"] = ramp({1, 0});
  content.metadata["k"] = "v";
  std::string header = kIsDouble ? R"({"__metadata__":{"k":"v"},)"
                                   R"("a":{"dtype":"F64","shape":[1,0],"data_offsets":[0,0]},)"
                                   R"("b":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})"
                                 : R"({"__metadata__":{"k":"v"},)"
                                   R"("a":{"dtype":"F32","shape":[1,0],"data_offsets":[0,0]},)"
                                   R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const real elements[] = {1, -2};
  std::string bytes = file_of(header);
  bytes.append(reinterpret_cast<const char*>(elements), sizeof(elements));
  EXPECT_EQ(serialize_safetensors(content), bytes);
}

TEST(SafetensorsTest, EveryBitOfEveryElementIsKept) {
  Random random(1);
  Array array = empty_array({1000});
  for (real& element : array) {
    const std::uint64_t bits = random.bits();
    std::memcpy(&element, &bits, sizeof(real));
  }
  const Array read = parse(serialize_safetensors({{{"x", array}}, {}})).arrays.at("x");
  EXPECT_EQ(std::memcmp(read.data(), array.data(), array.size() * sizeof(real)), 0);
}

TEST(SafetensorsTest, SinglesAndDoublesAreConverted) {
  EXPECT_EQ(elements_of<float>("F32", {1.5f, -0.1f}), (Array{real{1.5}, static_cast<real>(-0.1f)}));
  EXPECT_EQ(elements_of<double>("F64", {1.5, -0.1}), (Array{real{1.5}, static_cast<real>(-0.1)}));
}

TEST(SafetensorsTest, HalvesAreConverted) {
  const Array halves = elements_of<std::uint16_t>(
      "F16", {0x0000, 0x3C00, 0xC000, 0x3555, 0x7BFF, 0x0400, 0x03FF, 0x0001, 0x7C00, 0xFC00});
  const real infinity = std::numeric_limits<real>::infinity();
  EXPECT_EQ(halves, (Array{0, 1, -2, real(1365.0 / 4096), 65504, real(0x1p-14), real(0x3FFp-24),
                           real(0x1p-24), infinity, -infinity}));
  EXPECT_TRUE(std::isnan(elements_of<std::uint16_t>("F16", {0x7E00})(0)));
  EXPECT_TRUE(std::signbit(elements_of<std::uint16_t>("F16", {0x8000})(0)));
}

TEST(SafetensorsTest, BrainFloatsAreConverted) {
  EXPECT_EQ(elements_of<std::uint16_t>("BF16", {0x3F80, 0xC000, 0x4049}),
            (Array{1, -2, real(3.140625)}));
}

TEST(SafetensorsTest, HeaderMayBePaddedAndInAnyOrder) {
  const Safetensors content =
      parse(file_of(R"({"b":{"data_offsets":[4,8],"shape":[1],"dtype":"F32","more":0},)"
                    R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )",
                    8));
  EXPECT_EQ(shape_of(content.arrays.at("a")), Shape{});
  EXPECT_EQ(shape_of(content.arrays.at("b")), Shape{1});
}

TEST(SafetensorsTest, ForeignFilesAreNamed) {
  EXPECT_EQ(parse_error(""),
            "w: file must begin with the 8 bytes of the header's length; found 0 bytes");
  EXPECT_EQ(parse_error("plain text"),
            "w: header's length must be at most 2 in a safetensors file of 10 bytes; found "
            "7310503753715641456");
  EXPECT_EQ(parse_error(std::string("PK\3\4\0\0\0\0\0\0", 10)),
            "w: header's length must be at most 2 in a safetensors file of 10 bytes; found "
            "67324752 (a zip archive, as torch.save writes it)");
  EXPECT_EQ(parse_error(file_of("[]")), "w: header must be a JSON object; found array");
  EXPECT_EQ(parse_error(file_of(R"({"a" 1})")),
            "w: header:1: text must be JSON; found an error after column 5");
  EXPECT_EQ(parse_error(file_of(R"({"a":{},"a":{}})")),
            R"(w: header: JSON keys must differ within an object; found "a" twice)");
  EXPECT_EQ(parse_error(file_of(std::string(1'000'000, '['))),
            "w: header: JSON must nest at most 16 deep; found more");
}

TEST(SafetensorsTest, BadEntriesAreNamed) {
  const auto error = [](std::string_view entry, std::size_t data_bytes = 8) {
    return parse_error(file_of(fmt::format(R"({{"a":{}}})", entry), data_bytes));
  };
  EXPECT_EQ(error("[1]"),
            R"(w: array "a": must be an object with dtype, shape and data_offsets; found [1])");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[2]})"),
            R"(w: array "a": must be an object with dtype, shape and data_offsets; found )"
            R"({"dtype":"F32","shape":[2]})");
  EXPECT_EQ(error(R"({"dtype":"I64","shape":[1],"data_offsets":[0,8]})"),
            R"(w: array "a": dtype must be F64, F32, F16 or BF16; found "I64")");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
            R"(w: array "a": shape must be a list of at most 8 whole numbers; found [-2])");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"),
            R"(w: array "a": shape must be a list of at most 8 whole numbers; found [2.0])");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})"),
            R"(w: array "a": shape must be a list of at most 8 whole numbers; found )"
            R"([1,1,1,1,1,1,1,1,2])");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"),
            R"(w: array "a": data_offsets must be two whole numbers in order; found [8,0])");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
            R"(w: array "a": data_offsets must hold shape [3] of F32; found [0,8])");
}

TEST(SafetensorsTest, ShapesThatOverflowAreErrors) {
  for (const char* shape :
       {"[4294967296,4294967296]", "[4611686018427387904,4,1]", "[9223372036854775808,2]",
        "[0,9223372036854775808,2]", "[18446744073709551615,18446744073709551615,0]"})
    EXPECT_EQ(
        parse_error(file_of(
            fmt::format(R"({{"a":{{"dtype":"F32","shape":{},"data_offsets":[0,0]}}}})", shape))),
        fmt::format(R"(w: array "a": data_offsets must hold shape {} of F32; found [0,0])", shape));
}

TEST(SafetensorsTest, BytesBelongToOneArrayEach) {
  const auto two = [](std::size_t begin, std::size_t end, std::size_t data_bytes) {
    return parse_error(
        file_of(fmt::format(R"({{"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}},)"
                            R"("b":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}}}})",
                            begin, end),
                data_bytes));
  };
  EXPECT_EQ(two(4, 8, 12),
            R"(w: array "b": must begin where the one before it ends, at 8; found 4)");
  EXPECT_EQ(two(12, 16, 16),
            R"(w: array "b": must begin where the one before it ends, at 8; found 12)");
  EXPECT_EQ(two(8, 12, 11), "w: arrays must fill the 11 bytes after the header; found 12");
  EXPECT_EQ(two(8, 12, 13), "w: arrays must fill the 13 bytes after the header; found 12");
}

TEST(SafetensorsTest, BadMetadataIsNamed) {
  EXPECT_EQ(parse_error(file_of(R"({"__metadata__":[]})")),
            "w: metadata must be a JSON object; found array");
  EXPECT_EQ(parse_error(file_of(R"({"__metadata__":{"k":1}})")),
            R"(w: metadata "k" must be a string; found number)");
}

TEST(SafetensorsTest, WhatCannotBeWrittenIsNamed) {
  const auto error = [](const Safetensors& content) {
    return error_of([&] { serialize_safetensors(content); });
  };
  EXPECT_EQ(error({{{"__metadata__", ramp({1})}}, {}}),
            "safetensors: an array must not be called __metadata__");
  EXPECT_EQ(error({{{"\xFF", ramp({1})}}, {}}),
            "safetensors: array name: text must be UTF-8; found byte 0xff at offset 0");
  EXPECT_EQ(error({{}, {{"k", "a\xFF"}}}),
            "safetensors: metadata: text must be UTF-8; found byte 0xff at offset 1");
}

TEST(SafetensorsTest, EveryTruncationIsAnError) {
  const std::string bytes = serialize_safetensors(some_content());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(parse(bytes.substr(0, size)), FileError) << size;
  EXPECT_THROW(parse(bytes + 'x'), FileError);
}

TEST(SafetensorsTest, DamagedFilesLoadOrAreErrors) {
  const std::string bytes = serialize_safetensors(some_content());
  const auto try_parse = [](const std::string& damaged) {
    try {
      parse(damaged);
    } catch (const FileError&) {
    }
  };
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int byte = 0; byte < 256; ++byte) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(byte);
      try_parse(damaged);
    }
  Random random(2);
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string damaged = bytes;
    for (auto changes = 1 + random.below(4); changes > 0; --changes) {
      const std::size_t at = 8 + random.below(bytes.size() - 8);
      damaged[at] = "0123456789[]{},:\"-eF"[random.below(20)];
    }
    try_parse(damaged);
  }
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
