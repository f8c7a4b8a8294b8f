// The README quotes code that is compiled and checked by tests.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace {

std::string read(const std::string& path) {
  std::ifstream in(std::string(REEL_SOURCE_DIR "/") + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Readme, QuotesTheCustomCellThatIsTested) {
  const std::string source = read("tests/layers/custom_cell.hpp");
  const std::string mark = "// [custom cell]\n";
  const std::size_t begin = source.find(mark), end = source.find("// [/custom cell]");
  ASSERT_NE(begin, source.npos);
  ASSERT_NE(end, source.npos);
  const std::string cell = source.substr(begin + mark.size(), end - begin - mark.size());
  EXPECT_NE(read("README.md").find(cell), std::string::npos);
}

TEST(Readme, QuotesTheModelThatIsTested) {
  const std::string source = read("tests/consumer/main.cpp");
  const std::string mark = "// [model]\n";
  const std::size_t begin = source.find(mark), end = source.find("// [/model]");
  ASSERT_NE(begin, source.npos);
  ASSERT_NE(end, source.npos);
  const std::string model = source.substr(begin + mark.size(), end - begin - mark.size());
  EXPECT_NE(read("README.md").find(model), std::string::npos);
}

}  // namespace
