#include <reel/data/conllu.hpp>
#include <reel/data/file.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;

using Strings = std::vector<std::string>;

// Columns parted by spaces, which are made tabs, except in comments.
std::string rows(std::string text) {
  bool comment = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 0 || text[i - 1] == '\n') comment = text[i] == '#';
    if (text[i] == ' ' && !comment) text[i] = '\t';
  }
  return text;
}

const std::string kText = rows(
    "# sent_id = 1\n"
    "# text = Don't go\n"
    "0.1 _ _ _ _ _ _ _ _ _\n"
    "1-2 Don't _ _ _ _ _ _ _ _\n"
    "1 Do do AUX VB Mood=Imp 3 aux _ _\n"
    "2 n't not PART RB _ 3 advmod _ _\n"
    "2.1 you you PRON PRP _ _ _ 3:nsubj _\n"
    "2.2 too too ADV RB _ _ _ 3:advmod _\n"
    "3 go go VERB VB _ 0 root _ SpaceAfter=No\n"
    "\n"
    "1 Да да INTJ UH _ 0 root _ _\n"
    "\n");

std::string error(std::string_view text) {
  return error_of<FileError>([&] { parse_conllu(rows(std::string(text)), "f"); });
}
const std::string kWord = "1 a a X X _ _ _ _ _\n";

TEST(ConlluTest, ReadsSentences) {
  const auto sentences = parse_conllu(kText, "f");
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].comments, (Strings{"# sent_id = 1", "# text = Don't go"}));
  EXPECT_EQ(sentences[0].rows.size(), 7u);
  EXPECT_EQ(sentences[0].words(), (std::vector<std::size_t>{2, 3, 6}));
  EXPECT_EQ(sentences[0].rows[3][ConlluColumn::kLemma], "not");
  EXPECT_EQ(sentences[0].rows[6][conllu_column("misc")], "SpaceAfter=No");
  EXPECT_EQ(sentences[0].first_line, 3u);
  EXPECT_EQ(sentences[1].first_line, 11u);
  EXPECT_EQ(sentences[1].rows[0][ConlluColumn::kForm], "Да");
}

TEST(ConlluTest, WritesWhatItRead) {
  std::string text;
  for (const ConlluSentence& sentence : parse_conllu(kText, "f")) text += format_conllu(sentence);
  EXPECT_EQ(text, kText);
}

TEST(ConlluTest, EndsOfLinesAndOfTheFileDoNotMatter) {
  std::string crlf = "\xEF\xBB\xBF";
  for (const char c : kText) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  for (const std::string& text : {crlf, kText.substr(0, kText.size() - 2), kText + "\n\n"}) {
    std::string again;
    for (const ConlluSentence& sentence : parse_conllu(text, "f")) again += format_conllu(sentence);
    EXPECT_EQ(again, kText);
  }
}

TEST(ConlluTest, SaysWhereTheFormatIsBroken) {
  EXPECT_EQ(error(""), "f: file must hold at least one sentence; found none");
  EXPECT_EQ(error("\n" + kWord + "2 b b X X _ _ _ _\n"),
            "f:3: a row must have 10 columns, parted by tabs; found 9");
  EXPECT_EQ(error(kWord + "2 b  X X _ _ _ _ _\n"),
            "f:2: column lemma must not be empty; _ stands for nothing");
  EXPECT_EQ(error(kWord + "2 b b X X _ _ _ _ \n"),
            "f:2: column misc must not be empty; _ stands for nothing");
  EXPECT_EQ(error(kWord + "# late\n"), "f:2: a comment must stand before the rows of its sentence");
  EXPECT_EQ(error(kWord + kWord), "f:2: the id of this word must be 2; found \"1\"");
  EXPECT_EQ(error("x a a X X _ _ _ _ _\n"), "f:1: the id of this word must be 1; found \"x\"");
  EXPECT_EQ(error("01 a a X X _ _ _ _ _\n"), "f:1: the id of this word must be 1; found \"01\"");
  EXPECT_EQ(error(kWord + "\n2 a a X X _ _ _ _ _\n"),
            "f:3: the id of this word must be 1; found \"2\"");
  for (const char* id : {"2-3", "1-1", "1-", "1-x"})
    EXPECT_EQ(error(id + std::string(" a _ _ _ _ _ _ _ _\n") + kWord),
              fmt::format("f:1: a multiword token's id must be 1-N, N the last of its words; "
                          "found \"{}\"",
                          id));
  EXPECT_EQ(error(kWord + "2.1 a a X X _ _ _ _ _\n"),
            "f:2: the id of this empty node must be 1.1; found \"2.1\"");
  EXPECT_EQ(error(kWord + "1.2 a a X X _ _ _ _ _\n"),
            "f:2: the id of this empty node must be 1.1; found \"1.2\"");
  EXPECT_EQ(error("1-3 a _ _ _ _ _ _ _ _\n" + kWord + "\n"),
            "f:3: the sentence must have the words up to 3 of a multiword token; found 1");
  EXPECT_EQ(error("# alone\n\n"), "f:2: a sentence must have words; found none before this line");
  EXPECT_EQ(error("0.1 a a X X _ _ _ _ _\n"),
            "f:2: a sentence must have words; found none before this line");
  EXPECT_EQ(error(kWord + "2 \xff b X X _ _ _ _ _\n"),
            "f:2: text must be UTF-8; found byte 0xff at offset 2");
}

TEST(ConlluTest, ReadsFiles) {
  const TempFolder folder;
  EXPECT_EQ(read_conllu(folder.write("a.conllu", kText)).size(), 2u);
  EXPECT_NE(error_of<FileError>([&] {
              read_conllu(folder.write("b.conllu", "1\n"));
            }).find("b.conllu:1: a row must have 10 columns"),
            std::string::npos);
  EXPECT_THROW(read_conllu(folder / "missing"), FileError);
}

TEST(ConlluTest, NamesColumns) {
  EXPECT_EQ(conllu_column("upos"), ConlluColumn::kUpos);
  EXPECT_EQ(error_of<Error>([] { conllu_column("UPOS"); }),
            "conllu_column: the name must be one of id, form, lemma, upos, xpos, feats, head, "
            "deprel, deps, misc; got \"UPOS\"");
}

TEST(ConlluTest, MakesASentenceOfWords) {
  EXPECT_EQ(format_conllu(make_conllu(Strings{"a", "b"})),
            rows("1 a _ _ _ _ _ _ _ _\n2 b _ _ _ _ _ _ _ _\n\n"));
  EXPECT_THROW(make_conllu(Strings{"a\tb"}), Error);
  EXPECT_THROW(make_conllu(Strings{""}), Error);
}

TEST(ConlluTest, TagsAreThoseOfWords) {
  const auto sentences = parse_conllu(kText, "f");
  const auto tagged = tagged_sentences(sentences, ConlluColumn::kUpos, "f");
  ASSERT_EQ(tagged.size(), 2u);
  EXPECT_EQ(tagged[0].words, (Strings{"Do", "n't", "go"}));
  EXPECT_EQ(tagged[0].tags, (Strings{"AUX", "PART", "VERB"}));
  EXPECT_EQ(tags_of(tagged), (Strings{"AUX", "INTJ", "PART", "VERB"}));
  EXPECT_EQ(error_of<FileError>([&] { tagged_sentences(sentences, ConlluColumn::kFeats, "f"); }),
            "f:6: the word must have a tag in column feats; found _");
}

// A treebank comes out as it went in.
void expect_kept(const std::filesystem::path& path) {
  std::string text;
  for (const ConlluSentence& sentence : read_conllu(path)) text += format_conllu(sentence);
  EXPECT_TRUE(text == read_file(path)) << path;
}

TEST(ConlluTest, KeepsTheBundledTreebank) {
  for (const char* name : {"train", "dev", "test"})
    expect_kept(fmt::format("{}/apps/tag/ewt/{}.conllu", REEL_SOURCE_DIR, name));
}

// Whole ones, with comments, multiword tokens and empty nodes, where they are at hand.
TEST(ConlluTest, KeepsTreebanks) {
  const std::filesystem::path folder = REEL_SOURCE_DIR "/../shared/data";
  bool any = false;
  for (const char* name : {"ud-english-ewt/en_ewt-ud-dev", "ud-russian-gsd/ru_gsd-ud-test"}) {
    const auto path = folder / (std::string(name) + ".conllu");
    if (!std::filesystem::exists(path)) continue;
    any = true;
    expect_kept(path);
  }
  if (!any) GTEST_SKIP() << "no treebanks in " << folder;
}

}  // namespace
}  // namespace reel
