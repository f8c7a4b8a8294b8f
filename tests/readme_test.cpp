// The README and the guide to cells quote code that is compiled and checked by tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string read(const std::string& path) {
  std::ifstream in(std::string(REEL_SOURCE_DIR "/") + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Without the spaces that all lines begin with.
std::string to_the_left(const std::string& block) {
  std::vector<std::string> lines;
  std::istringstream in(block);
  std::size_t indent = std::string::npos;
  for (std::string line; std::getline(in, line); lines.push_back(line))
    indent = std::min(indent, line.find_first_not_of(' '));
  std::string text;
  for (const std::string& line : lines) text += line.substr(std::min(indent, line.size())) + '\n';
  return text;
}

// What stands between "// [name]" and "// [/name]", for each name in a source.
std::vector<std::string> marked_blocks(const std::string& source) {
  std::vector<std::string> blocks;
  for (std::size_t at = 0; (at = source.find("// [", at)) != source.npos; ++at) {
    const std::size_t begin = source.find('\n', at) + 1;
    const std::string name = source.substr(at + 4, source.find(']', at) - at - 4);
    const std::size_t end = source.find("// [/" + name + "]", begin);
    if (name[0] == '/' || end == source.npos) continue;
    blocks.push_back(to_the_left(source.substr(begin, source.rfind('\n', end) + 1 - begin)));
  }
  return blocks;
}

std::vector<std::string> cpp_blocks(const std::string& page) {
  const std::string open = "```cpp\n";
  std::vector<std::string> blocks;
  for (std::size_t at = 0; (at = page.find(open, at)) != page.npos;) {
    at += open.size();
    blocks.push_back(page.substr(at, page.find("```", at) - at));
  }
  return blocks;
}

void expect_quoted(const std::string& page, const std::string& source) {
  const std::vector<std::string> blocks = marked_blocks(read(source));
  ASSERT_FALSE(blocks.empty()) << source;
  for (const std::string& block : blocks)
    EXPECT_NE(read(page).find(block), std::string::npos) << page << " lacks\n" << block;
}

TEST(Readme, QuotesTheCustomCellThatIsTested) {
  expect_quoted("README.md", "tests/layers/custom_cell.hpp");
}

TEST(Readme, QuotesTheModelThatIsTested) { expect_quoted("README.md", "tests/consumer/main.cpp"); }

TEST(Readme, QuotesTheLayersThatAreTested) {
  expect_quoted("README.md", "tests/layers/stack_test.cpp");
}

TEST(CustomCellsGuide, QuotesOnlyWhatIsCompiled) {
  std::vector<std::string> compiled;
  for (const char* source : {"tests/layers/guide_cells.hpp", "tests/layers/guide_test.cpp",
                             "tests/layers/structured_cells.hpp", "bench/example_cell.cpp"}) {
    expect_quoted("docs/custom-cells.md", source);
    for (const std::string& block : marked_blocks(read(source))) compiled.push_back(block);
  }
  for (const std::string& block : cpp_blocks(read("docs/custom-cells.md")))
    EXPECT_NE(std::ranges::find(compiled, block), compiled.end()) << "nowhere compiled:\n" << block;
}

}  // namespace
