// Files stay short enough to read, and every one in a room is in its build list.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr int kMostLines = 400;
constexpr int kMostColumns = 100;

bool is_source(const fs::path& file) {
  return file.extension() == ".hpp" || file.extension() == ".cpp";
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Code points, so that a word in any script counts as it looks.
int columns(const std::string& line) {
  return static_cast<int>(
      std::ranges::count_if(line, [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

Names too_big(const std::string& name, const std::string& text) {
  Names found;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (columns(line) > kMostColumns) found.push_back(name + ":" + std::to_string(number));
  }
  if (number > kMostLines) found.push_back(name + ": " + std::to_string(number) + " lines");
  return found;
}

Names sources_below(const std::string& room) {
  const fs::path root = REEL_SOURCE_DIR;
  Names names;
  for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
    if (is_source(entry.path())) names.push_back(fs::relative(entry.path(), root).string());
  }
  return names;
}

TEST(Spells, FilesAndLinesAreShort) {
  Names found;
  for (const std::string room : {"autodiff", "layers", "optim", "data", "apps", "tests", "bench"}) {
    for (const std::string& name : sources_below(room)) {
      std::ranges::move(too_big(name, text_of(fs::path(REEL_SOURCE_DIR) / name)),
                        std::back_inserter(found));
    }
  }
  EXPECT_EQ(found, Names{});
}

TEST(Spells, TheCheckCanFail) {
  EXPECT_EQ(too_big("wide.cpp", "\n" + std::string(101, 'x')), Names{"wide.cpp:2"});
  std::string lines;
  for (int i = 0; i < 401; ++i) lines += '\n';
  EXPECT_EQ(too_big("long.cpp", lines), Names{"long.cpp: 401 lines"});
}

TEST(Spells, EveryFileIsInItsBuildList) {
  Names missing;
  for (const std::string room : {"autodiff", "layers", "optim", "data"}) {
    const std::string text = text_of(fs::path(REEL_SOURCE_DIR) / room / "CMakeLists.txt");
    std::istringstream words(text);
    const Names list(std::istream_iterator<std::string>(words), {});
    for (const std::string& name : sources_below(room)) {
      const fs::path file = name.substr(room.size() + 1);
      const std::string all = (file.parent_path() / "*").string() + file.extension().string();
      const bool listed = std::ranges::find(list, file.string()) != list.end();
      if (!listed && text.find("DEPENDS " + all) == text.npos) missing.push_back(name);
    }
  }
  EXPECT_EQ(missing, Names{});
}

}  // namespace
