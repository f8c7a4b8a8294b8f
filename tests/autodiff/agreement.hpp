// Does backward, with its shortcuts, give what the rules, made of ops, give?
#pragma once

#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>

#include <cmath>
#include <functional>

#include "tensor.hpp"

namespace reel::testing {

using Function = std::function<Var(std::span<const Var>)>;

inline std::vector<Array> random_arrays(const std::vector<Shape>& shapes, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<Array> arrays;
  for (const Shape& shape : shapes) arrays.push_back(random_array(shape, random));
  return arrays;
}

inline ::testing::AssertionResult all_near(const Array& got, const Array& expected,
                                           double tolerance = 1e-10) {
  if (got.shape() != expected.shape())
    return ::testing::AssertionFailure()
           << fmt::format("got shape {}, expected {}", shape_of(got), shape_of(expected));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double have = got.data()[i], want = expected.data()[i];
    if (!(std::abs(have - want) <= tolerance * (1 + std::abs(want))))
      return ::testing::AssertionFailure()
             << "element " << i << ": got " << have << ", expected " << want;
  }
  return ::testing::AssertionSuccess();
}

// Leaves of a tape; the odd ones are parameters, whose gradients lie outside it.
struct Leaves {
  std::vector<Parameter> parameters;
  std::vector<Var> vars;

  Leaves(Tape& tape, const std::vector<Array>& arrays) : parameters(arrays.begin(), arrays.end()) {
    for (std::size_t i = 0; i < arrays.size(); ++i)
      vars.push_back(i % 2 == 0 ? tape.leaf(arrays[i]) : Var(parameters[i]));
  }
  Array grad(std::size_t i) const { return i % 2 == 0 ? vars[i].grad() : parameters[i].grad(); }
};

// Runs backward twice: the second run must add the same again. y is summed with weights.
inline ::testing::AssertionResult backward_agrees(const Function& f,
                                                  const std::vector<Array>& arrays) {
  Tape tape;
  const Leaves leaves(tape, arrays);
  const Var y = f(leaves.vars);
  if (!y.is_recorded()) return ::testing::AssertionSuccess();
  Random random(7);
  const Var loss = sum(y * Var(random_array(y.shape(), random, 0.5, 1.5)));
  const std::vector<Var> expected = tape.gradients(loss, leaves.vars);
  for (int times : {1, 2}) {
    tape.backward(loss);
    for (std::size_t i = 0; i < arrays.size(); ++i)
      if (auto near = all_near(leaves.grad(i), Array(expected[i].value() * times)); !near)
        return near << ", in the gradient of leaf " << i << " after backward " << times;
  }
  return ::testing::AssertionSuccess();
}

// The same for the gradient of the squared gradient.
inline ::testing::AssertionResult second_backward_agrees(const Function& f,
                                                         const std::vector<Array>& arrays) {
  Tape* tape = nullptr;
  const auto squared = [&](std::span<const Var> xs) {
    tape = Tape::current();
    const Var y = sum(f(xs));
    Var norm2 = real(0);
    if (!y.is_recorded()) return norm2;
    for (const Var& g : tape->gradients(y, {xs.begin(), xs.end()}, {.create_graph = true}))
      norm2 = norm2 + sum(square(g));
    return norm2;
  };
  return backward_agrees(squared, arrays);
}

}  // namespace reel::testing
