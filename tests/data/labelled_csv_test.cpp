#include <reel/data/labelled_csv.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;
using Pairs = std::vector<std::pair<std::string, std::string>>;

class LabelledCsvTest : public testing::Test {
 protected:
  Pairs read(std::string_view bytes, const CsvColumns& columns = {},
             const std::vector<std::string>& classes = {}) const {
    const Corpus corpus = read_csv_texts(folder_.write("t.csv", bytes), columns, classes);
    Pairs pairs;
    for (const LabelledText& text : corpus.texts)
      pairs.emplace_back(corpus.classes[static_cast<std::size_t>(text.label)], text.text);
    return pairs;
  }
  std::string error(std::string_view bytes, const std::vector<std::string>& classes = {}) const {
    const std::string text = error_of<FileError>([&] { read(bytes, {}, classes); });
    const std::size_t at = text.find("t.csv");
    return at == text.npos ? text : text.substr(at);
  }
  TempFolder folder_;
};

TEST_F(LabelledCsvTest, ColumnsAreFoundByName) {
  EXPECT_EQ(read("id,label,text\n1,pos,good\n2,neg,\n"), (Pairs{{"pos", "good"}, {"neg", ""}}));
  EXPECT_EQ(read("a,b\nx,y\n", {.text = "a", .label = "b"}), (Pairs{{"y", "x"}}));
}

TEST_F(LabelledCsvTest, QuotedFieldsHoldAnything) {
  EXPECT_EQ(read("text,label\n\"a, \"\"b\"\"\nc\",\"x\"\r\nd,y"),
            (Pairs{{"x", "a, \"b\"\nc"}, {"y", "d"}}));
  EXPECT_EQ(read("\xEF\xBB\xBF\"text\",label\r\n\r\n\"\",x\r\n\r\n"), (Pairs{{"x", ""}}));
}

TEST_F(LabelledCsvTest, OfAListOfLabelsTheFirstCounts) {
  EXPECT_EQ(read("text,label\na,[]\nb,[3]\nc,[1 0]\nd,\"[2, 4]\"\ne,[\n"),
            (Pairs{{"none", "a"}, {"3", "b"}, {"1", "c"}, {"2", "d"}, {"[", "e"}}));
}

TEST_F(LabelledCsvTest, BadRecordsAreNamedByTheLineTheyBeginOn) {
  EXPECT_EQ(error("text,label\n\"a\nb\",x\nc\n"), "t.csv:4: record must have 2 fields; found 1");
  EXPECT_EQ(error("text,label\n\na,x,y\n"), "t.csv:3: record must have 2 fields; found 3");
  EXPECT_EQ(error("text,label\n\"a,x\n\n"), "t.csv:2: a quotation must end; found none");
  EXPECT_EQ(error("text,label\n\"a\"b,x\n"),
            R"(t.csv:2: a quotation must end its field; found "b")");
  EXPECT_EQ(error("text,label\na\"b,x\n"),
            R"(t.csv:2: a field with quotes must be quoted; found "a\"b")");
  EXPECT_EQ(error("text,label\na,\n"), "t.csv:2: label must not be empty");
  EXPECT_EQ(error("text,label\na,x\n\xE9,x\n"),
            "t.csv:3: text must be UTF-8; found byte 0xe9 at offset 0");
  EXPECT_EQ(error("text,label\na,x\n", {"y", "z"}),
            R"(t.csv:2: label must be one of y, z; found "x")");
}

TEST_F(LabelledCsvTest, BadFilesAreNamed) {
  EXPECT_EQ(error(""), "t.csv: file must have a header; found none");
  EXPECT_EQ(error("text,label\n"), "t.csv: file must hold at least one example; found none");
  EXPECT_EQ(error("text,kind\na,x\n"), "t.csv:1: there must be a column label; found text, kind");
}

TEST_F(LabelledCsvTest, ArbitraryBytesAreTextsOrAnError) {
  const std::string bytes = "text,label\n\"a\"\"\n\",x\r\nb,y";
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
