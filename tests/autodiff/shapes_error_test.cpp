// Wrong shapes are refused by name, before anything is recorded.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

#include <limits>
#include <new>

#include "throws.hpp"

namespace reel {
namespace {

struct Misuse {
  const char* name;
  std::function<Var(const Var& x)> act;  // x [2, 3]
  const char* text;
};

void PrintTo(const Misuse& misuse, std::ostream* out) { *out << misuse.name; }

class ShapeErrors : public ::testing::TestWithParam<Misuse> {};

Var of(const Shape& shape) { return zeros(shape); }

TEST_P(ShapeErrors, NameTheOpAndTheShapes) {
  Tape tape;
  const Var x = tape.leaf(full_array({2, 3}, 1));
  EXPECT_THROWS_WITH(GetParam().act(x), Error, GetParam().text);
  EXPECT_EQ(tape.size(), 1u);
  const Scope outer("encoder"), inner("l0");
  EXPECT_THROWS_WITH(GetParam().act(x), Error, "encoder.l0: ");
}

INSTANTIATE_TEST_SUITE_P(
    Ops, ShapeErrors,
    ::testing::Values(
        Misuse{"add", [](auto& x) { return x + of({2}); },
               "add: extents must be equal or 1, counted from the last axis; got a [2, 3], b [2]"},
        Misuse{"matmul",
               [](auto& x) {
                 return matmul(x, of({2, 3}));
               },
               "matmul: columns of a must equal rows of b; got a [2, 3], b [2, 3]"},
        Misuse{"matmul_rank", [](auto& x) { return matmul(x, of({3})); },
               "matmul: a and b must have two"},
        Misuse{"matmul_batches",
               [](auto& x) {
                 return matmul(of({4, 2, 2}), expand(detach(x), {3, 2, 3}));
               },
               "matmul: extents must be equal or 1"},
        Misuse{"affine",
               [](auto& x) {
                 return affine(x, of({5, 4}));
               },
               "affine: the last extent of x must equal the columns of w; got x [2, 3], w [5, 4]"},
        Misuse{"affine_c",
               [](auto& x) {
                 return affine(x, of({5, 3}), of({2}));
               },
               "got c [2], x w' [2, 5]"},
        Misuse{
            "layer_norm_gain", [](auto& x) { return layer_norm(x, of({2})); },
            "layer_norm: gain must have the shape of the last axis of x; got gain [2], x [2, 3]"},
        Misuse{"layer_norm_c", [](auto& x) { return layer_norm(x, of({3}), of({2})); },
               "layer_norm: c must have the shape of x or of its last axis; got c [2], x [2, 3]"},
        Misuse{"transpose", [](auto& x) { return transpose(index(detach(x), 0, 0)); },
               "transpose: x must have two axes or more; got [3]"},
        Misuse{"permute",
               [](auto& x) {
                 return permute(x, {0, 0});
               },
               "permute: axes must name every axis once; got axes [0, 0], shape [2, 3]"},
        Misuse{"permute_axis",
               [](auto& x) {
                 return permute(x, {0, 2});
               },
               "permute: axis must lie"},
        Misuse{"reshape",
               [](auto& x) {
                 return reshape(x, {4, -1});
               },
               "got x [2, 3], shape [4, -1]"},
        Misuse{"reshape_open",
               [](auto& x) {
                 return reshape(x, {-1, -1});
               },
               "reshape: the number"},
        Misuse{"expand",
               [](auto& x) {
                 return expand(x, {2, 4});
               },
               "expand: "},
        Misuse{"sum_to",
               [](auto& x) {
                 return sum_to(x, {2, 3, 1});
               },
               "sum_to: "},
        Misuse{"slice", [](auto& x) { return slice(x, 1, 0, 4); }, "slice: 0 <= begin <= end <= 3"},
        Misuse{"slice_back", [](auto& x) { return slice(x, 1, 0, 3, -1); },
               "(hint: flip reverses)"},
        Misuse{"index", [](auto& x) { return index(x, 0, 2); },
               "index: must lie in axis 0 of [2, 3]; got 2"},
        Misuse{"split",
               [](auto& x) {
                 return split(x, std::array<std::size_t, 2>{1, 1}, 1)[0];
               },
               "split: extents must add up to 3, axis 1 of [2, 3]; got 1 + 1"},
        Misuse{"split_beyond",
               [](auto& x) {
                 return split(x, std::array<std::size_t, 2>{std::size_t(-1), 4}, 1)[0];
               },
               "split: extents must add up to 3"},
        Misuse{"pad", [](auto& x) { return pad(x, 1, std::size_t(-1), 0); },
               "pad: before and after must not be negative; got -1 and 0 (hint: slice cuts off)"},
        Misuse{"stack_of_nine_axes",
               [](auto& x) {
                 const Var eight = reshape(detach(x), {1, 1, 1, 1, 1, 1, 2, 3});
                 return stack({eight, eight}, 0);
               },
               "shape: must have at most 8 axes; got a ninth"},
        Misuse{"zeros",
               [](auto&) {
                 return zeros({std::size_t(1) << 40, std::size_t(1) << 40});
               },
               "shape: the number of elements must fit into a size; got 2 axes"},
        Misuse{"split_equally", [](auto& x) { return split<2>(x)[0]; },
               "split: the axis must divide into 2 equal parts"},
        Misuse{"concat",
               [](auto& x) {
                 return concat({x, of({3, 3})}, 1);
               },
               "concat: parts must agree on all axes but 1; got [2, 3] and [3, 3]"},
        Misuse{"concat_nothing", [](auto&) { return concat({}, 0); }, "concat: at least one part"},
        Misuse{"stack",
               [](auto& x) {
                 return stack({x, of({3, 2})}, 0);
               },
               "stack: parts must have one shape; got [2, 3] and [3, 2]"},
        Misuse{"gather",
               [](auto& x) {
                 return gather(x, Indices{0, 2});
               },
               "gather: an index must lie in 0 .. 1 (or be -1 for none); got 2"},
        Misuse{"scatter",
               [](auto& x) {
                 return scatter(x, Indices{0, 1, 0}, 4);
               },
               "got x [2, 3], indices [3]"},
        Misuse{"pick",
               [](auto& x) {
                 return pick(x, Indices{0, 3});
               },
               "pick: an index must lie in 0 .. 2"},
        Misuse{"sum", [](auto& x) { return sum(x, {2}); },
               "sum: axis must lie in the shape; got axis 2"},
        Misuse{"sum_twice",
               [](auto& x) {
                 return sum(x, {1, -1});
               },
               "sum: an axis may be named once"},
        Misuse{"max_of_nothing",
               [](auto&) {
                 return max(of({2, 0}), {1});
               },
               "max: the axes reduced"},
        Misuse{"mean_of_nothing", [](auto&) { return mean(of({0})); }, "mean: the axes reduced"},
        Misuse{"var_of_one", [](auto&) { return var(of({1})); }, "var: more than 1 elements"},
        Misuse{"clamp", [](auto& x) { return clamp(x, 1, 0); }, "clamp: low must not exceed high"},
        Misuse{"dropout",
               [](auto& x) {
                 Random random(1);
                 return dropout(x, 1, random);
               },
               "dropout: p must lie in [0, 1)"}),
    [](const auto& misuse) { return std::string(misuse.param.name); });

TEST(ShapeExtremes, MoreThanMemoryHoldsIsRefused) {
  const Var many = expand(Var(real(1)), {std::size_t{1} << 62});
  EXPECT_THROW(static_cast<void>(Var(many * 2)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(Var(expand(Var(real(1)), {~std::size_t{0}}) * 2)), std::bad_alloc);
  EXPECT_THROW(scatter(of({1}), Indices{0}, std::size_t{1} << 62), std::bad_alloc);
}

TEST(ShapeExtremes, AStepBeyondTheEndTakesTheFirst) {
  const Var x(Array{1, 2, 3});
  constexpr std::ptrdiff_t kFar = std::numeric_limits<std::ptrdiff_t>::max();
  EXPECT_EQ(slice(x, 0, 1, 3, kFar).value(), Array{2});
  EXPECT_EQ(slice(x, 0, 1, 1, kFar).size(0), 0u);
}

}  // namespace
}  // namespace reel
