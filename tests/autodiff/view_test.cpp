// Views and runs, against index arithmetic.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/runs.hpp>

#include "tensor.hpp"

namespace reel::testing {
namespace {

real at(const View& view, const Index& index) {
  std::ptrdiff_t offset = 0;
  for (std::size_t i = 0; i < index.size(); ++i)
    offset += static_cast<std::ptrdiff_t>(index[i]) * view.strides[i];
  return view.data[offset];
}

struct ViewTest : ::testing::Test {
  Array memory = [] {
    Random random(1);
    return random_array({4, 5, 6}, random);
  }();
  View dense{memory.data(), {4, 5, 6}};
  std::vector<View> views{dense,
                          dense.permuted({2, 0, 1}),
                          dense.permuted({1, 0, 2}),
                          dense.narrow(0, 1, 2),
                          dense.narrow(1, 0, 3, 2),
                          dense.narrow(2, 1, 4),
                          dense.narrow(2, 0, 1).narrow(1, 2, 1),
                          dense.narrow(1, 2, 0),
                          View(memory.data(), {6}).expanded({3, 2, 6}),
                          View(memory.data(), {5, 1}).expanded({2, 5, 4})};
};

TEST_F(ViewTest, NarrowAndPermutedReadTheirElements) {
  EXPECT_EQ(at(dense.narrow(1, 1, 2, 3), {2, 1, 5}), memory(2, 4, 5));
  EXPECT_EQ(at(dense.permuted({2, 0, 1}), {5, 2, 3}), memory(2, 3, 5));
}

TEST_F(ViewTest, DenseMeansRowMajorWithoutGaps) {
  const std::vector<bool> expected{true,  false, false, true,  false,
                                   false, false, true,  false, false};
  for (std::size_t i = 0; i < views.size(); ++i) EXPECT_EQ(views[i].is_dense(), expected[i]) << i;
  EXPECT_TRUE(dense.narrow(0, 2, 1).is_dense());
  EXPECT_TRUE(View(memory.data(), {}).is_dense());
}

TEST_F(ViewTest, CopyAddAndFillReachEveryElementOnce) {
  for (const View& view : views) {
    const detail::Value copy = detail::dense_copy(view);
    each_index(view.shape, [&](const Index& i) { ASSERT_EQ(at(copy.view, i), at(view, i)); });
    detail::add(view, copy.view);
    each_index(view.shape, [&](const Index& i) { ASSERT_EQ(at(copy.view, i), 2 * at(view, i)); });
    detail::fill(copy.view, 3);
    each_index(view.shape, [&](const Index& i) { ASSERT_EQ(at(copy.view, i), 3); });
  }
}

TEST_F(ViewTest, SumOntoSumsWhatBroadcastingRepeats) {
  for (const View& view : views)
    for (const Shape& kept :
         {Shape{1, 1, 1}, Shape{view.shape[0], 1, 1}, Shape{1, view.shape[1], 1},
          Shape{view.shape[0], 1, view.shape[2]}, Shape{view.shape[2]}, Shape{}}) {
      Tensor expected(kept, 2);
      each_index(view.shape,
                 [&](const Index& i) { expected[broadcast_index(i, kept)] += at(view, i); });
      const detail::Value to = detail::allocate(kept);
      detail::fill(to.view, 2);
      detail::sum_onto(view, to.view, true);
      each_index(kept, [&](const Index& i) { ASSERT_NEAR(at(to.view, i), expected[i], 1e-12); });
      detail::sum_onto(view, to.view, false);
      each_index(kept,
                 [&](const Index& i) { ASSERT_NEAR(at(to.view, i), expected[i] - 2, 1e-12); });
    }
}

TEST_F(ViewTest, RunsMergeWhatLiesTogether) {
  const auto runs = [](const View& a, const View& b) {
    const std::array<View, 2> pair{a, b};
    return detail::Runs(pair).run();
  };
  EXPECT_EQ(runs(dense, dense), 120u);
  EXPECT_EQ(runs(dense.narrow(0, 1, 2), dense.narrow(0, 0, 2)), 60u);
  EXPECT_EQ(runs(dense.narrow(1, 0, 2), dense.narrow(1, 0, 2)), 12u);
  EXPECT_EQ(runs(dense.narrow(2, 0, 5), dense.narrow(2, 0, 5)), 5u);
}

TEST(BroadcastTest, ShapesFollowNumpy) {
  using detail::broadcast_shapes;
  EXPECT_EQ(broadcast_shapes("op", {2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shapes("op", {}, {3}), Shape{3});
  EXPECT_EQ(broadcast_shapes("op", {0, 1}, {1, 5}), (Shape{0, 5}));
  EXPECT_THROW(broadcast_shapes("op", {2}, {3}), ShapeError);
  EXPECT_THROW(broadcast_shapes("op", {0}, {3}), ShapeError);
}

TEST(ShapeTest, HoldsEightAxesAndPrints) {
  EXPECT_EQ(fmt::format("{}", Shape{2, 3}), "[2, 3]");
  EXPECT_EQ(fmt::format("{}", Shape{}), "[]");
  Shape shape(std::size_t{8}, 1);
  EXPECT_THROW(shape.push_back(1), ShapeError);
  Shape moved{1, 2, 3};
  moved.insert(1, 9);
  EXPECT_EQ(moved, (Shape{1, 9, 2, 3}));
  moved.erase(0);
  EXPECT_EQ(moved, (Shape{9, 2, 3}));
}

}  // namespace
}  // namespace reel::testing
