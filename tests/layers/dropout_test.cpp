#include <reel/autodiff/tape.hpp>
#include <reel/layers/dropout.hpp>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

const Array kOnes = full_array({100, 100}, 1);

TEST(DropoutTest, ZeroesAShareAndScalesTheRest) {
  Random random(1);
  const Array y = Dropout(0.25)(kOnes, &random).value();
  std::size_t dropped = 0;
  for (const real x : y.storage()) {
    EXPECT_TRUE(x == 0 || x == 1 / real(0.75)) << x;
    dropped += x == 0;
  }
  EXPECT_NEAR(dropped, 2500, 5 * std::sqrt(10000 * 0.25 * 0.75));
}

TEST(DropoutTest, GradientPassesWhereTheValueDid) {
  Random random(1);
  Tape tape;
  const Var x = tape.leaf(kOnes);
  const Var y = Dropout(0.5)(x, &random);
  tape.backward(sum(y));
  EXPECT_EQ(x.grad(), y.value());
}

TEST(DropoutTest, SameSeedDropsTheSame) {
  Random one(1), two(1);
  const Dropout half(0.5);
  const Array first = half(kOnes, &one).value();
  EXPECT_EQ(first, half(kOnes, &two).value());
  EXPECT_NE(first, half(kOnes, &one).value());
}

TEST(DropoutTest, InferenceAndProbabilityZeroAreTheIdentity) {
  Random random(1);
  const Var x = kOnes;
  EXPECT_EQ(Dropout(0.5)(x, nullptr).ref().get(), x.ref().get());
  EXPECT_EQ(Dropout(0)(x, &random).ref().get(), x.ref().get());
  EXPECT_EQ(random.bits(), Random(1).bits());
}

TEST(DropoutTest, ProbabilityOutOfRangeIsNamed) {
  EXPECT_EQ(error_of([] { Dropout(1); }), "dropout: p must lie in [0, 1); got 1");
  EXPECT_EQ(error_of([] { Dropout(real(-0.5)); }), "dropout: p must lie in [0, 1); got -0.5");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
