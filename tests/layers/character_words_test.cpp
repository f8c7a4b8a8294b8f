#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/character_words.hpp>

#include <cmath>

#include "structured.hpp"

namespace reel::inline REEL_PRECISION::structured_tests {
namespace {

constexpr std::size_t kAlphabet = 7, kSize = 3;
// abc, empty, d, abcde, abc; -9 past the ends.
const std::vector<Sequence> kWords{{1, 2, 3}, {}, {4}, {1, 2, 3, 4, 5}, {1, 2, 3}};

Indices characters(const std::vector<Sequence>& words, std::size_t steps, std::int64_t padding) {
  Indices all(Indices::shape_type{steps, words.size()}, padding);
  for (std::size_t w = 0; w < words.size(); ++w)
    for (std::size_t c = 0; c < words[w].size(); ++c) all(c, w) = words[w][c];
  return all;
}
std::vector<std::size_t> lengths_of(const std::vector<Sequence>& words) {
  std::vector<std::size_t> lengths;
  for (const Sequence& word : words) lengths.push_back(word.size());
  return lengths;
}

// step: of the finite differences.
template <class Layer>
void expect_composition(Layer& layer, [[maybe_unused]] double step) {
  const auto lengths = lengths_of(kWords);
  const Array all = layer(characters(kWords, 5, -9), lengths).value();
  ASSERT_EQ(shape_of(all), (Shape{kWords.size(), layer.width()}));
  // Neither the padding nor other words matter.
  expect_near(layer(characters(kWords, 8, 6), lengths).value(), all, kTolerance);
  for (std::size_t w = 0; w < kWords.size(); ++w) {
    const std::vector<Sequence> one{kWords[w]};
    const Array alone = layer(characters(one, 5, 0), lengths_of(one)).value();
    for (std::size_t i = 0; i < layer.width(); ++i)
      EXPECT_NEAR(alone(0, i), all(w, i), kTolerance) << w;
  }
  for (std::size_t i = 0; i < layer.width(); ++i) {
    EXPECT_EQ(all(0, i), all(4, i));
    EXPECT_EQ(all(1, i), 0);
  }
  EXPECT_FALSE(same_bits(index(Var(all), 0, 0).value(), index(Var(all), 0, 3).value()));
  EXPECT_THROW(layer(characters(kWords, 5, 0), std::vector<std::size_t>{1}), ShapeError);
  EXPECT_THROW(layer(Indices(Indices::shape_type{2}, 1), std::vector<std::size_t>{1}), ShapeError);
#ifdef REEL_DOUBLE
  const GradcheckResult result =
      gradcheck([&](std::span<const Var>) { return layer(characters(kWords, 5, -9), lengths); }, {},
                parameters(layer), {.step = step});
  EXPECT_TRUE(result.ok) << result.message;
#endif
}

TEST(CharacterWordsTest, Lstm) {
  Random random(2);
  CharacterLstm layer(kAlphabet, kSize, 4, random);
  EXPECT_EQ(layer.width(), 8u);
  expect_composition(layer, 1e-3);
}

TEST(CharacterWordsTest, Convolution) {
  Random random(2);
  CharacterConvolution layer(kAlphabet, kSize, 6, 3, random);
  for (real& b : layer.filters.bias.mutable_value()) b = real(0.1);
  expect_composition(layer, 1e-5);  // too small to meet a kink of relu or max
  EXPECT_THROW(CharacterConvolution(kAlphabet, kSize, 6, 4, random), Error);
}

TEST(CharacterWordsTest, AConvolutionIsTheLargestOfItsWindows) {
  Random random(2);
  CharacterConvolution layer(kAlphabet, kSize, 6, 5, random);
  const Array all = layer(characters(kWords, 5, 0), lengths_of(kWords)).value();
  const Array &table = layer.embedding.weight.value(), &filters = layer.filters.weight.value();
  const Sequence& word = kWords[3];
  for (std::size_t f = 0; f < 6; ++f) {
    double top = 0;
    for (std::ptrdiff_t t = 0; t < 5; ++t) {
      double y = 0;
      for (std::ptrdiff_t i = 0; i < 5; ++i)
        for (std::size_t e = 0; e < kSize; ++e)
          if (const std::ptrdiff_t at = t + i - 2; at >= 0 && at < 5)
            y += double(filters(f, i * 3 + e)) * double(table(word[at], e));
      top = std::max(top, y);
    }
    EXPECT_NEAR(all(3, f), top, kTolerance);
  }
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::structured_tests
