// Cells that break a rule, each with the check of check_cell that must find it and what its
// message must say.
#pragma once

#include <reel/autodiff/record.hpp>

#include "unusual_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

struct HasAWrongRule : OnePart {
  static constexpr const char *kCheck = "gradients", *kSays = "derivative of order 1";
  // a^2, whose slope is taken for a.
  static Var wrong_square(const Var& a) {
    return record("wrong_square", std::array{a}, Array(a.value() * a.value()),
                  [](Pull& p) { p.give(0, [&] { return p.dy() * p.x(0); }); });
  }
  State step(const Var& x, const State& s) const {
    return {tanh(wrong_square(recurrent(s.h, input(x))))};
  }
};
struct StopsTheGradientOfItsState : OnePart {
  static constexpr const char *kCheck = "gradients", *kSays = "initial state part 0";
  State step(const Var& x, const State& s) const {
    return {tanh(recurrent(detach(s.h), input(x)))};
  }
};
struct HasAWrongSecondDerivative : OnePart {
  static constexpr const char *kCheck = "second derivatives", *kSays = "derivative of order 2";
  // a^2, whose slope is taken for a constant.
  static Var square_once(const Var& a) {
    return record("square_once", std::array{a}, Array(a.value() * a.value()),
                  [](Pull& p) { p.give(0, [&] { return 2 * p.dy() * detach(p.x(0)); }); });
  }
  State step(const Var& x, const State& s) const {
    return {tanh(square_once(recurrent(s.h, input(x))))};
  }
};
struct LeaksItsStateBetweenRows : OnePart {
  static constexpr const char *kCheck = "rows", *kSays = "alone gives something else";
  State step(const Var& x, const State& s) const {
    return {tanh(recurrent(s.h, input(x)) + mean(s.h, {0}, true) / 10)};
  }
};
struct KnowsItsRow : OnePart {
  static constexpr const char *kCheck = "row order", *kSays = "must be";
  State step(const Var& x, const State& s) const {
    const Var row = cumsum(Var(full_array({x.size(0), 1}, real(0.1))), 0);
    return {tanh(recurrent(s.h, input(x)) * row)};
  }
};
// Normalises by the mean of all rows that it gets.
struct ReadsPadding : OnePart {
  static constexpr const char *kCheck = "padding", *kSays = "ended rows are NaN change the others";
  Var project(const Var& x) const { return input(x - mean(x, {0}, true)); }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
struct NeverReadsItsState : OnePart {
  static constexpr const char *kCheck = "initial state", *kSays = "does not read the state";
  State step(const Var& x, const State&) const { return {tanh(input(x))}; }
};
// Starts each sequence at its own state.
struct IgnoresTheInitialState : OnePart {
  static constexpr const char *kCheck = "initial state", *kSays = "does not read the state";
  std::shared_ptr<bool> starts = std::make_shared<bool>(true);
  Var project(const Var& x) const {
    *starts = true;
    return input(x);
  }
  State step(Var x, const State& s) const {
    const Var h = std::exchange(*starts, false) ? zero(s.h.size(0)) : s.h;
    return {tanh(recurrent(h, std::move(x)))};
  }
};
struct StreamsDifferently : OnePart {
  static constexpr const char *kCheck = "streaming", *kSays = "outputs at";
  Var project(const Var& x) const { return x.size(0) > 1 ? input(x) : input(x) / 2; }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
// The number of the step since the last projection is an input.
struct CountsSteps : OnePart {
  static constexpr const char *kCheck = "split", *kSays = "must be";
  std::shared_ptr<int> count = std::make_shared<int>(0);
  Var project(const Var& x) const {
    *count = 0;
    return input(x);
  }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, std::move(x)) + real(++*count) / 10)};
  }
};
struct ReadsTheNextStep : OnePart {
  static constexpr const char *kCheck = "time order", *kSays = "changes what came before";
  Var project(const Var& x) const {
    const auto rows = static_cast<std::ptrdiff_t>(x.size(0));
    return input(concat({slice(x, 0, 1, rows), slice(x, 0, 0, 1)}, 0));
  }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsBackwards : OnePart {
  static constexpr const char *kCheck = "hoisting", *kSays = "projected alone";
  Var project(const Var& x) const { return input(flip(x, 0)); }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
// Adds the x of the step before, wherever that was.
struct RemembersBesidesItsState : OnePart {
  static constexpr const char *kCheck = "repeatable", *kSays = "must be";
  std::shared_ptr<real> last = std::make_shared<real>(0);
  State step(const Var& x, const State& s) const {
    return {tanh(recurrent(s.h, input(x)) + std::exchange(*last, x.value()(0, 0)))};
  }
};
struct DrawsRandomNumbers : OnePart {
  static constexpr const char *kCheck = "repeatable", *kSays = "must be";
  std::shared_ptr<Random> random = std::make_shared<Random>(1);
  State step(const Var& x, const State& s) const {
    return {dropout(tanh(recurrent(s.h, input(x))), real(0.5), *random)};
  }
};
struct ChangesAShape : TwoParts {
  static constexpr const char *kCheck = "state shapes", *kSays = "state part 1; got [1, 8]";
  State step(const Var& x, const State& s) const {
    return {tanh(recurrent(s.h, input(x))), concat({s.h, s.memory}, -1)};
  }
};
struct HasAnInfiniteSlopeAtItsStart : OnePart {
  static constexpr const char *kCheck = "finite", *kSays = "sqrt";
  State step(const Var& x, const State& s) const {
    const Var a = recurrent(s.h, input(x)), root = sqrt(square(s.h));
    return {tanh(a + root)};
  }
};
struct HasTwoDifferentSteps : Hoisted {
  static constexpr const char *kCheck = "one step", *kSays = "must be";
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
  State step(Var x, const State& s, const Var& h) const {
    return {tanh(recurrent(h, std::move(x)) + s.h)};
  }
};
struct HidesAParameter : OnePart {
  static constexpr const char *kCheck = "parameters", *kSays = "leaves out one of shape [4]";
  Parameter hidden{random_array({kHidden}, 34)};
  State step(const Var& x, const State& s) const {
    return {tanh(recurrent(s.h, input(x)) + hidden)};
  }
};
struct NamesTwoParametersAlike : OnePart {
  static constexpr const char *kCheck = "parameters", *kSays = "got b twice";
  Parameter other{random_array({kHidden}, 34)};
  State step(const Var& x, const State& s) const {
    return {tanh(recurrent(s.h, input(x)) + other)};
  }
  static void fields(auto& self, auto&& visit) {
    Weights::fields(self, visit);
    visit("b", self.other);
  }
};
struct NeverReadsH : Hoisted {
  static constexpr const char *kCheck = "recurrent input", *kSays = "does not read it";
  State step(Var x, const State& s, const Var&) const {
    return {tanh(recurrent(s.h, std::move(x)))};
  }
};
struct DependsOnTheTape : OnePart {
  static constexpr const char *kCheck = "recorded", *kSays = "must be";
  State step(const Var& x, const State& s) const {
    const Var a = recurrent(s.h, input(x));
    return {a.is_recorded() ? tanh(a) : tanh(a) / 2};
  }
};
struct Throws : OnePart {
  static constexpr const char *kCheck = "state shapes", *kSays = "threw: ";
  State step(const Var& x, const State& s) const { return {recurrent(concat({s.h, s.h}, 1), x)}; }
};

using BrokenCells =
    ::testing::Types<HasAWrongRule, StopsTheGradientOfItsState, HasAWrongSecondDerivative,
                     LeaksItsStateBetweenRows, KnowsItsRow, ReadsPadding, NeverReadsItsState,
                     IgnoresTheInitialState, StreamsDifferently, CountsSteps, ReadsTheNextStep,
                     ProjectsBackwards, RemembersBesidesItsState, DrawsRandomNumbers, ChangesAShape,
                     HasAnInfiniteSlopeAtItsStart, HasTwoDifferentSteps, HidesAParameter,
                     NamesTwoParametersAlike, NeverReadsH, DependsOnTheTape, Throws>;

}  // namespace reel::inline REEL_PRECISION::layer_tests
