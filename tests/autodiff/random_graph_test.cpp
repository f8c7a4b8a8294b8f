// Backward takes shortcuts: gradients written into windows, handed down, shared, put off. Over
// random programs they must give what the rules give.
#include "random_graph.hpp"

#include <reel/autodiff/gradcheck.hpp>

#include "agreement.hpp"

namespace reel::testing {
namespace {

using Run = std::function<Var(std::uint64_t seed, std::span<const Var>)>;

const Run kShort = [](auto seed, auto leaves) { return run_program(seed, leaves, 8); };
const Run kLong = [](auto seed, auto leaves) { return run_program(seed, leaves, 40); };
// Finite differences see through detach.
const Run kUnstopped = [](auto seed, auto leaves) { return run_program(seed, leaves, 8, false); };

// Calls check(program, leaves) for each seed.
template <class Check>
void for_seeds(std::uint64_t count, const Run& run, const std::vector<Shape>& shapes,
               Check&& check) {
  for (std::uint64_t seed = 0; seed < count; ++seed)
    ASSERT_TRUE(check([&](std::span<const Var> leaves) { return run(seed, leaves); },
                      random_arrays(shapes, seed)))
        << "seed " << seed;
}

::testing::AssertionResult finite_differences_agree(const Function& f,
                                                    const std::vector<Array>& arrays) {
  const GradcheckResult result =
      gradcheck(f, arrays, {}, {.orders = 1, .step = 3e-4, .tolerance = 1e-7});
  return result ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << result.message;
}

TEST(RandomGraph, ShortProgramsAgree) {
  for_seeds(3000, kShort, program_leaves(), backward_agrees);
}
TEST(RandomGraph, LongProgramsAgree) { for_seeds(1000, kLong, program_leaves(), backward_agrees); }
TEST(RandomGraph, RecurrencesAgree) {
  for_seeds(1000, run_recurrence, recurrence_leaves(), backward_agrees);
}
TEST(RandomGraph, SecondDerivativesAgree) {
  for_seeds(300, kShort, program_leaves(), second_backward_agrees);
  for_seeds(300, run_recurrence, recurrence_leaves(), second_backward_agrees);
}
TEST(RandomGraph, FiniteDifferencesAgree) {
  for_seeds(50, kUnstopped, program_leaves(), finite_differences_agree);
  for_seeds(50, run_recurrence, recurrence_leaves(), finite_differences_agree);
}

}  // namespace
}  // namespace reel::testing
