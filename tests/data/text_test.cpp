#include <fmt/format.h>
#include <gtest/gtest.h>
#include <reel/autodiff/random.hpp>
#include <reel/data/text.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using reel::test::error_of;
using Tokens = std::vector<std::string>;

std::string join(const Tokens& tokens) { return fmt::format("{}", fmt::join(tokens, " ")); }

std::string encode(std::uint32_t point) {
  const auto tail = [point](int shift) {
    return static_cast<char>(0x80 | (point >> shift & 0x3F));
  };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(TextTest, PunctuationAndSymbolsStandApart) {
  EXPECT_EQ(tokenize("A good, (very) good film!!"),
            (Tokens{"a", "good", ",", "(", "very", ")", "good", "film", "!", "!"}));
  EXPECT_EQ(tokenize("$5 a+b 3.5% 😀🎬 ¡olé!"),
            (Tokens{"$", "5", "a", "+", "b", "3", ".", "5", "%", "😀", "🎬", "¡", "olé", "!"}));
}

TEST(TextTest, HyphensSeparateAndInnerApostrophesStay) {
  EXPECT_EQ(tokenize("feel-good -- don't, it's the characters' 'best' l'amour rock'n'roll"),
            (Tokens{"feel", "-", "good", "-", "-", "don't", ",", "it's", "the", "characters", "'",
                    "'", "best", "'", "l'amour", "rock'n'roll"}));
  EXPECT_EQ(tokenize("a''b 'em wo n't"), (Tokens{"a", "'", "'", "b", "'", "em", "wo", "n't"}));
}

TEST(TextTest, AllApostrophesAreOne) {
  EXPECT_EQ(tokenize("don\u2019t \u2018so\u2019 п\u02BCять Hawai\u2018i"),
            (Tokens{"don't", "'", "so", "'", "п'ять", "hawai'i"}));
}

TEST(TextTest, CaseIsFoldedInFull) {
  EXPECT_EQ(tokenize("STRASSE Straße ΣΊΣΥΦΟΣ Хорошо ﬁn"),
            (Tokens{"strasse", "strasse", "σίσυφοσ", "хорошо", "fin"}));
}

TEST(TextTest, MarksStayWithTheirLetterAndCompose) {
  EXPECT_EQ(tokenize("cafe\u0301 CAFÉ"), (Tokens{"café", "café"}));
  EXPECT_EQ(tokenize("и\u0306 हिन्दी q\u0323\u0307"), (Tokens{"й", "हिन्दी", "q\u0323\u0307"}));
  EXPECT_EQ(tokenize("q\u0307\u0323"), tokenize("q\u0323\u0307"));
  EXPECT_EQ(tokenize("\u0301a !\u0301a"), (Tokens{"\u0301a", "!\u0301", "a"}));
}

TEST(TextTest, ScriptsWithoutSpacesSplitByLetter) {
  EXPECT_EQ(tokenize("我喜欢这部iPhone电影。"),
            (Tokens{"我", "喜", "欢", "这", "部", "iphone", "电", "影", "。"}));
  EXPECT_EQ(tokenize("とても面白い・アニメー"),
            (Tokens{"と", "て", "も", "面", "白", "い", "・", "アニメー"}));
  EXPECT_EQ(tokenize("ดีที่สุด"), (Tokens{"ดี", "ที่", "สุ", "ด"}));
  EXPECT_EQ(tokenize("정말 재미있다"), (Tokens{"정말", "재미있다"}));
}

TEST(TextTest, SpacesControlsAndIgnorableCodePointsVanish) {
  EXPECT_EQ(tokenize(" a\u00A0b\u3000c\r\n\td\u2028e "), (Tokens{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(tokenize(std::string_view("a\0b\x07", 4)), (Tokens{"a", "b"}));
  EXPECT_EQ(tokenize("\uFEFFso\u00ADft me\u200Dlt ❤\uFE0F"), (Tokens{"soft", "melt", "❤"}));
  EXPECT_EQ(tokenize(""), Tokens{});
  EXPECT_EQ(tokenize(" \t\n"), Tokens{});
}

TEST(TextTest, InvalidBytesAreFoundAtTheirOffset) {
  const auto npos = std::string_view::npos;
  EXPECT_EQ(find_invalid_utf8(""), npos);
  EXPECT_EQ(find_invalid_utf8("aé我😀\uFFFF"), npos);
  EXPECT_EQ(find_invalid_utf8("caf\xE9 x"), 3u);         // Latin-1
  EXPECT_EQ(find_invalid_utf8("ab\x80"), 2u);            // continuation first
  EXPECT_EQ(find_invalid_utf8("\xC0\xAF"), 0u);          // overlong
  EXPECT_EQ(find_invalid_utf8("a\xED\xA0\x80"), 1u);     // surrogate
  EXPECT_EQ(find_invalid_utf8("\xF4\x90\x80\x80"), 0u);  // past U+10FFFF
  EXPECT_EQ(find_invalid_utf8("é\xF0\x9F\x98"), 2u);     // cut off
  EXPECT_EQ(test::error_of([] { tokenize("caf\xE9"); }),
            "tokenize: text must be UTF-8; found byte 0xe9 at offset 3");
}

TEST(TextTest, TokensJoinedBySpacesGiveThemselves) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    const std::string letter = encode(point);
    const Tokens tokens = tokenize("a" + letter + "b\u0301 " + letter + letter);
    ASSERT_EQ(tokenize(join(tokens)), tokens) << fmt::format("U+{:04X}", point);
  }
}

TEST(TextTest, RandomTextGivesTokensThatGiveThemselves) {
  const Tokens pieces = {"a",      "É",      "ß",      "'",      "\u2019", "\u02BC", "-",  " ",
                         "\u0301", "\u0323", "\u0345", "\u200D", "\uFE0F", "我",     "の", "ที่",
                         "ŉ",      "ΐ",      "9",      "!",      "😀",      "\n",     "각", "ﬃ"};
  Random random(7);
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string text;
    for (auto length = random.below(12); length > 0; --length)
      text += pieces[random.below(pieces.size())];
    const Tokens tokens = tokenize(text);
    ASSERT_EQ(tokenize(join(tokens)), tokens) << text;
  }
}

TEST(TextTest, ArbitraryBytesAreTokensOrAnError) {
  Random random(8);
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string bytes;
    for (auto length = random.below(8); length > 0; --length)
      bytes += static_cast<char>(random.below(256));
    if (find_invalid_utf8(bytes) == bytes.npos)
      EXPECT_NO_THROW(tokenize(bytes));
    else
      EXPECT_THROW(tokenize(bytes), Error);
  }
}

TEST(TextTest, LineEndsAreTokensToo) {
  EXPECT_EQ(tokenize_lines("A b.\n\nIt's C"), (Tokens{"a", "b", ".", "\n", "\n", "it's", "c"}));
  EXPECT_EQ(tokenize_lines("a\r\nb\n"), (Tokens{"a", "\n", "b", "\n"}));
  EXPECT_EQ(tokenize_lines(""), Tokens{});
  EXPECT_EQ(error_of([] { tokenize_lines("a\nb\xff"); }),
            "tokenize: text must be UTF-8; found byte 0xff at offset 1");
}

TEST(TextTest, CharactersAreCodePointsAsTheyAre) {
  EXPECT_EQ(characters("Aé\n日😀 e\u0301"), (Tokens{"A", "é", "\n", "日", "😀", " ", "e", "\u0301"}));
  EXPECT_EQ(characters(""), Tokens{});
  EXPECT_EQ(error_of([] { characters("a\xff"); }),
            "characters: text must be UTF-8; found byte 0xff at offset 1");
}

}  // namespace
}  // namespace reel
