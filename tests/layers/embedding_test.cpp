#include <reel/autodiff/tape.hpp>
#include <reel/layers/embedding.hpp>

#include <cmath>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

const Array kVectors{{1, 2}, {3, 4}, {5, 6}};

TEST(EmbeddingTest, ReadsARowPerIndexOfAnyShape) {
  const Embedding words(kVectors, false);
  EXPECT_EQ(words(Indices{{2, 0}, {1, 1}}).value(), (Array{{{5, 6}, {1, 2}}, {{3, 4}, {3, 4}}}));
  EXPECT_EQ(words(Indices::from_shape({0, 4})).shape(), (Shape{0, 4, 2}));
}

TEST(EmbeddingTest, GradientsOfARepeatedIndexAddUp) {
  const Embedding words(kVectors, false);
  Tape tape;
  tape.backward(sum(words(Indices{2, 0, 2}) * Var(Array{{1, 10}, {2, 20}, {3, 30}})));
  EXPECT_EQ(words.weight.grad(), (Array{{2, 20}, {0, 0}, {4, 40}}));
}

TEST(EmbeddingTest, PaddingIsZeroAndNeverTrained) {
  Embedding words(kVectors, false, 1);
  EXPECT_EQ(words.weight.value(), (Array{{1, 2}, {0, 0}, {5, 6}}));
  words.weight.mutable_value() = kVectors;  // as a file might have it
  EXPECT_EQ(words(Indices{1, 2}).value(), (Array{{0, 0}, {5, 6}}));
  Tape tape;
  tape.backward(sum(words(Indices{1, 2, 1})));
  EXPECT_EQ(words.weight.grad(), (Array{{0, 0}, {0, 0}, {1, 1}}));
}

TEST(EmbeddingTest, FrozenVectorsGetNoGradient) {
  const Embedding words(kVectors, true);
  Tape tape;
  const Var y = words(Indices{1, 2});
  EXPECT_FALSE(y.is_recorded());
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_FALSE(words.weight.has_grad());
}

TEST(EmbeddingTest, RandomRowsHaveTheirDeviationAndZeroPadding) {
  Random random(1);
  const Embedding words(200, 50, random, 0.1, 7);
  double squares = 0;
  for (const real x : words.weight.value().storage()) squares += double(x) * double(x);
  EXPECT_NEAR(std::sqrt(squares / (199 * 50)), 0.1, 0.004);
  for (std::size_t j = 0; j < 50; ++j) EXPECT_EQ(words.weight.value()(7, j), 0);
}

TEST(EmbeddingTest, WrongUseIsNamed) {
  const Embedding words(kVectors, false);
  EXPECT_EQ(error_of<ShapeError>([&] {
              words(Indices{0, 3});
            }),
            "embedding: gather: an index must lie in 0 .. 2 (or be -1 for none); got 3");
  EXPECT_EQ(error_of<ShapeError>([] {
              Embedding(Array{1, 2}, false);
            }),
            "embedding: vectors must be [count, width]; got [2]");
  EXPECT_EQ(error_of<ShapeError>([] { Embedding(kVectors, false, 3); }),
            "embedding: the padding index must be a row of the 3 (or -1 for none); got 3");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
