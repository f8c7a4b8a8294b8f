// Gradients that know which rows were reached, and gradients kept apart from their parameters.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>

#include "throws.hpp"

namespace reel {
namespace {

const Array kTable{{1, 2}, {3, 4}, {5, 6}, {7, 8}};

void look_up(const Parameter& table, const Indices& indices) {
  Tape tape;
  tape.backward(sum(gather(table, indices)));
}

std::size_t elements_visited(const Parameter& parameter) {
  std::size_t count = 0;
  parameter.gradient().for_each_run([&](const real*, std::size_t n) { count += n; });
  return count;
}

TEST(GradientTest, OfALookUpKnowsItsRows) {
  const Parameter table(kTable);
  look_up(table, Indices{2, 0, 2, -1});
  EXPECT_EQ(table.grad(), (Array{{1, 1}, {0, 0}, {2, 2}, {0, 0}}));
  EXPECT_EQ(elements_visited(table), 4u);
  look_up(table, Indices{2, 3});
  EXPECT_EQ(table.grad(), (Array{{1, 1}, {0, 0}, {3, 3}, {1, 1}}));
  EXPECT_EQ(elements_visited(table), 6u);
}

TEST(GradientTest, RowsOfTheLastStepAreZeroInTheNext) {
  const Parameter table(kTable);
  look_up(table, Indices{2, 0});
  table.zero_grad();
  EXPECT_EQ(elements_visited(table), 0u);
  look_up(table, Indices{1});
  EXPECT_EQ(table.grad(), (Array{{0, 0}, {1, 1}, {0, 0}, {0, 0}}));
  EXPECT_EQ(elements_visited(table), 2u);
  table.zero_grad();
  look_up(table, Indices{-1});
  EXPECT_TRUE(table.has_grad());
  EXPECT_EQ(table.grad(), full_array({4, 2}, 0));
}

TEST(GradientTest, OfATableReadAsAWholeTooIsWhole) {
  const Array once{{4, 4}, {3, 3}, {5, 5}, {3, 3}};
  for (const bool whole_first : {true, false}) {
    const Parameter table(kTable);
    for (const real times : {1, 2}) {  // the second time over the first one's memory
      Tape tape;
      const Var whole = whole_first ? sum(Var(table)) : Var();
      const Var rows = sum(gather(table, Indices{2, 0, 2}));
      tape.backward(rows + 3 * (whole_first ? whole : sum(Var(table))));
      EXPECT_EQ(table.grad(), Array(times * once)) << whole_first;
      EXPECT_EQ(elements_visited(table), 8u);
    }
    table.zero_grad();
    look_up(table, Indices{1});
    EXPECT_EQ(table.grad(), (Array{{0, 0}, {1, 1}, {0, 0}, {0, 0}}));
    look_up(table, Indices{1});
    EXPECT_EQ(elements_visited(table), 2u);
  }
}

TEST(GradientTest, WrittenByTheUserIsWhole) {
  const Parameter table(kTable);
  look_up(table, Indices{1});
  table.mutable_grad()(3, 0) = 7;
  EXPECT_EQ(elements_visited(table), 8u);
  look_up(table, Indices{3});
  EXPECT_EQ(table.grad(), (Array{{0, 0}, {1, 1}, {0, 0}, {8, 1}}));
  table.zero_grad();
  look_up(table, Indices{0});
  EXPECT_EQ(table.grad(), (Array{{1, 1}, {0, 0}, {0, 0}, {0, 0}}));
}

TEST(GradientTest, WrittenByTheUserIsThere) {
  const Parameter p(Array{1, 2});
  p.mutable_grad()(1) = 7;
  EXPECT_TRUE(p.has_grad());
  EXPECT_EQ(p.grad(), (Array{0, 7}));
}

TEST(GradientTest, FollowsAChangeOfShape) {
  Parameter table(kTable);
  look_up(table, Indices{3});
  table.mutable_value() = Array{{1, 2, 3}, {4, 5, 6}};
  look_up(table, Indices{1});
  EXPECT_EQ(table.grad(), (Array{{0, 0, 0}, {1, 1, 1}}));
}

TEST(GradientTest, OfALookUpIsClearedWhenBackwardFails) {
  Parameter table(kTable), other(kTable);
  {
    Tape tape;
    const Var y = sum(Var(other)) + sum(gather(table, Indices{1}));
    other.mutable_value()(0, 0) = 5;
    EXPECT_THROWS_WITH(tape.backward(y), Error, "was changed after its Var was made");
  }
  EXPECT_FALSE(table.has_grad());
  EXPECT_FALSE(other.has_grad());
  look_up(table, Indices{2});
  EXPECT_EQ(table.grad(), (Array{{0, 0}, {0, 0}, {1, 1}, {0, 0}}));
}

TEST(GradientTest, OfATableChangedSinceTheLookUpIsRefused) {
  Parameter table(kTable);
  Tape tape;
  const Var y = sum(gather(table, Indices{1}));
  table.mutable_value()(0, 0) = 5;
  EXPECT_THROWS_WITH(tape.backward(y), Error, "was changed after its Var was made");
  EXPECT_FALSE(table.has_grad());
}

TEST(GradientTest, OfALookUpIsCheckedForFiniteness) {
  const Parameter table(kTable);
  Tape tape;
  tape.check_finite(true);
  const Var y = sum(sqrt(gather(table, Indices{1}) - Var(Array{3, 4})));
  EXPECT_THROW(tape.backward(y), NonFiniteError);
}

TEST(GradientStoreTest, TakesWhatATapeWouldGiveToTheParameters) {
  const Parameter table(kTable), w(Array{{1, 2}, {3, 4}});
  const auto loss = [&] { return sum(square(matmul(gather(table, Indices{2, 0}), Var(w)))); };
  Tape plain;
  plain.backward(loss());
  const Array of_table = table.grad(), of_w = w.grad();
  table.zero_grad();
  w.zero_grad();

  GradientStore store;
  for (const real times : {1, 2}) {
    const RedirectGradients redirect(store);
    Tape tape;
    tape.backward(loss());
    EXPECT_EQ(store.of(table).array(), Array(times * of_table));
    EXPECT_EQ(store.of(w).array(), Array(times * of_w));
    EXPECT_FALSE(table.has_grad());
    EXPECT_FALSE(w.has_grad());
  }
  store.clear();
  EXPECT_FALSE(store.of(table).exists());
  Tape tape;
  tape.backward(loss());
  EXPECT_EQ(w.grad(), of_w);
  EXPECT_FALSE(store.of(w).exists());
}

TEST(GradientStoreTest, RedirectionsNest) {
  const Parameter p(Array{2});
  const auto add_one = [&] {
    Tape tape;
    tape.backward(sum(Var(p)));
  };
  GradientStore outer, inner;
  {
    const RedirectGradients to_outer(outer);
    {
      const RedirectGradients to_inner(inner);
      add_one();
    }
    EXPECT_EQ(GradientStore::current(), &outer);
    EXPECT_FALSE(outer.of(p).exists());
    add_one();
  }
  EXPECT_EQ(GradientStore::current(), nullptr);
  EXPECT_EQ(inner.of(p).array(), Array{1});
  EXPECT_EQ(outer.of(p).array(), Array{1});
  EXPECT_FALSE(p.has_grad());
}

TEST(GradientStoreTest, IsClearedOfWhatFailed) {
  Parameter table(kTable);
  GradientStore store;
  const RedirectGradients redirect(store);
  Tape tape;
  const Var y = sum(gather(table, Indices{1}));
  table.mutable_value()(0, 0) = 5;
  EXPECT_THROW(tape.backward(y), Error);
  EXPECT_FALSE(store.of(table).exists());
}

}  // namespace
}  // namespace reel
