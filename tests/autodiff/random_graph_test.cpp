// Backward takes shortcuts: gradients written into windows, handed down, shared, put off. Over
// random programs they must give what the rules, made of ops, give.
#include "random_graph.hpp"

#include <gtest/gtest.h>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>

#include <cmath>

#include "tensor.hpp"

namespace reel::testing {
namespace {

using Run = std::function<Var(std::uint64_t seed, std::span<const Var>)>;

std::vector<Array> random_arrays(const std::vector<Shape>& shapes, std::uint64_t seed) {
  Random random(seed);
  std::vector<Array> arrays;
  for (const Shape& shape : shapes) arrays.push_back(random_array(shape, random));
  return arrays;
}

::testing::AssertionResult near(const Array& got, const Array& expected, double factor = 1) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double want = factor * expected.data()[i];
    if (!(std::abs(got.data()[i] - want) <= 1e-10 * (1 + std::abs(want))))
      return ::testing::AssertionFailure()
             << "element " << i << ": got " << got.data()[i] << ", the rules give " << want;
  }
  return ::testing::AssertionSuccess();
}

// The odd leaves as parameters, whose gradients lie outside the tape.
struct Leaves {
  Tape& tape;
  std::vector<Parameter> parameters;
  std::vector<Var> vars;

  Leaves(Tape& t, const std::vector<Array>& arrays) : tape(t) {
    for (const Array& array : arrays) parameters.emplace_back(array);
    for (std::size_t i = 0; i < arrays.size(); ++i)
      vars.push_back(i % 2 == 0 ? tape.leaf(arrays[i]) : Var(parameters[i]));
  }
  Array grad(std::size_t i) const { return i % 2 == 0 ? vars[i].grad() : parameters[i].grad(); }
};

// Both ways, and backward once more, which adds the same again.
void expect_agreement(const Run& run, const std::vector<Shape>& shapes, std::uint64_t seed) {
  Tape tape;
  const Leaves leaves(tape, random_arrays(shapes, seed));
  const Var y = run(seed, leaves.vars);
  if (!y.is_recorded()) return;
  const std::vector<Var> expected = tape.gradients(y, leaves.vars);
  for (int times : {1, 2}) {
    tape.backward(y);
    for (std::size_t i = 0; i < shapes.size(); ++i)
      ASSERT_TRUE(near(leaves.grad(i), expected[i].value(), times))
          << "leaf " << i << ", seed " << seed << ", backward " << times;
  }
}

// The same for the gradient of |dy/dleaves|^2.
void expect_agreement_of_order_two(const Run& run, const std::vector<Shape>& shapes,
                                   std::uint64_t seed) {
  Tape tape;
  const Leaves leaves(tape, random_arrays(shapes, seed));
  const Var y = run(seed, leaves.vars);
  if (!y.is_recorded()) return;
  Var norm2 = real(0);
  for (const Var& g : tape.gradients(y, leaves.vars, {.create_graph = true}))
    norm2 = norm2 + sum(square(g));
  if (!norm2.is_recorded()) return;
  const std::vector<Var> expected = tape.gradients(norm2, leaves.vars);
  tape.backward(norm2);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    ASSERT_TRUE(near(leaves.grad(i), expected[i].value())) << "leaf " << i << ", seed " << seed;
}

void expect_right(const Run& run, const std::vector<Shape>& shapes, std::uint64_t seed) {
  const auto f = [&](std::span<const Var> leaves) { return run(seed, leaves); };
  const GradcheckResult result =
      gradcheck(f, random_arrays(shapes, seed), {}, {.orders = 1, .step = 3e-4, .tolerance = 1e-7});
  ASSERT_TRUE(result) << "seed " << seed << ": " << result.message;
}

const Run kShort = [](auto seed, auto leaves) { return run_program(seed, leaves, 8); };
const Run kLong = [](auto seed, auto leaves) { return run_program(seed, leaves, 40); };

TEST(RandomGraph, ShortProgramsAgree) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed)
    ASSERT_NO_FATAL_FAILURE(expect_agreement(kShort, program_leaves(), seed));
}
TEST(RandomGraph, LongProgramsAgree) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    ASSERT_NO_FATAL_FAILURE(expect_agreement(kLong, program_leaves(), seed));
}
TEST(RandomGraph, RecurrencesAgree) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    ASSERT_NO_FATAL_FAILURE(expect_agreement(run_recurrence, recurrence_leaves(), seed));
}
TEST(RandomGraph, SecondDerivativesAgree) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    ASSERT_NO_FATAL_FAILURE(expect_agreement_of_order_two(kShort, program_leaves(), seed));
    ASSERT_NO_FATAL_FAILURE(
        expect_agreement_of_order_two(run_recurrence, recurrence_leaves(), seed));
  }
}
TEST(RandomGraph, FiniteDifferencesAgree) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    ASSERT_NO_FATAL_FAILURE(expect_right(kShort, program_leaves(), seed));
    ASSERT_NO_FATAL_FAILURE(expect_right(run_recurrence, recurrence_leaves(), seed));
  }
}

}  // namespace
}  // namespace reel::testing
