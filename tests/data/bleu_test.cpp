// Expected numbers are worked out by hand from the definitions.
#include <reel/data/bleu.hpp>

#include <cmath>

#include "temp_folder.hpp"

namespace reel {
namespace {

using Strings = std::vector<std::string>;
using References = std::vector<Strings>;

Bleu one(const std::string& hypothesis, const Strings& references) {
  return corpus_bleu(Strings{hypothesis}, References{references});
}

TEST(Bleu, WordsAreThoseOf13a) {
  const auto words = tokenize_13a;
  EXPECT_EQ(words("Hello, world!"), (Strings{"Hello", ",", "world", "!"}));
  EXPECT_EQ(words("It's 3.5 or 1,000 (maybe)."),
            (Strings{"It's", "3.5", "or", "1,000", "(", "maybe", ")", "."}));
  EXPECT_EQ(words("well-known 1990-91"), (Strings{"well-known", "1990", "-", "91"}));
  EXPECT_EQ(words("a.b .5 5. x,y"), (Strings{"a", ".", "b", ".", "5", "5", ".", "x", ",", "y"}));
  EXPECT_EQ(words("&quot;A&amp;B&quot; &lt;c&gt;"),
            (Strings{"\"", "A", "&", "B", "\"", "<", "c", ">"}));
  EXPECT_EQ(words("Ça va\xC2\xA0? Non\xE2\x80\xAF!"), (Strings{"Ça", "va", "?", "Non", "!"}));
  EXPECT_EQ(words("« L’été »."), (Strings{"«", "L’été", "»", "."}));
  EXPECT_EQ(words("a/b@c#d%e"), (Strings{"a", "/", "b", "@", "c", "#", "d", "%", "e"}));
  EXPECT_EQ(words("wait... what"), (Strings{"wait", ".", ".", ".", "what"}));
  EXPECT_EQ(words("  "), Strings{});
  EXPECT_THROW(words("\xFF"), Error);
}

TEST(Bleu, AnEqualTextHasAHundred) {
  const Bleu bleu = one("the cat sat on the mat", {"the cat sat on the mat"});
  EXPECT_NEAR(bleu.score, 100, 1e-9);
  EXPECT_EQ(bleu.brevity_penalty, 1);
}

TEST(Bleu, PrecisionsAreCountedOverTheCorpus) {
  // Of 6 words 5 match, of 5 pairs 3, of 4 triples 2, of 3 fourfold ones 1.
  const Bleu bleu = one("the cat sat on a mat", {"the cat sat on the mat"});
  const std::array<double, 4> expected{100 * 5. / 6, 100 * 3. / 5, 100 * 2. / 4, 100 * 1. / 3};
  double logs = 0;
  for (std::size_t n = 0; n < 4; ++n) {
    EXPECT_NEAR(bleu.precisions[n], expected[n], 1e-9);
    logs += std::log(expected[n]) / 4;
  }
  EXPECT_NEAR(bleu.score, std::exp(logs), 1e-9);

  // Two sentences are one set of counts: (5 + 4) / (6 + 4) and so on.
  const Bleu both = corpus_bleu(Strings{"the cat sat on a mat", "a b c d"},
                                References{{"the cat sat on the mat"}, {"a b c d"}});
  EXPECT_NEAR(both.precisions[0], 100 * 9. / 10, 1e-9);
  EXPECT_NEAR(both.precisions[1], 100 * 6. / 8, 1e-9);
  EXPECT_NEAR(both.precisions[3], 100 * 2. / 4, 1e-9);
}

TEST(Bleu, MatchesAreClipped) {
  // "the" stands twice in the first reference, once in the second.
  const Bleu bleu =
      one("the the the the the the the", {"the cat is on the mat", "there is a cat on the mat"});
  EXPECT_NEAR(bleu.precisions[0], 100 * 2. / 7, 1e-9);
  // No longer match: 6, 5 and 4 n-grams, smoothed by 2, 4 and 8.
  EXPECT_NEAR(bleu.precisions[1], 100 / (2. * 6), 1e-9);
  EXPECT_NEAR(bleu.precisions[2], 100 / (4. * 5), 1e-9);
  EXPECT_NEAR(bleu.precisions[3], 100 / (8. * 4), 1e-9);
  EXPECT_EQ(bleu.reference_words, 7u);
}

TEST(Bleu, ShortOnesAreBehind) {
  const Bleu bleu = one("a b c d", {"a b c d e"});
  EXPECT_NEAR(bleu.brevity_penalty, std::exp(1 - 5. / 4), 1e-12);
  EXPECT_NEAR(bleu.score, 100 * std::exp(1 - 5. / 4), 1e-9);
  // The nearest length counts, of equally near ones the shorter.
  EXPECT_EQ(one("a b c d", {"a b c d e f", "a b c"}).reference_words, 3u);
  EXPECT_EQ(one("a b c d", {"a b c d e", "a b c"}).reference_words, 3u);
  EXPECT_EQ(one("a b c d", {"a b c d e", "a b"}).reference_words, 5u);
}

TEST(Bleu, NothingInCommonAndShortTextsHaveZero) {
  EXPECT_EQ(one("x y z w v", {"a b c d e"}).score, 0);
  EXPECT_EQ(one("", {"a b"}).score, 0);
  EXPECT_EQ(one("a b", {"a b"}).score, 0);  // no 4-gram to count
}

TEST(Bleu, WrongInputIsRefused) {
  EXPECT_THROW(corpus_bleu({}, {}), Error);
  EXPECT_THROW(one("a", {}), Error);
  EXPECT_THROW(corpus_bleu(Strings{"a", "b"}, References{{"a"}}), Error);
}

}  // namespace
}  // namespace reel
