// Where backward's shortcuts meet: windows, joins and shared gradients.
#include <gtest/gtest.h>

#include <array>

#include "agreement.hpp"

namespace reel::testing {
namespace {

using In = std::span<const Var>;

// A program that once was wrong, or is built to be hard.
struct Program {
  const char* name;
  std::vector<Shape> leaves;
  Function run;
};

void PrintTo(const Program& program, std::ostream* out) { *out << program.name; }

std::vector<Var> cut(const Var& x, std::initializer_list<std::size_t> extents, int axis = 0) {
  return split(x, std::vector(extents), axis);
}

const std::vector<Program> kWindows{
    {"a_square_times_its_transpose", {{3, 3}}, [](In x) { return x[0] * transpose(x[0]); }},
    {"the_transpose_times_its_square",
     {{3, 3}},
     [](In x) {
       const Var y = tanh(x[0]);
       return transpose(y) * y;
     }},
    {"overlapping_slices", {{6}}, [](In x) { return slice(x[0], 0, 0, 4) * slice(x[0], 0, 2, 6); }},
    {"a_slice_twice",
     {{6}},
     [](In x) {
       const Var y = tanh(x[0]), part = slice(y, 0, 1, 4);
       return part * part + slice(y, 0, 1, 4);
     }},
    {"a_window_of_a_window",
     {{4, 6}},
     [](In x) {
       const Var y = tanh(x[0]);
       return slice(transpose(slice(y, 1, 1, 5)), 0, 0, 4, 2) + sum(y);
     }},
    {"a_part_left_out",
     {{6, 2}},
     [](In x) {
       auto parts = cut(tanh(x[0]), {2, 2, 2});
       return parts[0] * parts[2];
     }},
    {"a_value_split_twice",
     {{6, 2}},
     [](In x) {
       const Var y = tanh(x[0]);
       auto a = cut(y, {2, 4}), b = cut(y, {4, 2});
       return a[0] * b[1] + sum(square(a[1])) + sum(b[0]);
     }},
    {"a_split_leaf_read_again",
     {{6, 2}, {6, 2}},
     [](In x) {
       auto a = cut(x[0], {3, 3}), b = cut(x[1], {3, 3});
       return a[0] * b[1] + sum(x[0] * x[1]);
     }},
    {"a_part_split_again",
     {{6, 2}},
     [](In x) {
       auto outer = cut(tanh(x[0]), {4, 2});
       auto inner = cut(outer[0], {1, 3});
       return inner[0] + sum(outer[1]) * inner[0];
     }},
    {"a_part_and_a_window_on_it",
     {{4, 2}},
     [](In x) {
       auto parts = cut(tanh(x[0]), {2, 2});
       return parts[0] * transpose(parts[0]) + parts[1];
     }},
    {"a_reshape_of_a_transpose",
     {{3, 4}},
     [](In x) {
       return square(reshape(transpose(tanh(x[0])), {2, 6}));
     }},
    {"a_reshape_of_a_joined_part",
     {{2, 4}},
     [](In x) {
       const Var y = tanh(x[0]);
       const Var joined = concat({y, sin(y)}, 1);
       return joined * joined + sum(reshape(y, {8}));
     }},
    {"windows_that_tile_each_other",
     {{2, 3, 4}},
     [](In x) {
       return square(reshape(permute(reshape(tanh(x[0]), {6, 4}), {1, 0}), {4, 6}));
     }},
    {"an_index_of_the_only_row", {{1, 4}}, [](In x) { return square(index(tanh(x[0]), 0, 0)); }},
};

const std::vector<Program> kJoins{
    {"the_same_value_twice",
     {{2, 3}},
     [](In x) {
       const Var y = tanh(x[0]);
       return square(concat({y, y}, 0));
     }},
    {"a_joined_value_read_again",
     {{2, 3}},
     [](In x) {
       const Var y = tanh(x[0]), z = sin(x[0]);
       return square(concat({y, z}, 1)) + sum(y * z);
     }},
    {"joined_parts_joined_again",
     {{2, 3}},
     [](In x) {
       const Var y = tanh(x[0]), z = sin(x[0]), inner = concat({y, z}, 0);
       return square(concat({inner, inner, z, y, z}, 0)) + sum(square(y)) + sum(inner);
     }},
    {"what_was_split_is_joined",
     {{4, 3}},
     [](In x) {
       auto parts = cut(tanh(x[0]), {1, 2, 1});
       return square(concat({parts[2], parts[1], parts[0], parts[1]}, 0));
     }},
    {"both_outputs_of_one_op",
     {{2, 3}},
     [](In x) {
       auto [a, b] = pointwise([](auto v) { return std::tuple{tanh(v), v * v}; }, x[0]);
       return square(concat({b, a, b}, 0)) + sum(a);
     }},
};

const std::vector<Program> kProducts{
    {"one_weight_with_two_biases",
     {{30, 4}, {5, 4}, {5}, {5}},
     [](In x) {
       std::vector<Var> ys;
       for (const Var& step : split(x[0], std::vector<std::size_t>(10, 3), 0))
         ys.push_back(affine(step, x[1], x[ys.size() % 3 == 0 ? 2 : 3]));
       return square(concat(ys, 0));
     }},
    {"c_read_elsewhere",
     {{3, 2}, {4, 2}, {3, 4}},
     [](In x) {
       const Var c = tanh(x[2]);
       return square(affine(x[0], x[1], c)) + sum(square(c));
     }},
    {"c_is_a_part",
     {{3, 2}, {4, 2}, {6, 4}},
     [](In x) {
       auto parts = cut(tanh(x[2]), {3, 3});
       return square(affine(x[0], x[1], affine(x[0], x[1], parts[0]))) + parts[1];
     }},
    {"c_is_a_part_read_elsewhere",
     {{3, 2}, {4, 2}, {6, 4}},
     [](In x) {
       auto parts = cut(tanh(x[2]), {3, 3});
       return square(affine(x[0], x[1], parts[0])) + parts[1] * parts[0];
     }},
    {"c_is_a_part_of_what_is_read_elsewhere",
     {{3, 2}, {4, 2}, {6, 4}},
     [](In x) {
       const Var base = tanh(x[2]);
       auto parts = cut(base, {3, 3});
       return square(affine(x[0], x[1], parts[0])) + parts[1] + sum(square(base));
     }},
    {"c_is_a_leaf",
     {{3, 2}, {3, 4}, {4, 2}},
     [](In x) { return square(affine(x[0], x[2], x[1])); }},
    {"c_is_x",
     {{4, 4}, {4, 4}},
     [](In x) {
       const Var y = tanh(x[0]);
       return square(affine(y, x[1], y));
     }},
    {"everything_is_x",
     {{4, 4}},
     [](In x) {
       const Var y = tanh(x[0]);
       return square(affine(y, y, y));
     }},
    {"a_weight_that_is_a_result",
     {{3, 2}, {4, 2}},
     [](In x) {
       const Var w = tanh(x[1]);
       return affine(x[0], w) + matmul(x[0], transpose(w)) + sum(square(w));
     }},
    {"a_weight_that_is_a_part",
     {{3, 2}, {8, 2}},
     [](In x) {
       auto w = cut(x[1], {4, 4});
       return affine(x[0], w[0]) * affine(x[0], w[1]) + sum(w[0]);
     }},
    {"a_weight_read_by_all_kinds_of_ops",
     {{3, 4}, {4, 4}},
     [](In x) {
       const Var h = tanh(affine(x[0], x[1]));
       return matmul(h, x[1]) + affine(h, x[1], index(x[1] * x[1], 0, 1));
     }},
    // The product of y waits on a gradient that goes on to c, and from there to a, which adds.
    {"a_waiting_gradient_is_handed_down",
     {{6, 3}, {4, 3}, {3, 4}},
     [](In x) {
       const Var a = tanh(x[2]), b = sin(x[2]), early = square(a), c = concat({a, b}, 0);
       return square(affine(x[0], x[1], c)) + sum(early);
     }},
    {"a_waiting_gradient_is_handed_down_in_part",
     {{3, 3}, {4, 3}, {3, 4}},
     [](In x) {
       const Var a = tanh(x[2]), b = sin(x[2]), early = square(a);
       auto parts = cut(concat({a, b}, 0), {3, 3});
       return square(affine(x[0], x[1], parts[0])) + parts[1] + sum(early);
     }},
    // y's product waits with a gradient that lies beside w's; finding w's makes it run.
    {"a_weight_joined_with_its_product",
     {{3, 4}, {4, 4}},
     [](In x) {
       const Var w = tanh(x[1]);
       const Var y = affine(x[0], w), z = affine(x[0], x[1]);
       return square(concat({y, w, z}, 0)) + sum(w);
     }},
    // w's target is taken, then z thaws what waits for w.
    {"a_weight_beside_a_frozen_gradient",
     {{4, 4}, {4, 4}},
     [](In x) {
       const Var w = tanh(x[1]), z = sin(x[0]), both = w * z;
       const Var y = affine(x[0], w);
       return square(concat({y, z}, 0)) + sum(both);
     }},
    // Two products wait on one block; running w's must not let the rows of the other's change.
    {"two_waiting_products_in_one_block",
     {{6, 3}, {4, 3}, {3, 4}, {4, 3}},
     [](In x) {
       const Var a = tanh(x[2]), b = sin(x[2]), early = square(a), c = concat({a, b}, 0);
       const Var w = tanh(x[3]), y = affine(x[0], w), z = affine(x[0], x[1], c);
       return square(concat({z, y}, 0)) + sum(early);
     }},
};

class Backward : public ::testing::TestWithParam<Program> {};

TEST_P(Backward, AgreesWithTheRules) {
  EXPECT_TRUE(backward_agrees(GetParam().run, random_arrays(GetParam().leaves)));
}
TEST_P(Backward, SecondDerivativeAgrees) {
  EXPECT_TRUE(second_backward_agrees(GetParam().run, random_arrays(GetParam().leaves)));
}

const auto kName = [](const auto& program) { return std::string(program.param.name); };
INSTANTIATE_TEST_SUITE_P(Windows, Backward, ::testing::ValuesIn(kWindows), kName);
INSTANTIATE_TEST_SUITE_P(Joins, Backward, ::testing::ValuesIn(kJoins), kName);
INSTANTIATE_TEST_SUITE_P(Products, Backward, ::testing::ValuesIn(kProducts), kName);

}  // namespace
}  // namespace reel::testing
