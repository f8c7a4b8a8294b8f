#include <reel/data/file.hpp>
#include <reel/data/vocabulary.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;

const std::vector<std::vector<std::string>> kTexts = {
    {"the", "film", "is", "good"}, {"the", "film", "is", "é"}, {"the", "plot"}, {}};

std::vector<std::string> tokens_of(const Vocabulary& vocabulary) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    tokens.push_back(vocabulary.token(static_cast<std::int64_t>(i)));
  return tokens;
}

TEST(VocabularyTest, OrderIsByCountThenByBytes) {
  EXPECT_EQ(tokens_of(Vocabulary(kTexts)),
            (std::vector<std::string>{"<pad>", "<unk>", "the", "film", "is", "good", "plot", "é"}));
}

TEST(VocabularyTest, LimitsKeepTheMostFrequent) {
  EXPECT_EQ(tokens_of(Vocabulary(kTexts, {.min_count = 2})),
            (std::vector<std::string>{"<pad>", "<unk>", "the", "film", "is"}));
  EXPECT_EQ(tokens_of(Vocabulary(kTexts, {.max_size = 4})),
            (std::vector<std::string>{"<pad>", "<unk>", "the", "film"}));
  EXPECT_EQ(Vocabulary(kTexts, {.max_size = 2}), Vocabulary());
  EXPECT_EQ(error_of([] { Vocabulary(kTexts, {.max_size = 1}); }),
            "vocabulary: max_size must have room for <pad> and <unk>; got 1");
}

TEST(VocabularyTest, IndexAndTokenAreInverse) {
  const Vocabulary vocabulary(kTexts);
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(vocabulary.index(vocabulary.token(i)), i);
  EXPECT_EQ(vocabulary.index("absent"), Vocabulary::kUnknown);
  EXPECT_EQ(vocabulary.index("<pad>"), Vocabulary::kPad);
  EXPECT_EQ(vocabulary.encode(std::vector<std::string>{"good", "absent", "the"}),
            (std::vector<std::int64_t>{5, 1, 2}));
  EXPECT_EQ(error_of([&] { vocabulary.token(8); }), "vocabulary: index must be in 0 .. 7; got 8");
  EXPECT_EQ(error_of([&] { vocabulary.token(-1); }), "vocabulary: index must be in 0 .. 7; got -1");
}

TEST(VocabularyTest, SpecialsInTextsAreNotCounted) {
  const std::vector<std::vector<std::string>> texts = {{"<unk>", "<unk>", "a", "<pad>"}};
  EXPECT_EQ(tokens_of(Vocabulary(texts)), (std::vector<std::string>{"<pad>", "<unk>", "a"}));
}

TEST(VocabularyTest, CopiesStandAlone) {
  Vocabulary copy;
  {
    const Vocabulary original(kTexts);
    copy = original;
  }
  EXPECT_EQ(copy.index("plot"), 6);
}

TEST(VocabularyTest, FileComesBack) {
  const TempFolder folder;
  const std::vector<std::vector<std::string>> texts = {{"\"", "\\", "é", "我", "\n", ""}};
  const Vocabulary vocabulary(texts);
  vocabulary.save(folder / "vocabulary.json");
  EXPECT_EQ(Vocabulary::load(folder / "vocabulary.json"), vocabulary);
  EXPECT_EQ(Vocabulary().to_json(), "[\n\"<pad>\",\n\"<unk>\"\n]\n");
}

TEST(VocabularyTest, MalformedFilesAreNamed) {
  const auto error = [](std::string_view json) {
    return error_of<FileError>([&] { Vocabulary::from_json(json, "v.json"); });
  };
  EXPECT_EQ(error(R"({"a": 1})"), "v.json: vocabulary must be a JSON list; found object");
  EXPECT_EQ(error(R"([])"), "v.json: vocabulary must begin with <pad>, <unk>; found a list of 0");
  EXPECT_EQ(error(R"(["<pad>"])"),
            "v.json: vocabulary must begin with <pad>, <unk>; found a list of 1");
  EXPECT_EQ(error(R"(["<pad>", "the"])"), R"(v.json: token 1 must be <unk>; found "the")");
  EXPECT_EQ(error(R"(["<pad>", "<unk>", 7])"), "v.json: token 2 must be a string; found number");
  EXPECT_EQ(error(R"(["<pad>", "<unk>", "a", "b", "a"])"),
            R"(v.json: tokens must differ; found "a" at 2 and 4)");
  EXPECT_EQ(error(R"(["<pad>", "<unk>", "<pad>"])"),
            R"(v.json: tokens must differ; found "<pad>" at 0 and 2)");
  EXPECT_EQ(error("[\n\"<pad>\",\n\"<un"),
            "v.json:3: text must be JSON; found an error after column 4");
  EXPECT_EQ(error(""), "v.json:1: text must be JSON; found an error after column 0");
  EXPECT_EQ(error("[\"<pad>\", \"\xFF\"]"),
            "v.json:1: text must be JSON; found an error after column 11");
  EXPECT_EQ(error(std::string(1'000'000, '[')),
            "v.json: JSON must nest at most 16 deep; found more");
}

TEST(VocabularyTest, EveryTruncationIsAnError) {
  const std::string json = Vocabulary(kTexts).to_json();
  for (std::size_t size = 0; size + 1 < json.size(); ++size)
    EXPECT_THROW(Vocabulary::from_json(json.substr(0, size), "v.json"), FileError);
}

}  // namespace
}  // namespace reel
