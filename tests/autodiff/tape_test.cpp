#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/tape.hpp>

#include "throws.hpp"

namespace reel {
namespace {

Array vector(std::initializer_list<real> values) {
  Array array = empty_array({values.size()});
  std::copy(values.begin(), values.end(), array.begin());
  return array;
}

TEST(TapeTest, RecordsOnlyWhatNeedsAGradient) {
  Tape tape;
  const Var constant = vector({1, 2}), y = constant * constant;
  EXPECT_FALSE(y.is_recorded());
  EXPECT_EQ(tape.size(), 0u);
  const Var x = tape.leaf(vector({1, 2})), z = x * constant;
  EXPECT_TRUE(z.is_recorded());
  EXPECT_EQ(tape.size(), 2u);
}

TEST(TapeTest, AFrozenParameterIsNotRecorded) {
  Tape tape;
  Parameter frozen(vector({1, 2}));
  frozen.trainable = false;
  EXPECT_FALSE((Var(frozen) * 2).is_recorded());
  EXPECT_EQ(tape.size(), 0u);
}

TEST(TapeTest, WithoutATapeTheValuesAreTheSame) {
  const Parameter p(vector({1, 2, 3}));
  const auto f = [&] { return tanh(Var(p) * 2); };
  const Array bare = f().value();
  Tape tape;
  EXPECT_EQ(f().value(), bare);
  EXPECT_EQ(Tape::current(), &tape);
}

TEST(TapeTest, NothingIsRecordedWhilePaused) {
  Tape tape;
  const Var x = tape.leaf(vector({1}));
  {
    PauseRecording pause;
    EXPECT_EQ(Tape::current(), nullptr);
    EXPECT_FALSE((x * x).is_recorded());
  }
  EXPECT_TRUE((x * x).is_recorded());
}

TEST(TapeTest, AParameterFirstSeenWhilePausedTrainsAfterwards) {
  const Parameter p(vector({3}));
  Tape tape;
  {
    PauseRecording pause;
    EXPECT_FALSE((p * Var(2)).is_recorded());
  }
  tape.backward(sum(p * Var(2)));
  EXPECT_EQ(p.grad()(0), 2);
}

TEST(TapeTest, AValueOfAnEndedTapeIsRefused) {
  Var y;
  {
    Tape tape;
    y = tape.leaf(vector({1})) * 2;
  }
  EXPECT_THROWS_WITH(y.value(), StaleError, "state = detach(state)");
  EXPECT_THROWS_WITH(y * 2, StaleError, "multiply: got a value of a tape that has ended");
  EXPECT_THROWS_WITH(detach(y), StaleError, "detach");
}

TEST(TapeTest, AValueOfAnotherOpenTapeIsRefused) {
  Tape outer;
  const Var x = outer.leaf(vector({1}));
  Tape inner;
  EXPECT_THROWS_WITH(x + 1, StaleError, "add: got a value of another tape that is still open");
  EXPECT_FALSE((detach(x) + 1).is_recorded());
}

TEST(TapeTest, TheInnermostTapeRecords) {
  const Parameter p(vector({2}));
  Tape outer;
  const Var y = sum(square(Var(p)));
  {
    Tape inner;
    inner.backward(sum(Var(p) * 5));
    EXPECT_EQ(outer.size(), 3u);  // parameter, square, sum
    EXPECT_EQ(Tape::current(), &inner);
  }
  EXPECT_EQ(p.grad()(0), 5);
  outer.backward(y);
  EXPECT_EQ(p.grad()(0), 9);
}

TEST(TapeTest, BackwardWantsAScalarOrASeed) {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2})), y = x * x;
  EXPECT_THROWS_WITH(tape.backward(y), ShapeError, "the loss must have one element");
  tape.backward(y, vector({1, 10}));
  EXPECT_EQ(x.grad(), vector({2, 40}));
  EXPECT_THROWS_WITH(tape.backward(y, vector({1, 2, 3})), ShapeError,
                     "got gradient [3], value [2]");
}

TEST(TapeTest, BackwardOfSomethingNotRecordedThrows) {
  Tape tape;
  EXPECT_THROWS_WITH(tape.backward(sum(Var(vector({1})))), Error,
                     "backward: the loss must be recorded on this tape; got the result of");
  EXPECT_THROWS_WITH(tape.gradients(Var(1), {}), Error, "must be recorded on this tape");
}

TEST(TapeTest, BackwardOfALeafIsItsSeed) {
  Tape tape;
  const Var x = tape.leaf(vector({5}));
  tape.backward(x);
  EXPECT_EQ(x.grad(), vector({1}));
}

TEST(TapeTest, BackwardFromAnyOutputOfAManyValuedOp) {
  Tape tape;
  const Var x = tape.leaf(vector({3}));
  auto [a, b] = pointwise([](auto v) { return std::tuple{v * v, 5 * v}; }, x);
  tape.backward(a);
  EXPECT_EQ(x.grad(), vector({6}));
  tape.backward(b);
  EXPECT_EQ(x.grad(), vector({11}));
}

TEST(TapeTest, GradientsAddUpUntilZeroed) {
  const Parameter p(vector({1}));
  EXPECT_EQ(p.grad(), vector({0}));
  for (real times : {1, 2}) {
    Tape tape;
    tape.backward(sum(Var(p) * 3));
    EXPECT_EQ(p.grad(), vector({3 * times}));
  }
  p.zero_grad();
  EXPECT_EQ(p.grad(), vector({0}));
  Tape tape;
  tape.backward(sum(Var(p) * 4));
  EXPECT_EQ(p.grad(), vector({4}));
}

TEST(TapeTest, ALeafThatWasNotReachedHasAZeroGradient) {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2})), y = tape.leaf(vector({3}));
  tape.backward(y);
  EXPECT_EQ(x.grad(), vector({0, 0}));
  EXPECT_EQ(tape.gradients(y, {x})[0].value(), vector({0, 0}));
}

TEST(TapeTest, AParameterChangedAfterItWasRecordedIsRefused) {
  Parameter p(vector({1}));
  p.name = "cell.weight";
  Tape tape;
  const Var loss = sum(square(Var(p)));
  p.mutable_value()(0) = 2;
  EXPECT_THROWS_WITH(tape.backward(loss), Error, "parameter cell.weight was changed");
  EXPECT_THROWS_WITH(tape.gradients(loss, {Var(p)}), Error, "parameter cell.weight was changed");
}

TEST(TapeTest, AFrozenParameterChangedAfterItWasRecordedIsRefused) {
  Parameter p(vector({1}));
  p.name = "target.weight";
  p.trainable = false;
  Tape tape;
  const Var x = tape.leaf(vector({3}));
  for (const Var& loss : {sum(x * Var(p)), sum(x * reshape(p, {1}))}) {
    p.mutable_value() = vector({2});
    EXPECT_THROWS_WITH(tape.backward(loss), StaleError, "parameter target.weight was changed");
  }
}

TEST(TapeTest, AParameterMentionedAgainAfterAChangeIsTheNewOne) {
  Array start = full_array({2, 2}, 1), next = full_array({2, 2}, 3);
  Parameter w(start);
  const Var x = full_array({20, 2}, 1);
  Tape tape;
  EXPECT_EQ(affine(x, w).value()(0, 0), 2);
  w.mutable_value() = next;
  EXPECT_EQ(affine(x, w).value()(0, 0), 6);
  tape.backward(sum(affine(x, w)));
  EXPECT_EQ(w.grad()(0, 0), 20);
}

TEST(TapeTest, AnExceptionInARuleLeavesTheTapeUsable) {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3})), w = tape.leaf(full_array({2, 2}, 1));
  bool fail = true;
  const auto square_of = [&](const Var& v) {
    return record("touchy", std::array{v}, Array(v.value() * v.value()), [&fail](Pull& p) {
      if (fail) throw std::runtime_error("not now");
      p.give(0, [&] { return p.dy() * p.x(0) * 2; });
    });
  };
  const Var y = sum(affine(square_of(x), w, x * 2));
  EXPECT_THROW(tape.backward(y), std::runtime_error);
  fail = false;
  const std::vector<Var> expected = tape.gradients(y, {x, w});
  const Array before_x = x.grad(), before_w = w.grad();
  tape.backward(y);
  EXPECT_EQ(Array(x.grad() - before_x), Array(expected[0].value()));
  EXPECT_EQ(Array(w.grad() - before_w), Array(expected[1].value()));
}

// Parameters whose turn has passed, that were half reached, and leaves.
TEST(TapeTest, AFailedBackwardLeavesNoGradient) {
  const Parameter early(vector({1})), late(vector({2})), table(full_array({2, 1}, 1)),
      elsewhere(vector({3}));
  {
    Tape tape;
    tape.backward(sum(Var(elsewhere)));
  }
  Tape tape;
  const Var leaf = tape.leaf(vector({1}));
  const Var touchy = record("touchy", std::array<Var, 1>{Var(early) * leaf}, vector({1}),
                            [](Pull&) { throw std::runtime_error("never"); });
  const Var y = sum(touchy * Var(late) * leaf) + sum(gather(table, Indices{1})) + sum(Var(early));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(tape.backward(y), std::runtime_error);
    for (const Parameter* p : {&early, &late, &table}) EXPECT_FALSE(p->has_grad());
    EXPECT_EQ(leaf.grad(), vector({0}));
    EXPECT_EQ(elsewhere.grad(), vector({1}));
  }
}

TEST(TapeTest, AGradientOfTheWrongShapeNamesTheOp) {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var y = record("half_baked", std::array{x}, vector({1}),
                       [](Pull& p) { p.give(0, [&] { return p.dy(); }); });
  EXPECT_THROWS_WITH(tape.gradients(y, {x}), ShapeError, "half_baked: a gradient must have");
  EXPECT_THROWS_WITH(tape.backward(y), ShapeError, "got gradient [1], value [2]");
  EXPECT_THROWS_WITH(tape.backward(y), ShapeError, "half_baked: a gradient must have");
}

TEST(TapeTest, ADeepTapeEndsWithoutRecursion) {
  Tape tape;
  Var x = tape.leaf(vector({1}));
  const Var first = x;
  for (int i = 0; i < 100000; ++i) x = x + 1;
  tape.backward(x);
  EXPECT_EQ(first.grad(), vector({1}));
}

TEST(TapeTest, ADeepChainOfSumsOrWindowsRunsBackWithoutRecursion) {
  constexpr int kDeep = 200000;
  Tape tape;
  const Var start = tape.leaf(full_array({1, 1}, 1)), x = full_array({1, 1}, 2);
  const Parameter w(full_array({1, 1}, 3));
  Var sum = start, window = tape.leaf(full_array({1, 1}, 1));
  const Var first = window;
  for (int i = 0; i < kDeep; ++i) sum = affine(x, w, sum);
  for (int i = 0; i < kDeep; ++i) window = reshape(window, {1, 1});
  Var both = start;
  for (int i = 0; i < kDeep; ++i) both = affine(x, w, reshape(both, {1, 1}));
  tape.backward(sum + window + both);
  EXPECT_EQ(start.grad()(0, 0), 2);
  EXPECT_EQ(first.grad()(0, 0), 1);
  EXPECT_EQ(w.grad()(0, 0), 4 * kDeep);
}

// A chain of sums in which a term is read once more shares its gradient up to there.
TEST(TapeTest, AChainOfSumsThatIsReadInBetween) {
  Tape tape;
  const Var start = tape.leaf(full_array({2, 1}, 1)), x = full_array({2, 1}, 2);
  const Parameter w(full_array({1, 1}, 3));
  Var sum = start, between;
  for (int i = 0; i < 6; ++i) {
    sum = affine(x, w, sum);
    if (i == 2) between = sum;
  }
  const Var y = reel::sum(square(between)) + reel::sum(sum);
  tape.backward(y);
  EXPECT_EQ(Array(start.grad()), Array(tape.gradients(y, {start})[0].value()));
  EXPECT_EQ(w.grad()(0, 0), tape.gradients(y, {Var(w)})[0].item());
}

TEST(TapeTest, ManyReadersOfOneValue) {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2})), shared = tanh(x);
  Var total = real(0);
  for (int i = 1; i <= 50; ++i) total = total + sum(shared * real(i));
  tape.backward(total);
  const Array slope = 1 - xt::square(xt::tanh(vector({1, 2})));
  for (std::size_t i : {0, 1}) EXPECT_NEAR(x.grad()(i), 1275 * slope(i), 1e-12);
}

// --- derivatives of derivatives ---

TEST(TapeTest, ThirdDerivative) {
  Tape tape;
  const Var x = tape.leaf(vector({3}));
  Var d = sum(square(square(x)));  // x^4
  for (real expected : {108, 108, 72, 24}) {
    d = sum(tape.gradients(d, {x}, {.create_graph = true})[0]);
    EXPECT_NEAR(d.item(), expected, 1e-12);
  }
}

TEST(TapeTest, HessianTimesVector) {
  // f = x'Ax / 2 + sum x^3 / 6: H = (A + A') / 2 + diag(x)
  const Array a{{2, 1, 0}, {4, 5, -1}, {7, 2, 3}};
  Array point = vector({1, 2, -3}), v = vector({1, -1, 2});
  point.reshape({3, 1});
  v.reshape({3, 1});
  Tape tape;
  const Var x = tape.leaf(point);
  const Var f = sum(x * matmul(Var(a), x)) / 2 + sum(x * x * x) / 6;
  const Var along = sum(tape.gradients(f, {x}, {.create_graph = true})[0] * Var(v));
  tape.backward(along);
  for (std::size_t i = 0; i < 3; ++i) {
    real expected = point(i, 0) * v(i, 0);
    for (std::size_t j = 0; j < 3; ++j) expected += (a(i, j) + a(j, i)) / 2 * v(j, 0);
    EXPECT_NEAR(x.grad()(i, 0), expected, 1e-12);
  }
}

// Backward reads the seed where it lies, also where gradients add up on the way.
TEST(TapeTest, ASeedStaysAsItIs) {
  const Array seed = vector({1, -2, 3, -4});
  const auto slope = [&](auto&& function) {
    Array given = seed;
    Tape tape;
    const Var x = tape.leaf(vector({0.5, 1, 2, 3}));
    const Var y = function(x);
    tape.backward(y, given);
    EXPECT_EQ(given, seed);
    tape.backward(y, given);
    EXPECT_EQ(given, seed);
    return Array(x.grad() / 2);
  };
  EXPECT_EQ(slope([](const Var& x) { return x; }), seed);
  EXPECT_EQ(slope([](const Var& x) { return reshape(reshape(x, {2, 2}), {4}); }), seed);
  EXPECT_EQ(slope([](const Var& x) { return x + 0 * x; }), seed);
  EXPECT_EQ(slope([](const Var& x) {
              return reshape(transpose(reshape(x, {2, 2})), {4});
            }),
            vector({1, 3, -2, -4}));
  EXPECT_EQ(slope([](const Var& x) {
              auto [a, b] = split<2>(x);
              return concat({b, a}, 0);
            }),
            vector({3, -4, 1, -2}));
  // The first half is read again by the second.
  EXPECT_EQ(slope([](const Var& x) {
              auto [a, b] = split<2>(x);
              const Var first = 2 * a;
              return concat({first, first + b}, 0);
            }),
            vector({8, -12, 3, -4}));
  // A term of a product's sum has the very gradient of the sum.
  EXPECT_EQ(slope([](const Var& x) {
              const Var rows = reshape(x, {2, 2});
              return reshape(affine(rows, Var(full_array({2, 2}, 1)), 3 * rows), {4});
            }),
            vector({2, -7, 8, -13}));
}

TEST(TapeTest, ASeedOfAPartReachesIt) {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2, 3, 4}));
  const auto [a, b] = split<2>(square(x));
  tape.backward(b, vector({1, 10}));
  EXPECT_EQ(x.grad(), vector({0, 0, 6, 80}));
}

TEST(TapeTest, GradientsTouchNoParameter) {
  const Parameter p(vector({2}));
  Tape tape;
  const Var y = sum(square(Var(p)));
  EXPECT_EQ(tape.gradients(y, {Var(p)})[0].value(), vector({4}));
  EXPECT_FALSE(p.has_grad());
}

TEST(TapeTest, GradientsAreRecordedOnRequestOnly) {
  Tape tape;
  const Var x = tape.leaf(vector({2})), y = sum(square(x));
  EXPECT_FALSE(tape.gradients(y, {x})[0].is_recorded());
  EXPECT_TRUE(tape.gradients(y, {x}, {.create_graph = true})[0].is_recorded());
}

}  // namespace
}  // namespace reel
