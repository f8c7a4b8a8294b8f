#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>
#include <xtensor/xview.hpp>

#include "throws.hpp"

namespace reel {
namespace {

const Array kTable{{1, 2, 3}, {4, 5, 6}};

TEST(VarTest, ShapeAndSizes) {
  const Var x = kTable;
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.dim(), 2u);
  EXPECT_EQ(x.size(), 6u);
  EXPECT_EQ(x.size(-1), 3u);
  EXPECT_THROWS_WITH(x.size(2), ShapeError, "got axis 2, shape [2, 3]");
}

TEST(VarTest, AnEmptyVarIsNamedByTheOp) {
  EXPECT_FALSE(Var());
  EXPECT_THROWS_WITH(Var() + 1, Error, "add: got an empty Var");
  EXPECT_THROWS_WITH(Var().shape(), Error, "shape: got an empty Var");
}

TEST(VarTest, AnArrayIsCopiedOrTaken) {
  Array array = kTable;
  const Var copy = array;
  const real* memory = array.data();
  const Var taken = std::move(array);
  EXPECT_EQ(taken.value().data(), memory);
  EXPECT_NE(copy.value().data(), memory);
}

TEST(VarTest, ItemIsTheOneElement) {
  EXPECT_EQ(Var(7).item(), 7);
  EXPECT_EQ(slice(slice(Var(kTable), 0, 1, 2), 1, 2, 3).item(), 6);
  EXPECT_THROWS_WITH(Var(kTable).item(), ShapeError, "must have one element; got [2, 3]");
}

TEST(VarTest, ValuesAreXtensorContainers) {
  const Var t = transpose(Var(kTable));
  EXPECT_EQ(Array(t.value()), Array(xt::transpose(kTable)));
  EXPECT_EQ(xt::sum(t.value())(), 21);
  EXPECT_EQ(Array(xt::view(t.value(), 1, xt::all())), (Array{2, 5}));
  EXPECT_EQ(Array(expand(Var(Array{1, 2}), {3, 2}).value()), (Array{{1, 2}, {1, 2}, {1, 2}}));
}

TEST(VarTest, TheValueOfATemporaryIsACopy) {
  const Array value = (Var(kTable) * 2).value();
  EXPECT_EQ(value, Array(kTable * 2));
}

TEST(VarTest, ALookedAtValueStaysWhereItIs) {
  Tape tape;
  const Var x = tape.leaf(kTable), y = x * 2;
  const auto seen = y.value();
  const Var joined = concat({y, y}, 0);
  EXPECT_EQ(Array(seen), Array(kTable * 2));
  EXPECT_EQ(seen.data(), y.value().data());
}

TEST(VarTest, ConcatMovesValuesThatNobodyLookedAt) {
  Tape tape;
  const Var x = tape.leaf(kTable), y = x * 2, z = x * 3;
  const Var joined = concat({y, z}, 0);
  EXPECT_EQ(z.value().data(), joined.value().data() + 6);
  EXPECT_EQ(Array(z.value()), Array(kTable * 3));
}

TEST(VarTest, DetachSharesTheValueAndOutlivesTheTape) {
  Var state;
  {
    Tape tape;
    const Var y = tape.leaf(kTable) * 2;
    state = detach(y);
    EXPECT_EQ(state.value().data(), y.value().data());
    EXPECT_FALSE(state.is_recorded());
  }
  EXPECT_EQ(Array(state.value()), Array(kTable * 2));
}

TEST(VarTest, DetachOfAParameterIsACopy) {
  Parameter p(kTable);
  const Var before = detach(Var(p));
  p.mutable_value()(0, 0) = 9;
  EXPECT_EQ(before.value()(0, 0), 1);
}

TEST(VarTest, StopGradientStops) {
  Tape tape;
  const Var x = tape.leaf(Array{3});
  tape.backward(sum(x * detach(x)));
  EXPECT_EQ(x.grad(), Array{3});
}

TEST(VarTest, GradIsKeptForLeavesOnly) {
  Tape tape;
  const Var x = tape.leaf(Array{3}), y = x * 2;
  EXPECT_THROWS_WITH(y.grad(), Error, "got the result of multiply (make it with tape.leaf)");
  EXPECT_THROWS_WITH(Var(1).grad(), Error, "kept for leaves only");
  const Parameter w(full_array({1}, 1));
  EXPECT_THROWS_WITH(Var(w).grad(), Error, "a parameter has its own grad");
}

TEST(VarTest, AParameterIsReferredTo) {
  const Parameter p(kTable);
  const Var var = p;
  EXPECT_EQ(var.value().data(), p.value().data());
  Tape tape;
  EXPECT_EQ(&Var(p).node(), &Var(p).node());
}

}  // namespace
}  // namespace reel
