// What docs/custom-cells.md tells to write works; it quotes what stands between the marks.
#include <gtest/gtest.h>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/check_cell.hpp>
#include <reel/layers/stack.hpp>

#include "guide_cells.hpp"

namespace example {
namespace {

constexpr std::size_t kIn = 3, kHidden = 4;

TEST(Guide, TenLinesRun) {
  Random random(1);
  const Var x = normal({5, 2, kIn}, 1, random);
  // [run ten]
  Recurrent layer(TenLines{.w = Parameter(glorot(kHidden, kIn, random, 2)),
                           .u = Parameter(orthogonal(kHidden, random, 2))});
  const Var y = layer(x).outputs;  // [T, B, in] -> [T, B, hidden]
  // [/run ten]
  EXPECT_EQ(y.shape(), (Shape{5, 2, kHidden}));
  EXPECT_TRUE(check_cell(layer.cell).ok()) << check_cell(layer.cell).text();
}

TEST(Guide, CellsRunInLayersOfAllKinds) {
  Random random(1);
  const Var x = normal({5, 2, kIn}, 1, random);
  // [run]
  const std::size_t lengths[] = {5, 3}, hidden[] = {4, 4};
  Recurrent layer(GatedUnit(kIn, 4, random), {.dropout = {.states = 0.2}});
  const auto result = layer(x, {.lengths = lengths, .random = &random});
  Bidirectional both(GatedUnit(kIn, 4, random), GatedUnit(kIn, 4, random));
  auto stack = make_stack<GatedUnit>(kIn, hidden, random, {.dropout = 0.1});
  // [/run]
  EXPECT_EQ(result.last().shape(), (Shape{2, 4}));
  EXPECT_EQ(both(x).outputs.shape(), (Shape{5, 2, 8}));
  EXPECT_EQ(stack(x).outputs.shape(), (Shape{5, 2, 4}));
}

TEST(Guide, TheCellIsChecked) {
  Random random(1);
  // [check]
  const CellReport report = check_cell(GatedUnit(3, 4, random));
  EXPECT_TRUE(report.ok()) << report.text();
  // [/check]
}

TEST(Guide, NotFiniteNumbersAreNamed) {
  Random random(1);
  Recurrent layer(GatedUnit(kIn, kHidden, random));
  const Var x = normal({5, 2, kIn}, 1, random);
  // [finite]
  Tape tape;
  tape.check_finite(true);  // the first op that makes a NaN or Inf throws, and says which
  tape.backward(sum(layer(x).outputs));
  // [/finite]
  EXPECT_TRUE(layer.cell.weight_hh.has_grad());
}

TEST(Guide, TheLayerStreams) {
  Random random(1);
  const Recurrent layer(GatedUnit(kIn, kHidden, random));
  const Array x = normal({1, kIn}, 1, random);
  // [stream]
  auto stream = layer.stream(1);      // of one sequence
  const Array y = stream.step(x);     // x [1, in] -> [1, hidden], the state is kept
  const auto state = stream.state();  // if you want to see it
  // [/stream]
  EXPECT_EQ(state.h.value(), y);
}

}  // namespace
}  // namespace example
