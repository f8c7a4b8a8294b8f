// Which room may include what; see docs/design.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// Entries that end in / stand for all headers below.
struct Room {
  Names own;    // headers of reel
  Names other;  // headers of libraries
};

const std::map<std::string, Room> kRooms = {
    {"autodiff", {{"autodiff/"}, {"fmt/", "xsimd/", "xtensor-blas/", "cblas.h"}}},
    {"layers", {{"layers/", "autodiff/"}, {"fmt/"}}},
    {"optim", {{"optim/", "autodiff/", "data/safetensors.hpp"}, {"fmt/"}}},
    {"data",
     {{"data/", "autodiff/array.hpp", "autodiff/error.hpp", "autodiff/pool.hpp",
       "autodiff/random.hpp", "autodiff/real.hpp", "autodiff/scope.hpp", "autodiff/shape.hpp"},
      {"fmt/", "nlohmann/", "utf8proc.h", "fcntl.h", "unistd.h", "sys/"}}},
};

// What single files may include on top.
const std::map<std::string, Names> kExceptions = {
    {"autodiff/array.hpp", {"xtensor/"}},
    {"autodiff/regions.cpp", {"sys/mman.h"}},
    {"layers/init.cpp", {"xtensor-blas/xlinalg.hpp"}},
};

bool listed(const Names& names, const std::string& header) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.ends_with('/') ? header.starts_with(name) : header == name;
  });
}

bool is_standard(const std::string& header) { return header.find_first_of("./") == header.npos; }

bool may_include(const std::string& file, const std::string& room, const std::string& header) {
  if (is_standard(header)) return true;
  if (const auto more = kExceptions.find(file);
      more != kExceptions.end() && listed(more->second, header)) {
    return true;
  }
  constexpr std::string_view kPrefix = "reel/";
  if (header.starts_with(kPrefix)) {
    return listed(kRooms.at(room).own, header.substr(kPrefix.size()));
  }
  return listed(kRooms.at(room).other, header);
}

// The header that a line includes with its first delimiter, as "<vector" or "\"a.hpp"; else "".
std::string included(std::string line) {
  std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
  constexpr std::string_view kInclude = "#include";
  if (!line.starts_with(kInclude)) return "";
  line.erase(0, kInclude.size());
  return line.substr(0, line.find_first_of(">\"", 1));
}

// The includes in the rooms below `root` that break a rule, as "file: <header>".
Names trespasses(const fs::path& root) {
  Names found;
  for (const auto& [room, rules] : kRooms) {
    if (!fs::exists(root / room)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp") continue;
      const std::string file = fs::relative(entry.path(), root).generic_string();
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const std::string header = included(line);
        if (header.empty()) continue;
        if (header[0] != '<' || !may_include(file, room, header.substr(1))) {
          found.push_back(file + ": " + header.substr(1));
        }
      }
    }
  }
  return found;
}

TEST(Rooms, IncludeOnlyWhatTheyMay) {
  ASSERT_TRUE(fs::exists(fs::path(REEL_SOURCE_DIR) / "autodiff/array.hpp"));
  EXPECT_EQ(trespasses(REEL_SOURCE_DIR), Names{});
}

class RoomRules : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(root_); }
  void TearDown() override { fs::remove_all(root_); }

  Names trespasses_of(const std::string& file, const std::string& line) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << "#pragma once\n" << line << '\n';
    return trespasses(root_);
  }
  void expect_allowed(const std::string& file, const std::string& header) const {
    EXPECT_EQ(trespasses_of(file, "#include <" + header + ">"), Names{});
  }
  void expect_caught(const std::string& file, const std::string& header) const {
    EXPECT_EQ(trespasses_of(file, "#include <" + header + ">"), Names{file + ": " + header});
    fs::remove(root_ / file);
  }

 private:
  const fs::path root_ =
      fs::path(testing::TempDir()) /
      (std::string("reel_rooms_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(RoomRules, ArrowsPointOneWay) {
  expect_caught("autodiff/a.hpp", "reel/layers/linear.hpp");
  expect_caught("autodiff/a.hpp", "reel/data/vocabulary.hpp");
  expect_caught("layers/a.cpp", "reel/optim/sgd.hpp");
  expect_caught("optim/a.cpp", "reel/layers/linear.hpp");
  expect_caught("optim/a.cpp", "reel/reel.hpp");
  expect_allowed("layers/a.cpp", "reel/autodiff/tape.hpp");
  expect_allowed("optim/a.cpp", "reel/autodiff/parameter.hpp");
}

TEST_F(RoomRules, DataKnowsArraysButNoTape) {
  expect_caught("data/a.hpp", "reel/autodiff/tape.hpp");
  expect_caught("data/a.hpp", "reel/autodiff/var.hpp");
  expect_caught("data/a.hpp", "reel/autodiff/parameter.hpp");
  expect_allowed("data/a.hpp", "reel/autodiff/array.hpp");
}

TEST_F(RoomRules, OneHeaderKnowsXtensor) {
  expect_caught("autodiff/ops.cpp", "xtensor/xarray.hpp");
  expect_caught("layers/linear.cpp", "xtensor-blas/xlinalg.hpp");
  expect_allowed("autodiff/array.hpp", "xtensor/xarray.hpp");
  expect_allowed("layers/init.cpp", "xtensor-blas/xlinalg.hpp");
}

TEST_F(RoomRules, EachRoomHasItsLibraries) {
  expect_caught("autodiff/a.cpp", "nlohmann/json.hpp");
  expect_caught("layers/a.cpp", "cblas.h");
  expect_caught("optim/a.cpp", "CLI/CLI.hpp");
  expect_allowed("autodiff/gemm.cpp", "cblas.h");
  expect_allowed("data/text.cpp", "utf8proc.h");
  expect_allowed("data/deep/down.cpp", "vector");
}

TEST_F(RoomRules, QuotedIncludesAreCaught) {
  EXPECT_EQ(trespasses_of("layers/a.cpp", "# include \"../autodiff/tape.hpp\"  // up").size(), 1u);
  EXPECT_EQ(trespasses_of("layers/a.cpp", "#include \"linear.hpp\"").size(), 1u);
}

}  // namespace
