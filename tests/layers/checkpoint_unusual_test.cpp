// Cells with unusual steps answer with checkpoints as they do without.
#include "checkpoint_answers.hpp"
#include "unusual_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

// Sums of the same terms in another order: where a weight is multiplied before the loop and again
// before it or in it, runs take turns; and where one Var is the state after several steps.
template <class C>
constexpr bool kSumsInAnotherOrder =
    std::is_same_v<C, ProjectsByTwoAffines> || std::is_same_v<C, ReturnsViewsOfOneArray> ||
    std::is_same_v<C, ReturnsItsState>;

template <class C>
struct CheckpointedUnusualCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(CheckpointedUnusualCellsTest, UnusualCells);

TYPED_TEST(CheckpointedUnusualCellsTest, AnswerAsRecorded) {
  Recurrent<TypeParam> layer{TypeParam()};
  expect_same_with_all_schedules(layer, 7, kIn, kHidden, kSumsInAnotherOrder<TypeParam>);
}

#ifdef REEL_DOUBLE

TYPED_TEST(CheckpointedUnusualCellsTest, HaveRightFirstAndSecondDerivatives) {
  Recurrent<TypeParam> layer{TypeParam()};
  const bool right = !std::is_same_v<TypeParam, StopsTheGradientOfX>;
  const GradcheckResult result = check_derivatives(layer, {1, 4, 0, 3}, kIn, kHidden);
  EXPECT_EQ(result.ok, right) << result.message;
}

#endif

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
