#include <gtest/gtest.h>
#include <reel/autodiff/random.hpp>
#include <reel/data/kneser_ney.hpp>

#include <cmath>

#include "temp_folder.hpp"

namespace reel {
namespace {

using reel::test::error_of;
using Tokens = std::vector<std::int64_t>;

// Tokens below `vocabulary`, the low ones more often, each tied to the one `back` before it.
Tokens some_text(std::size_t size, std::size_t vocabulary, std::uint64_t seed,
                 std::size_t back = 1) {
  Random random(seed);
  Tokens text;
  for (std::size_t i = 0; i < size; ++i) {
    const double u = random.uniform();
    const auto draw = static_cast<std::int64_t>(u * u * static_cast<double>(vocabulary));
    text.push_back(i >= back && random.uniform() < 0.5
                       ? (text[i - back] * 3 + draw % 2) % static_cast<std::int64_t>(vocabulary)
                       : draw);
  }
  return text;
}

double sum_over_vocabulary(const KneserNey& model, const Tokens& context, std::size_t vocabulary) {
  double sum = 0;
  for (std::size_t w = 0; w < vocabulary; ++w)
    sum += model.probability(context, static_cast<std::int64_t>(w));
  return sum;
}

TEST(KneserNeyTest, ProbabilitiesSumToOneAfterAnyContext) {
  constexpr std::size_t kVocabulary = 30;
  const Tokens text = some_text(3000, kVocabulary, 1), other = some_text(200, kVocabulary, 2);
  for (std::size_t order = 1; order <= 5; ++order) {
    const KneserNey model(text, kVocabulary, order);
    for (std::size_t at = 0; at < other.size(); at += 7) {
      const std::size_t begin = at - std::min<std::size_t>(at, 6);
      const Tokens context(other.begin() + static_cast<std::ptrdiff_t>(begin),
                           other.begin() + static_cast<std::ptrdiff_t>(at));
      EXPECT_NEAR(sum_over_vocabulary(model, context, kVocabulary), 1, 1e-12) << order;
    }
    EXPECT_NEAR(sum_over_vocabulary(model, {29, 29, 29, 29, 29}, kVocabulary), 1, 1e-12);
    for (std::int64_t w = 0; w < 30; ++w) EXPECT_GT(model.probability({}, w), 0);
  }
}

// 0 1 0 2 0 1 over four tokens, worked out on paper; no discount can be estimated from so little,
// so these are 0.5, 1 and 1.5.
TEST(KneserNeyTest, ASmallBigramModelIsThatOfTheFormula) {
  const Tokens text{0, 1, 0, 2, 0, 1};
  const KneserNey model(text, 4, 2);
  EXPECT_EQ(model.discounts(1), (std::array{0.5, 1.0, 1.5}));
  EXPECT_EQ(model.discounts(2), (std::array{0.5, 1.0, 1.5}));
  // Before 0 stood: the start, 1, 2; before 1: 0; before 2: 0. Five in all; taken away: 1.5 + 0.5
  // + 0.5 of 5, spread over four tokens.
  const double spread = 2.5 / 5 / 4;
  const double p0 = 1.5 / 5 + spread, p1 = 0.5 / 5 + spread, p3 = spread;
  EXPECT_DOUBLE_EQ(model.probability({}, 0), p0);
  EXPECT_DOUBLE_EQ(model.probability({}, 1), p1);
  EXPECT_DOUBLE_EQ(model.probability({}, 2), p1);
  EXPECT_DOUBLE_EQ(model.probability({}, 3), p3);
  // After 0: 1 twice, 2 once; taken away: 1 + 0.5 of 3.
  const Tokens after{0};
  EXPECT_DOUBLE_EQ(model.probability(after, 1), 1.0 / 3 + 0.5 * p1);
  EXPECT_DOUBLE_EQ(model.probability(after, 2), 0.5 / 3 + 0.5 * p1);
  EXPECT_DOUBLE_EQ(model.probability(after, 0), 0.5 * p0);
  EXPECT_DOUBLE_EQ(model.probability(after, 3), 0.5 * p3);
  // After 3, which was never seen.
  EXPECT_DOUBLE_EQ(model.probability(Tokens{3}, 1), p1);
  // Only the last token counts.
  EXPECT_DOUBLE_EQ(model.probability(Tokens{2, 1, 0}, 1), 1.0 / 3 + 0.5 * p1);
}

// Counts of counts 4, 2, 1, 1 give y = 4 / 8, D1 = 1 - 2 y 2/4 = 0.5, D2 = 2 - 3 y 1/2 = 1.25 and
// D3 = 3 - 4 y 1/1 = 1.
TEST(KneserNeyTest, DiscountsAreEstimatedFromCountsOfCounts) {
  const Tokens text{0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7};
  const KneserNey model(text, 8, 1);
  EXPECT_EQ(model.discounts(1), (std::array{0.5, 1.25, 1.0}));
  const double spread = (4 * 0.5 + 2 * 1.25 + 2 * 1) / 15 / 8;
  EXPECT_DOUBLE_EQ(model.probability({}, 0), 0.5 / 15 + spread);
  EXPECT_DOUBLE_EQ(model.probability({}, 5), 0.75 / 15 + spread);
  EXPECT_DOUBLE_EQ(model.probability({}, 6), 2.0 / 15 + spread);
  EXPECT_DOUBLE_EQ(model.probability({}, 7), 3.0 / 15 + spread);
}

TEST(KneserNeyTest, CrossEntropyIsTheMeanOverTheText) {
  const Tokens text = some_text(2000, 20, 3), other = some_text(150, 20, 4);
  const KneserNey model(text, 20, 4);
  double sum = 0;
  for (std::size_t i = 1; i < other.size(); ++i)
    sum -= std::log(model.probability(std::span(other).first(i), other[i]));
  EXPECT_NEAR(model.cross_entropy(other), sum / 149, 1e-12);
}

TEST(KneserNeyTest, LongerContextsHelpWhereTokensDependOnThem) {
  for (std::size_t back : {1, 3}) {
    const Tokens text = some_text(20000, 6, 5, back), other = some_text(2000, 6, 6, back);
    std::vector<double> nats;  // of orders 1, 2, ..
    for (std::size_t order = 1; order <= 4; ++order)
      nats.push_back(KneserNey(text, 6, order).cross_entropy(other));
    EXPECT_LT(nats[0], std::log(6.0) - 0.05);
    EXPECT_LT(nats[back], nats[back - 1] - 0.1);  // sees the token that it depends on
    // What a longer context does not tell costs little.
    for (std::size_t order = 1; order < 4; ++order) EXPECT_LT(nats[order], nats[order - 1] + 0.03);
  }
}

// Counts from which one of the discounts is estimated as 0.
TEST(KneserNeyTest, NothingHasProbabilityZero) {
  const Tokens text{0, 2, 1, 3, 1, 0, 0, 0, 1, 1, 2, 0, 0, 3, 2, 2, 0, 0, 2, 0, 0, 3, 2, 1,
                    0, 2, 1, 1, 0, 1, 1, 0, 2, 2, 0, 2, 2, 0, 0, 1, 2, 1, 2, 0, 0, 3, 1, 2};
  const KneserNey model(text, 4, 2);
  for (std::int64_t before = 0; before < 4; ++before)
    for (std::int64_t token = 0; token < 4; ++token)
      EXPECT_GT(model.probability(Tokens{before}, token), 0.01);
}

TEST(KneserNeyTest, WrongUseIsNamed) {
  const Tokens text{0, 1, 2};
  EXPECT_EQ(error_of([&] { KneserNey(text, 3, 0); }),
            "kneser_ney: the order must lie in 1 .. 255; got 0");
  EXPECT_EQ(error_of([&] { KneserNey({}, 3, 2); }), "kneser_ney: the text must have a token");
  EXPECT_EQ(error_of([&] { KneserNey(text, 2, 2); }),
            "kneser_ney: tokens of the text must lie in 0 .. 1; got 2");
  const KneserNey model(text, 3, 2);
  EXPECT_EQ(error_of([&] { model.probability({}, 3); }),
            "kneser_ney: tokens of the question must lie in 0 .. 2; got 3");
  EXPECT_EQ(error_of([&] { model.cross_entropy(Tokens{1}); }),
            "kneser_ney: a text to measure must have two tokens; got 1");
}

}  // namespace
}  // namespace reel
