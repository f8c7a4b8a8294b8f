#include <reel/data/word_vectors.hpp>

#include "temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using test::error_of;
using test::TempFolder;

class WordVectorsTest : public testing::Test {
 protected:
  WordVectors read(std::string_view bytes) const {
    return read_word_vectors(folder_.write("v.txt", bytes), vocabulary_);
  }
  // The error for these bytes, from the file's name on.
  std::string error(std::string_view bytes) const {
    const std::string text = error_of<FileError>([&] { read(bytes); });
    const std::size_t at = text.find("v.txt");
    return at == text.npos ? text : text.substr(at);
  }

  TempFolder folder_;
  // the 2, film 3, fin 4
  Vocabulary vocabulary_{
      std::vector<std::vector<std::string>>{{"the", "the", "the", "film", "film", "fin"}}};
};

using Indexes = std::vector<std::int64_t>;

TEST_F(WordVectorsTest, OnlyWordsOfTheVocabularyAreKept) {
  const WordVectors found = read("the 0.5 -1\nother 7 8\nfin 1e-3 2.5e+1\n");
  EXPECT_EQ(found.indices, (Indexes{2, 4}));
  EXPECT_EQ(found.vectors, (Array{{0.5, -1}, {real(1e-3), 25}}));
  EXPECT_EQ(found.width(), 2u);
}

TEST_F(WordVectorsTest, EveryFormatGivesTheSame) {
  const WordVectors glove = read("fin 1 2 3\nthe 4 5 6\n");
  for (const char* bytes : {"2 3\nfin 1 2 3\nthe 4 5 6\n", "2 3\nfin 1 2 3 \nthe 4 5 6 \n",
                            "2 3\r\nfin\t1\t2\t3\r\nthe 4  5 6\r\n",
                            "\xEF\xBB\xBF"
                            "fin 1 2 3\nthe 4 5 6"}) {
    const WordVectors same = read(bytes);
    EXPECT_EQ(same.indices, glove.indices) << bytes;
    EXPECT_EQ(same.vectors, glove.vectors) << bytes;
  }
}

TEST_F(WordVectorsTest, OfAWordThatComesTwiceTheFirstCounts) {
  const WordVectors found = read("the 1 2\nthe 3 4\n");
  EXPECT_EQ(found.indices, Indexes{2});
  EXPECT_EQ(found.vectors, (Array{{1, 2}}));
}

TEST_F(WordVectorsTest, UnknownHasAVectorAndPaddingHasNone) {
  EXPECT_EQ(read("<pad> 1 2\n<unk> 3 4\n").indices, Indexes{Vocabulary::kUnknown});
}

TEST_F(WordVectorsTest, NoneFoundIsNoError) {
  const WordVectors found = read("other 1 2\n");
  EXPECT_EQ(found.indices, Indexes{});
  EXPECT_EQ(found.width(), 2u);
}

TEST_F(WordVectorsTest, MissingWordsKeepTheirStart) {
  Array table = full_array({5, 2}, 9);
  read("fin 1 2\nfilm 3 4\n").copy_to(table);
  EXPECT_EQ(table, (Array{{9, 9}, {9, 9}, {9, 9}, {3, 4}, {1, 2}}));
  Array narrow = full_array({5, 3}, 9), shallow = full_array({4, 2}, 9);
  EXPECT_EQ(error_of<ShapeError>([&] { read("fin 1 2\n").copy_to(narrow); }),
            "word vectors: the table must be [vocabulary, 2]; got [5, 3]");
  EXPECT_THROW(read("fin 1 2\n").copy_to(shallow), ShapeError);
}

TEST_F(WordVectorsTest, AWordMayHoldSpaces) {
  const WordVectors found = read("the 1 2\n. . . 3 4\nat name@domain.com 5 6\nfin 7 8\n");
  EXPECT_EQ(found.indices, (Indexes{2, 4}));
  EXPECT_EQ(found.vectors, (Array{{1, 2}, {7, 8}}));
}

TEST_F(WordVectorsTest, BadLinesAreNamed) {
  EXPECT_EQ(error("the 1 2\nfin 1\n"),
            "v.txt:2: line must be a word and 2 numbers; found 2 fields");
  EXPECT_EQ(error("the 1 2\nfin 1 2 3\n"),
            "v.txt:2: line must be a word and 2 numbers; found 4 fields");
  EXPECT_EQ(error("the 1 2\n\nfin 1 2\n"),
            "v.txt:2: line must be a word and 2 numbers; found 0 fields");
  EXPECT_EQ(error("the\n"), "v.txt:1: line must be a word and numbers; found 1 fields");
  EXPECT_EQ(error("the 1 2\nfin 1 x\n"), R"(v.txt:2: number 2 must be finite; found "x")");
  EXPECT_EQ(error("the 1 2,5\n"), R"(v.txt:1: number 2 must be finite; found "2,5")");
  EXPECT_EQ(error("the nan 2\n"), R"(v.txt:1: number 1 must be finite; found "nan")");
  EXPECT_EQ(error("the 1 2\ncaf\xE9 1 2\n"),
            "v.txt:2: text must be UTF-8; found byte 0xe9 at offset 3");
}

TEST_F(WordVectorsTest, BadFilesAreNamed) {
  EXPECT_EQ(error(""), "v.txt: file must hold at least one vector; found none");
  EXPECT_EQ(error("2 3\n"), "v.txt: file must hold at least one vector; found none");
  EXPECT_EQ(error("3 2\nthe 1 2\nfin 1 2\n"),
            "v.txt:1: the first line says how many words follow: 3; found 2");
  EXPECT_EQ(error("2 3\nthe 1 2\nfin 1 2\n"),
            "v.txt:2: line must be a word and 3 numbers; found 3 fields");
  const auto of = [&](const std::string& name) {
    return error_of<FileError>([&] { read_word_vectors(folder_ / name, vocabulary_); });
  };
  EXPECT_TRUE(of("none").ends_with("must be a readable file; found: No such file or directory"));
  EXPECT_TRUE(of("").ends_with("must be a readable file; found: Is a directory"));
}

TEST_F(WordVectorsTest, ArbitraryBytesAreVectorsOrAnError) {
  const std::string bytes = "2 2\nthe 0.5 -1\nfin 1e3 2 \n";
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int byte = 0; byte < 256; byte += 15) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(byte);
      try {
        EXPECT_LE(read(changed).indices.size(), 3u);
      } catch (const FileError&) {
      }
    }
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
