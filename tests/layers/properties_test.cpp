// What must hold of every layer, whatever its configuration: on random ones, 500 for each property
// but the derivatives. REEL_SEED=n draws others; a failure prints the smallest configuration that
// still fails, to be pasted into kPasted.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "properties.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

const std::vector<Configuration> kPasted = {};

void expect_holds(const char* name, const Property& property, int count,
                  const Limits& limits = {}) {
  const char* given = std::getenv("REEL_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 1;
  fmt::print("{} configurations, REEL_SEED={}\n", count, seed);
  Random random(seed);
  std::vector<Configuration> all = kPasted;
  while (all.size() < kPasted.size() + static_cast<std::size_t>(count))
    all.push_back(random_configuration(random, limits));
  for (const Configuration& c : all) {
    ASSERT_TRUE(c.is_valid()) << c.text();
    if (violation(property, c).empty()) continue;
    const Configuration least = shrink(property, c);
    FAIL() << name << ", REEL_SEED=" << seed << "\n"
           << violation(property, least) << "\nwith " << least.text() << "\nshrunk from "
           << c.text();
  }
}

TEST(Properties, BatchIsSingles) { expect_holds("batch = singles", batch_is_singles, 500); }
TEST(Properties, PaddingChangesNothing) {
  expect_holds("padding invariance", padding_changes_nothing, 500);
}
TEST(Properties, ReversedIsReversed) {
  expect_holds("reversed = reversed", reversed_is_reversed, 500);
}
TEST(Properties, StackIsLayerByLayer) {
  expect_holds("stack = layer by layer", stack_is_layer_by_layer, 500);
}
TEST(Properties, StreamIsBatch) { expect_holds("streaming = batch", stream_is_batch, 500); }
TEST(Properties, CheckpointedIsPlain) {
  expect_holds("checkpointed = plain", checkpointed_is_plain, 500);
}
TEST(Properties, BatchFirstIsPermuted) {
  expect_holds("batch first = permuted", batch_first_is_permuted, 500);
}
TEST(Properties, FirstAndSecondDerivativesAreFiniteAndRight) {
  expect_holds("derivatives", derivatives_are_right, 150,
               {.layers = 2, .rows = 3, .steps = 3, .width = 3});
}

TEST(Properties, AFalseOneShrinksToItsCause) {
  // A row of length zero has outputs that are zero.
  const Property no_output_is_zero = [](const Configuration& c) -> std::string {
    const auto layer = make_layer(c);
    const Var x = full_array({c.steps, c.batch, c.in}, 1);
    for (const real y : layer->run(x, {.lengths = c.lengths}).outputs.value())
      if (y == 0) return "an output is zero";
    return "";
  };
  Random random(1);
  Configuration c;
  do c = random_configuration(random);
  while (c.hidden.size() < 3 || c.batch < 4 || !c.both_directions ||
         c.merging == Configuration::kFunction || violation(no_output_is_zero, c).empty());
  EXPECT_EQ(shrink(no_output_is_zero, c).text(), (Configuration{.lengths = {0}}).text());
}

// From something large, with a broken cell, to the least that shows it.
std::string shrunk(const char* cell, const Property& property) {
  const Configuration large{.cell = cell,
                            .in = 2,
                            .hidden = {3, 2},
                            .residual = false,
                            .steps = 3,
                            .batch = 3,
                            .lengths = {3, 1, 2},
                            .batch_first = true,
                            .state_given = true,
                            .nan_padding = true,
                            .seed = 77};
  EXPECT_NE(violation(property, large), "") << cell;
  const Configuration least = shrink(property, large);
  EXPECT_NE(violation(property, least), "") << cell;
  return least.text();
}

TEST(Properties, FindBrokenCells) {
  EXPECT_EQ(shrunk("leaks", batch_is_singles), (Configuration{.cell = "leaks", .batch = 2}).text());
  EXPECT_EQ(shrunk("looks_ahead", stream_is_batch),
            (Configuration{.cell = "looks_ahead", .steps = 2}).text());
  EXPECT_EQ(shrunk("halves_its_gradient", derivatives_are_right),
            (Configuration{.cell = "halves_its_gradient"}).text());
}

TEST(Properties, ShrinkingKeepsWhatTheFailureNeeds) {
  const Property fails = [](const Configuration& c) -> std::string {
    return c.hidden.size() >= 2 && c.both_directions && c.steps >= 3 ? "fails" : "";
  };
  const Configuration large{.cell = "gru",
                            .in = 5,
                            .hidden = {6, 4, 2},
                            .both_directions = true,
                            .merging = Configuration::kSum,
                            .steps = 11,
                            .batch = 3,
                            .lengths = {11, 0, 5},
                            .batch_first = true,
                            .state_given = true,
                            .nan_padding = true,
                            .seed = 77};
  EXPECT_EQ(shrink(fails, large).text(),
            (Configuration{.hidden = {1, 1}, .both_directions = true, .steps = 3}).text());
}

TEST(Properties, WhatThrowsIsAFailure) {
  const Property throws = [](const Configuration&) -> std::string { throw Error("no"); };
  EXPECT_EQ(violation(throws, {}), "threw: no");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
