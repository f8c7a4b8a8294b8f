// Tapes, parameters and outputs in orders that programs do use.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

#include <memory>
#include <optional>
#include "throws.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

TEST(Lifetimes, FourDerivativesOfAScalar) {
  Tape tape;
  const Var x = tape.leaf(full_array({}, real(0.5)));
  Var y = exp(x);
  for (int order = 0; order < 3; ++order) y = tape.gradients(y, {x}, {.create_graph = true})[0];
  EXPECT_NEAR(tape.gradients(y, {x})[0].item(), std::exp(0.5), 1e-12);
}

TEST(Lifetimes, GradientsOfTheFirstOfSeveralOutputs) {
  Tape tape;
  const Var x = tape.leaf(full_array({1}, 3));
  const auto twice = [](auto v) { return std::tuple{v * v, v + 1}; };
  const auto [square, next] = pointwise(twice, x);
  EXPECT_EQ(tape.gradients(square, {x})[0].item(), 6);
}

TEST(Lifetimes, ATapeMayBeReplacedByTheNext) {
  Parameter w(full_array({1}, 2));
  auto tape = std::make_unique<Tape>();
  for (int step = 0; step < 3; ++step) {
    tape = std::make_unique<Tape>();  // the old one ends after the new one began
    tape->backward(square(Var(w)));
    EXPECT_EQ(w.grad()(0), 4);
    w.zero_grad();
  }
  tape.reset();
  EXPECT_EQ(Tape::current(), nullptr);
}

TEST(Lifetimes, AParameterInTheSamePlaceIsAnother) {
  Tape tape;
  for (real value : {1, 2, 3}) {
    const Parameter w(full_array({1}, value));
    EXPECT_EQ((Var(w) * Var(real(2))).item(), 2 * value);
  }
  Parameter w(full_array({1}, 1));
  static_cast<void>(Var(w));
  w = Parameter(full_array({2}, 5));
  EXPECT_EQ(Var(w).shape(), Shape{2});
}

TEST(Lifetimes, AVarOfAParameterThatHasChangedIsRefused) {
  Parameter w(full_array({2}, 1));
  w.name = "w";
  for (const bool taped : {false, true}) {
    std::optional<Tape> tape;
    if (taped) tape.emplace();
    for (const std::size_t size : {3, 2}) {
      const Var v = w;
      w.mutable_value() = full_array({size}, 5);
      EXPECT_THROWS_WITH(v * v, StaleError,
                         "multiply: parameter w was changed after its Var was made, or has ended; "
                         "update parameters "
                         "after backward, and keep layers so long");
      EXPECT_EQ((Var(w) * Var(w)).value()(size - 1), 25);
    }
  }
}

TEST(Lifetimes, AViewOfAParameterThatHasChangedIsRefused) {
  Parameter w(full_array({2, 3}, 1));
  w.name = "w";
  using Look = Var (*)(const Var&);
  const Look looks[] = {[](const Var& v) { return transpose(v); },
                        [](const Var& v) {
                          return reshape(v, {3, 2});
                        },
                        [](const Var& v) { return slice(v, 0, 0, 1); },
                        [](const Var& v) { return index(v, 1, 2); },
                        [](const Var& v) { return split<3>(v)[1]; },
                        [](const Var& v) {
                          return expand(v, {4, 2, 3});
                        },
                        [](const Var& v) {
                          return index(transpose(reshape(v, {3, 2})), 0, 1);
                        }};
  for (const bool taped : {false, true}) {
    std::optional<Tape> tape;
    if (taped) tape.emplace();
    for (const Look look : looks) {
      const Var view = look(w);
      EXPECT_EQ(sum(view).is_recorded(), taped);
      w.mutable_value() = full_array({2, 3}, 5);
      EXPECT_THROWS_WITH(view * view, StaleError, "parameter w was changed after its Var was made");
      EXPECT_EQ(sum(look(w)).item(), 5 * static_cast<real>(view.ref()->value.view.size()));
    }
  }
}

TEST(Lifetimes, AnUnrecordedViewOfAParameterOutlivesTheTape) {
  Parameter w(full_array({2, 2}, 3));
  Var part;
  for (const bool expanded : {false, true}) {
    {
      Tape tape;
      const Var recorded = expanded ? expand(Var(w), {2, 2, 2}) : transpose(Var(w));
      const PauseRecording pause;
      part = index(recorded, 0, 1);
    }
    EXPECT_EQ(sum(part).item(), expanded ? 12 : 6);
  }
  w.mutable_value()(0) = 1;
  EXPECT_THROWS_WITH(sum(part), StaleError, "was changed after its Var was made");
}

TEST(Lifetimes, ViewsOfViewsOfAParameterMayBeMany) {
  const Parameter w(full_array({2, 3}, 1));
  Var v = w;
  for (int i = 0; i < 300'000; ++i) v = transpose(v);
  EXPECT_EQ(v.shape(), (Shape{2, 3}));
}

TEST(Lifetimes, AFailedBackwardLeavesNoGradient) {
  Parameter w(full_array({4}, 1));
  Tape tape;
  const auto parts = split<2>(Var(w));
  const Var broken = record("broken", std::array{parts[0]}, full_array({2}, 1),
                            [](Pull&) { throw Error("broken"); });
  const Var loss = sum(concat({parts[1], broken}, 0));
  EXPECT_THROW(tape.backward(loss), Error);
  EXPECT_FALSE(w.has_grad());
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
