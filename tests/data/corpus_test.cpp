#include <reel/data/corpus.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;

using Strings = std::vector<std::string>;

class CorpusTest : public testing::Test {
 protected:
  Corpus tsv(std::string_view bytes, const Strings& classes = {}) const {
    return read_tsv(folder_.write("d.tsv", bytes), classes);
  }
  // The error for these bytes, without the folder's path.
  std::string tsv_error(std::string_view bytes, const Strings& classes = {}) const {
    return without_folder(error_of<FileError>([&] { tsv(bytes, classes); }));
  }
  std::string without_folder(std::string text) const {
    const std::string folder = folder_ / "";
    for (auto at = text.find(folder); at != text.npos; at = text.find(folder))
      text.erase(at, folder.size());
    return text;
  }

  TempFolder folder_;
};

Strings texts_of(const Corpus& corpus) {
  Strings texts;
  for (const LabelledText& text : corpus.texts) texts.push_back(text.text);
  return texts;
}

using Labels = std::vector<std::int64_t>;

TEST_F(CorpusTest, ClassesAreTheLabelsInOrder) {
  const Corpus corpus = tsv("pos\tgood\nneg\tbad\npos\tfine\tindeed\n");
  EXPECT_EQ(corpus.classes, (Strings{"neg", "pos"}));
  EXPECT_EQ(labels_of(corpus), (Labels{1, 0, 1}));
  EXPECT_EQ(texts_of(corpus), (Strings{"good", "bad", "fine\tindeed"}));
}

TEST_F(CorpusTest, KnownClassesGiveTheIndices) {
  const Corpus corpus = tsv("0\ta\n", {"1", "0"});
  EXPECT_EQ(corpus.classes, (Strings{"1", "0"}));
  EXPECT_EQ(labels_of(corpus), Labels{1});
  EXPECT_EQ(tsv_error("1\ta\n2\tb\n", {"0", "1"}),
            R"(d.tsv:2: label must be one of 0, 1; found "2")");
}

TEST_F(CorpusTest, EndsOfLinesAndOfTheFileDoNotMatter) {
  const Strings texts = {"a", "", "b"};
  EXPECT_EQ(texts_of(tsv("0\ta\n1\t\n0\tb")), texts);
  EXPECT_EQ(texts_of(tsv("0\ta\r\n1\t\r\n0\tb\r\n\r\n")), texts);
  EXPECT_EQ(texts_of(tsv("\xEF\xBB\xBF"
                         "0\ta\n1\t\n0\tb\n\n  \n")),
            texts);
  EXPECT_EQ(tsv("\xEF\xBB\xBF"
                "0\ta\n")
                .classes,
            Strings{"0"});
}

TEST_F(CorpusTest, BadLinesAreNamed) {
  EXPECT_EQ(tsv_error("0\ta\nno label\n1\tb\n"),
            "d.tsv:2: line must be label<TAB>text; found no tab");
  EXPECT_EQ(tsv_error("0\ta\n\n1\tb\n"), "d.tsv:2: line must be label<TAB>text; found no tab");
  EXPECT_EQ(tsv_error("0\ta\n\tb\n"), "d.tsv:2: line must be label<TAB>text; found an empty label");
  EXPECT_EQ(tsv_error("0\ta\n1\tb\n1\tcaf\xE9\n"),
            "d.tsv:3: text must be UTF-8; found byte 0xe9 at offset 5");
}

TEST_F(CorpusTest, FilesWithoutExamplesAreNamed) {
  for (const char* bytes : {"", "\n", " \r\n\n", "\xEF\xBB\xBF"})
    EXPECT_EQ(tsv_error(bytes), "d.tsv: file must hold at least one example; found none");
  EXPECT_EQ(without_folder(error_of<FileError>([&] { read_tsv(folder_ / "none.tsv"); })),
            "none.tsv: must be a readable file; found: No such file or directory");
}

TEST_F(CorpusTest, ClassFilesAreNamedByStem) {
  const auto neg = folder_.write("neg.txt", "bad \nworse\n"),
             pos = folder_.write("pos.txt", "good");
  const Corpus corpus = read_class_files({pos, neg});
  EXPECT_EQ(corpus.classes, (Strings{"neg", "pos"}));
  EXPECT_EQ(labels_of(corpus), (Labels{1, 0, 0}));
  EXPECT_EQ(texts_of(corpus), (Strings{"good", "bad ", "worse"}));
}

TEST_F(CorpusTest, ClassFilesAreNamedByExtension) {
  const auto neg = folder_.write("rt-polarity.neg", "bad"),
             pos = folder_.write("rt-polarity.pos", "good"),
             other = folder_.write("held.pos", "ok");
  EXPECT_EQ(read_class_files({neg, pos}).classes, (Strings{"neg", "pos"}));
  EXPECT_EQ(labels_of(read_class_files({pos}, {"neg", "pos"})), Labels{1});
  EXPECT_EQ(labels_of(read_class_files({neg, other}, {"neg", "pos"})), (Labels{0, 1}));
}

TEST_F(CorpusTest, BadClassFilesAreNamed) {
  const auto a = folder_.write("a", "x"), txt = folder_.write("a.txt", "x\n\ny");
  const auto error = [&](const std::vector<std::filesystem::path>& paths, const Strings& classes) {
    return without_folder(error_of<FileError>([&] { read_class_files(paths, classes); }));
  };
  EXPECT_EQ(error({a, txt}, {}),
            "class files must differ in stem or in extension, which is the class; found a, a.txt");
  EXPECT_EQ(error({a}, {"neg", "pos"}),
            "class files must differ in stem or in extension, which is the class, one of neg, pos; "
            "found a");
  EXPECT_EQ(error({txt}, {}), "a.txt:2: line must hold a text; found a blank line");
}

TEST_F(CorpusTest, ArbitraryBytesAreACorpusOrAnError) {
  const std::string bytes = "pos\tg\xC3\xB6od\r\nneg\tbad\n\n";
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int byte = 0; byte < 256; byte += 15) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(byte);
      try {
        tsv(changed);
      } catch (const FileError&) {
      }
    }
}

}  // namespace
}  // namespace reel
