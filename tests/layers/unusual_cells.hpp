// Cells that do with x, state and projection what the built-in ones do not.
#pragma once

#include <array>
#include <memory>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

inline constexpr std::size_t kIn = 3, kHidden = 4;

struct Weights {
  Parameter u{random_array({kHidden, kIn}, 31) / 2};
  Parameter w{random_array({kHidden, kHidden}, 32) / 2};
  Parameter b{random_array({kHidden}, 33)};

  Var input(const Var& x) const { return affine(x, u, b); }
  Var recurrent(const Var& h, Var x) const { return affine(h, w, std::move(x)); }
  static Var zero(std::size_t batch) { return zeros({batch, kHidden}); }
  static void fields(auto& self, auto&& visit) {
    visit("u", self.u);
    visit("w", self.w);
    visit("b", self.b);
  }
};

struct OnePart : Weights {
  struct State {
    Var h;
  };
  State initial_state(std::size_t batch) const { return {zero(batch)}; }
};
struct TwoParts : Weights {
  struct State {
    Var h, memory;
  };
  State initial_state(std::size_t batch) const { return {zero(batch), zero(batch)}; }
};
struct Hoisted : OnePart {
  Var project(const Var& x) const { return input(x); }
};
struct HoistedTwoParts : TwoParts {
  Var project(const Var& x) const { return input(x); }
};

struct WithoutProject : OnePart {
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, input(x)))}; }
};
struct KeepsXInItsState : HoistedTwoParts {
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, x) + s.memory), x}; }
};
struct CopiesX : HoistedTwoParts {
  State step(Var x, const State& s) const {
    const Var copy = x;
    return {tanh(recurrent(s.h, std::move(x)) * s.memory), copy};
  }
};
struct ReadsXBefore : Hoisted {
  State step(Var x, const State& s) const {
    const Var gate = sigmoid(x);
    return {gate * tanh(recurrent(s.h, std::move(x)))};
  }
};
struct ReadsXAfter : Hoisted {
  State step(Var x, const State& s) const {
    const Var a = recurrent(s.h, x);
    return {tanh(a) + square(x)};
  }
};
struct AddsToXTwice : Hoisted {
  State step(Var x, const State& s) const {
    const Var a = recurrent(s.h, x);
    return {tanh(a) + sin(recurrent(square(s.h), std::move(x)))};
  }
};
struct SplitsXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const auto [low, high] = split<2>(x);
    const Var a = tanh(recurrent(s.h, std::move(x)));
    return {a * concat({high, low}, -1)};
  }
};
struct SlicesXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const Var first = slice(x, -1, 0, 1);
    return {tanh(recurrent(s.h, std::move(x))) * first};
  }
};
struct ReshapesXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const Var flat = reshape(x, {-1});
    const Var a = tanh(recurrent(s.h, std::move(x)));
    return {a * reshape(flat, {-1, kHidden})};
  }
};
// In the last step nobody else holds the product's rows: joined, they lie in the result.
struct JoinsXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const auto rows = static_cast<std::ptrdiff_t>(x.size(0));
    const Var both = concat({x, s.h}, 0);
    const Var a = tanh(recurrent(s.h, std::move(x)));
    return {a * slice(both, 0, 0, rows) + slice(both, 0, rows, 2 * rows)};
  }
};
struct StopsTheGradientOfX : HoistedTwoParts {
  State step(Var x, const State& s) const {
    const Var constant = detach(x);
    return {tanh(recurrent(s.h, std::move(x))) * s.memory, constant};
  }
};
struct ProjectsByTanh : OnePart {
  Var project(const Var& x) const { return tanh(input(x)); }
  State step(Var x, const State& s) const { return {sin(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsBySoftmax : OnePart {
  Var project(const Var& x) const { return softmax(input(x)); }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsByReshape : OnePart {
  Var project(const Var& x) const { return reshape(input(x), {-1, 2, kHidden / 2}); }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, reshape(std::move(x), {-1, kHidden})))};
  }
};
struct ProjectsByTwoAffines : OnePart {
  Var project(const Var& x) const { return affine(square(input(x)), w, input(x)); }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsToXItself : OnePart {
  Var project(const Var& x) const { return x; }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, input(x)))}; }
};
// Reads its own projection again at every step, as attention over the inputs would.
struct KeepsTheProjection : OnePart {
  std::shared_ptr<Var> kept = std::make_shared<Var>();
  Var project(const Var& x) const { return *kept = input(x); }
  State step(Var x, const State& s) const {
    const Var all = mean(*kept, {0}, true);
    return {tanh(recurrent(s.h, std::move(x))) + all};
  }
};
struct ReadsTheProjectionFirst : OnePart {
  std::shared_ptr<Var> squared = std::make_shared<Var>();
  Var project(const Var& x) const {
    const Var y = input(x);
    *squared = mean(square(y), {0}, true);
    return y;
  }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, std::move(x))) + *squared};
  }
};
struct ReturnsItsState : Hoisted {
  State step(Var, const State& s) const { return s; }
};
struct ReturnsX : Hoisted {
  State step(Var x, const State&) const { return {x}; }
};
struct ReturnsTheBareProduct : Hoisted {
  State step(Var x, const State& s) const { return {recurrent(s.h, std::move(x))}; }
};
struct ReturnsViewsOfOneArray : OnePart {
  struct State {
    Var h, c, d, e;
  };
  State initial_state(std::size_t n) const { return {zero(n), zero(n), zero(n), zero(n)}; }
  Var project(const Var& x) const { return concat({input(x), square(input(x))}, -1); }
  State step(Var x, const State& s) const {
    const auto [a, b] = split<2>(x);
    return {sin(a + s.e), a, b, tanh(recurrent(s.c, b * s.d))};
  }
};

// More parts than an array has axes.
struct HasNineParts : Hoisted {
  struct State {
    Var h;
    std::array<Var, 8> late;
  };
  State initial_state(std::size_t n) const {
    State state{zero(n), {}};
    for (Var& part : state.late) part = zero(n);
    return state;
  }
  State step(Var x, const State& s) const {
    State next{tanh(recurrent(s.h, std::move(x)) + s.late[7]), {}};
    for (std::size_t i = 0; i < 8; ++i) next.late[i] = i == 0 ? s.h : s.late[i - 1];
    return next;
  }
};

using UnusualCells =
    ::testing::Types<WithoutProject, KeepsXInItsState, CopiesX, ReadsXBefore, ReadsXAfter,
                     AddsToXTwice, SplitsXAndMovesIt, SlicesXAndMovesIt, ReshapesXAndMovesIt,
                     JoinsXAndMovesIt, StopsTheGradientOfX, ProjectsByTanh, ProjectsBySoftmax,
                     ProjectsByReshape, ProjectsByTwoAffines, ProjectsToXItself, ReturnsItsState,
                     ReturnsX, ReturnsTheBareProduct, ReturnsViewsOfOneArray, HasNineParts>;

}  // namespace reel::inline REEL_PRECISION::layer_tests
