#include <fmt/format.h>
#include <reel/autodiff/random.hpp>
#include <reel/data/byte_pairs.hpp>

#include <algorithm>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;
using Strings = std::vector<std::string>;
using Tokens = std::vector<std::int64_t>;

Strings pieces(const BytePairs& pairs, std::string_view text) {
  Strings all;
  for (const std::int64_t token : pairs.encode(text)) all.push_back(pairs.token(token));
  return all;
}

TEST(BytePairs, WordsAreRunsWithTheBlankBeforeThem) {
  const auto words = detail::byte_pair_words;
  EXPECT_EQ(words("Go home"), (Strings{"▁Go", "▁home"}));
  EXPECT_EQ(words("L'amour, 25 fois!"), (Strings{"▁L'", "amour", ",", "▁25", "▁fois", "!"}));
  EXPECT_EQ(words("été\xC2\xA0?"), (Strings{"▁été", "\xC2\xA0?"}));
  EXPECT_EQ(words(" a  b"), (Strings{"▁", "▁a", "▁", "▁b"}));
  EXPECT_EQ(words("a--'b"), (Strings{"▁a", "-", "-", "'", "b"}));
}

TEST(BytePairs, TheMostFrequentPairsAreJoinedFirst) {
  // ab 5 times, then ▁ab, and at equal counts the pair of the more frequent characters.
  const BytePairs pairs = BytePairs::learn(Strings{"ab ab ab", "ab xab", "xy xy"}, {.size = 100});
  EXPECT_EQ(pieces(pairs, "ab"), Strings{"▁ab"});
  EXPECT_EQ(pieces(pairs, "xab"), (Strings{"▁x", "ab"}));
  EXPECT_EQ(pieces(pairs, "xy"), Strings{"▁xy"});
  EXPECT_EQ(pieces(pairs, "ba"), (Strings{"▁", "b", "a"}));
  EXPECT_EQ(pairs.token(4), "▁");  // seven times
  Strings learned;
  for (std::int64_t i = 4; i < static_cast<std::int64_t>(pairs.size()); ++i)
    learned.push_back(pairs.token(i));
  EXPECT_EQ(learned, (Strings{"▁", "a", "b", "x", "y", "ab", "▁ab", "▁x", "▁xy"}));
}

TEST(BytePairs, TheLimitsHold) {
  const Strings texts{"ab ab ab", "ab xab", "xy xy z"};
  EXPECT_EQ(BytePairs::learn(texts, {.size = 10}).size(), 10u);
  EXPECT_EQ(BytePairs::learn(texts, {.size = 6}).size(), 6u);  // the two first characters
  const BytePairs all = BytePairs::learn(texts, {.size = 100, .min_count = 1});
  EXPECT_EQ(pieces(all, "z"), Strings{"▁z"});
  const BytePairs some = BytePairs::learn(texts, {.size = 100, .min_count = 2});
  EXPECT_EQ(pieces(some, "z"), (Strings{"▁", "<unk>"}));
  EXPECT_EQ(some.decode(some.encode("az")), "a\xEF\xBF\xBD");
  EXPECT_THROW(BytePairs::learn(texts, {.size = 3}), Error);
}

Strings random_texts(std::size_t count) {
  Random random(3);
  const Strings parts{"a", "b", "ab", "é", "è", " ", " ", "l'", "?", "\xE2\x80\xAF", "7", "12"};
  Strings texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(20); n > 0; --n) text += parts[random.below(parts.size())];
    texts.push_back(text);
  }
  return texts;
}

TEST(BytePairs, DecodedTextIsTheText) {
  const Strings texts = random_texts(300);
  for (const std::size_t size : {20, 40, 200}) {
    const BytePairs pairs = BytePairs::learn(texts, {.size = size});
    for (const std::string& text : texts) EXPECT_EQ(pairs.decode(pairs.encode(text)), text);
    for (const std::string& text : random_texts(400))
      EXPECT_EQ(pairs.decode(pairs.encode(text)), text);
  }
}

TEST(BytePairs, SpecialTokensReadAsNothing) {
  const BytePairs pairs = BytePairs::learn(Strings{"ab ab"}, {.size = 100});
  Tokens tokens = pairs.encode("ab ab");
  tokens.insert(tokens.begin(), BytePairs::kStart);
  tokens.push_back(BytePairs::kEnd);
  tokens.push_back(BytePairs::kPad);
  EXPECT_EQ(pairs.decode(tokens), "ab ab");
  EXPECT_EQ(pairs.decode(Tokens{}), "");
  EXPECT_EQ(pairs.encode(""), Tokens{});
  EXPECT_THROW(pairs.decode(Tokens{1000}), Error);
  EXPECT_THROW(pairs.encode("\xFF"), Error);
}

TEST(BytePairs, TheOrderOfTextsDoesNotMatter) {
  Strings texts = random_texts(200);
  const BytePairs first = BytePairs::learn(texts, {.size = 60});
  std::reverse(texts.begin(), texts.end());
  EXPECT_TRUE(BytePairs::learn(texts, {.size = 60}) == first);
}

TEST(BytePairs, AreSavedAndRead) {
  const TempFolder folder;
  const Strings texts = random_texts(200);
  const BytePairs pairs = BytePairs::learn(texts, {.size = 60});
  pairs.save(folder / "b.json");
  const BytePairs again = BytePairs::load(folder / "b.json");
  EXPECT_TRUE(again == pairs);
  for (const std::string& text : texts) EXPECT_EQ(again.encode(text), pairs.encode(text));

  const auto error = [](const char* json) {
    return error_of<FileError>([&] { BytePairs::from_json(json, "b.json"); });
  };
  EXPECT_EQ(error("{}").substr(0, 47), "b.json: must be {\"characters\": [..], \"merges\": ");
  EXPECT_EQ(error(R"({"characters": ["a", "a"], "merges": []})"),
            R"(b.json: characters must be single and distinct; found "a")");
  EXPECT_EQ(error(R"({"characters": ["ab"], "merges": []})"),
            R"(b.json: characters must be single and distinct; found "ab")");
  EXPECT_EQ(error(R"({"characters": ["a"], "merges": [[4, 4], [4, 6]]})"),
            "b.json: merge 1 must join tokens that are there; found 6");
  EXPECT_EQ(error(R"({"characters": ["a"], "merges": [[4, 4, 4]]})"),
            "b.json: merge 0 must be two indices of tokens; found [4,4,4]");
  EXPECT_EQ(error(R"({"characters": ["a"], "merges": [[4.5, 4]]})"),
            "b.json: merge 0 must be two indices of tokens; found [4.5,4]");
  EXPECT_EQ(error(R"({"characters": [1e999], "merges": []})").substr(0, 39),
            "b.json: JSON must hold numbers that fit");
  std::string doubling = R"({"characters": ["a"], "merges": [[4, 4])";
  for (int token = 5; token < 60; ++token) doubling += fmt::format(", [{0}, {0}]", token);
  EXPECT_EQ(error((doubling + "]}").c_str()),
            "b.json: tokens must take at most 67108864 bytes in all; found more");
}

}  // namespace
}  // namespace reel
