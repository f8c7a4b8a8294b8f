// Random programs of ops, to set the engine's shortcuts against its rules.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/random.hpp>

#include <span>
#include <vector>

namespace reel::testing {

// Shapes of the leaves a program reads: weights first, then values.
std::vector<Shape> program_leaves();

// The scalar that program `seed` computes. Each step applies an op to earlier values, recent ones
// more often; some values are read many times and some never. stops: may use detach.
Var run_program(std::uint64_t seed, std::span<const Var> leaves, std::size_t steps,
                bool stops = true);

// The same for a recurrence: an input product cut into steps, gates, a state, outputs joined.
std::vector<Shape> recurrence_leaves();
Var run_recurrence(std::uint64_t seed, std::span<const Var> leaves);

}  // namespace reel::testing
