#include <reel/data/trees.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;
using Pairs = std::vector<std::pair<std::string, std::string>>;

class TreesTest : public testing::Test {
 protected:
  Pairs read(std::string_view bytes, const TreeOptions& options = {},
             const std::vector<std::string>& classes = {}) const {
    const Corpus corpus = read_trees(folder_.write("t.txt", bytes), options, classes);
    Pairs pairs;
    for (const LabelledText& text : corpus.texts)
      pairs.emplace_back(corpus.classes[static_cast<std::size_t>(text.label)], text.text);
    return pairs;
  }
  std::string error(std::string_view bytes, const std::vector<std::string>& classes = {}) const {
    const std::string text = error_of<FileError>([&] { read(bytes, {}, classes); });
    const std::size_t at = text.find("t.txt");
    return at == text.npos ? text : text.substr(at);
  }

  TempFolder folder_;
};

constexpr const char* kTrees =
    "(3 (2 It) (4 (2 's) (4 great)))\n"
    "(1 (2 It) (0 (0 hurts) (2 .)))\n";

TEST_F(TreesTest, EveryPhraseIsATextOnce) {
  EXPECT_EQ(read(kTrees), (Pairs{{"3", "It 's great"},
                                 {"2", "It"},
                                 {"4", "'s great"},
                                 {"2", "'s"},
                                 {"4", "great"},
                                 {"1", "It hurts ."},
                                 {"0", "hurts ."},
                                 {"0", "hurts"},
                                 {"2", "."}}));
}

TEST_F(TreesTest, BinaryLeavesNeutralPhrasesOut) {
  EXPECT_EQ(read(kTrees, {.binary = true}), (Pairs{{"1", "It 's great"},
                                                   {"1", "'s great"},
                                                   {"1", "great"},
                                                   {"0", "It hurts ."},
                                                   {"0", "hurts ."},
                                                   {"0", "hurts"}}));
}

TEST_F(TreesTest, SentencesAreTheWholeTreesEachTimeTheyCome) {
  const std::string twice = std::string(kTrees) + "(3 (2 It) (4 (2 's) (4 great)))\n(2 so)";
  EXPECT_EQ(read(twice, {.phrases = false}),
            (Pairs{{"3", "It 's great"}, {"1", "It hurts ."}, {"3", "It 's great"}, {"2", "so"}}));
  EXPECT_EQ(read(twice, {.phrases = false, .binary = true}),
            (Pairs{{"1", "It 's great"}, {"0", "It hurts ."}, {"1", "It 's great"}}));
}

TEST_F(TreesTest, ATextWithTwoLabelsIsTwo) {
  EXPECT_EQ(read("(3 ha)\n(4 ha)\n(3 ha)\n"), (Pairs{{"3", "ha"}, {"4", "ha"}}));
}

TEST_F(TreesTest, EscapesAreUndone) {
  EXPECT_EQ(read("(2 (2 -LRB-) (2 (2 s\\/he) (2 (2 d\\*mn) (2 -RRB-))))", {.phrases = false}),
            (Pairs{{"2", "( s/he d*mn )"}}));
}

TEST_F(TreesTest, BlanksBetweenPartsDoNotMatter) {
  EXPECT_EQ(read("( 3(2 a)(  4 b ) )\r\n"), (Pairs{{"3", "a b"}, {"2", "a"}, {"4", "b"}}));
}

TEST_F(TreesTest, BadTreesAreNamed) {
  const std::string must = "t.txt:1: tree must have ";
  EXPECT_EQ(error("(2 a)\nnone\n"),
            "t.txt:2: tree must have a bracket at column 1; found \"none\"");
  EXPECT_EQ(error("(5 a)"), must + "a grade 0 .. 4 at column 2; found \"5\"");
  EXPECT_EQ(error("(2 )"), must + "a word or a tree at column 4; found \")\"");
  EXPECT_EQ(error("(2 (3 a)"), must + "a bracket at column 9; found \"\"");
  EXPECT_EQ(error("(2 a))"), must + "the end of the line at column 6; found \")\"");
  EXPECT_EQ(error(")"), must + "a word or a tree at column 1; found \")\"");
  EXPECT_EQ(error("(2 a)\n\n(2 b)"), "t.txt:2: tree must have a bracket at column 1; found \"\"");
  EXPECT_EQ(error("(2 a)\n(2 \xFF)"), "t.txt:2: text must be UTF-8; found byte 0xff at offset 3");
  EXPECT_EQ(error("(2 a)\n(3 b)", {"0", "2"}), "t.txt:2: label must be one of 0, 2; found \"3\"");
}

TEST_F(TreesTest, ArbitraryBytesAreTreesOrAnError) {
  const std::string bytes = "(3 (2 It) (4 's))";
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int byte = 0; byte < 256; byte += 15) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(byte);
      try {
        EXPECT_FALSE(read(changed).empty());
      } catch (const FileError&) {
      }
    }
}

}  // namespace
}  // namespace reel
