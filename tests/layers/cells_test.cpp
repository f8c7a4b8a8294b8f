// What holds of single cells: numbers of parameters, starts, limits.
#include "more_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

template <class C, class... Options>
std::size_t count(std::size_t in, std::size_t hidden, const Options&... options) {
  Random random(1);
  return parameter_count(C(in, hidden, random, options...));
}

TEST(CellsTest, NumberOfParametersIsThatOfTheEquations) {
  const std::size_t d = 7, dd = d * d;
  EXPECT_EQ(count<Rnn>(d, d), 2 * dd + d);
  EXPECT_EQ(count<Lstm>(d, d), 8 * dd + 4 * d);
  EXPECT_EQ(count<Gru>(d, d), 6 * dd + 6 * d);
  EXPECT_EQ(count<Sru>(d, d), 3 * dd + 4 * d);
  EXPECT_EQ(count<Sru>(5, d), 4 * 5 * d + 4 * d);
  EXPECT_EQ(count<MinGru>(d, d), 2 * dd + 2 * d);
  EXPECT_EQ(count<MinLstm>(d, d), 3 * dd + 3 * d);
  EXPECT_EQ(count<Mgu>(d, d), 4 * dd + 2 * d);
  EXPECT_EQ(count<IndRnn>(d, d), dd + 2 * d);
  EXPECT_EQ(count<LayerNormGru>(d, d), 6 * dd + 10 * d);
  EXPECT_EQ(count<Slstm>(d, d), 8 * dd + 4 * d);
  EXPECT_EQ(count<Gru>(d, d, Gru::Options{.reset_before = true}), 6 * dd + 3 * d);
}

TEST(CellsTest, LstmHasTheParametersOfItsOptionsOnly) {
  using Options = Lstm::Options;
  const std::size_t d = 7, dd = d * d, p = 3;
  EXPECT_EQ(count<Lstm>(d, d, Options{.peepholes = true}), 8 * dd + 7 * d);
  EXPECT_EQ(count<Lstm>(d, d, Options{.coupled = true}), 6 * dd + 3 * d);
  EXPECT_EQ(count<Lstm>(d, d, Options{.peepholes = true, .coupled = true}), 6 * dd + 5 * d);
  EXPECT_EQ(count<Lstm>(d, d, Options{.projection = p}), 4 * dd + 5 * p * d + 4 * d);
  EXPECT_EQ(count<Lstm>(d, d, Options{.layer_norm = true}), 8 * dd + 14 * d);
}

TEST(CellsTest, LstmWithProjectionHasPyTorchsNamesAndShapes) {
  Random random(1);
  Recurrent layer(Lstm(5, 7, random, {.projection = 3}));
  std::vector<std::pair<std::string, Shape>> all;
  for_each_parameter(layer, [&](const std::string& name, const Parameter& p) {
    all.emplace_back(name, p.shape());
  });
  EXPECT_EQ(all, (std::vector<std::pair<std::string, Shape>>{{"weight_ih_l0", {28, 5}},
                                                             {"weight_hh_l0", {28, 3}},
                                                             {"bias_ih_l0", {28}},
                                                             {"weight_hr_l0", {3, 7}}}));
  EXPECT_EQ(layer(zeros({2, 4, 5})).outputs.shape(), (Shape{2, 4, 3}));
}

TEST(CellsTest, ProjectionWiderThanHiddenIsRefused) {
  Random random(1);
  EXPECT_THROW(Lstm(5, 7, random, {.projection = 8}), Error);
}

// A custom activation, in the cell's equation.
TEST(CellsTest, RnnTakesAnyActivation) {
  Random random(1), same(1);
  const Rnn custom(3, 4, random, [](const Var& a) { return sin(a); });
  const Rnn cell(3, 4, same);
  const Var x = random_array({2, 3}, 1), h = random_array({2, 4}, 2);
  const Var expected = sin(affine(h, cell.weight_hh, affine(x, cell.weight_ih, cell.bias_ih)));
  EXPECT_LE(relative_error(cell_step(custom, x, {h}).h.value(), expected.value()), kRounding);
}

// c and n start at 0.
TEST(CellsTest, SlstmsOutputDoesNotDependOnTheStartOfItsStabilizer) {
  for (const auto forget : {Slstm::Forget::kSigmoid, Slstm::Forget::kExp}) {
    Random random(1);
    const Recurrent layer(Slstm(3, 4, random, forget));
    const Var x = random_array({5, 2, 3}, 1);
    const Array expected = layer(x).outputs.value();
    for (const real start : {-50, -1, 0, 3}) {
      Slstm::State state = layer.cell.initial_state(2);
      state.m = full_array({2, 4}, start);
      const Array outputs = layer(x, {.state = state}).outputs.value();
      EXPECT_LE(relative_error(outputs, expected), kRounding) << start;
    }
  }
}

TEST(CellsTest, SlstmStaysFiniteWithLargeGates) {
  Random random(1);
  const Recurrent layer(Slstm(3, 4, random, Slstm::Forget::kExp));
  for (const real scale : {-3000, 3000}) {
    const Array x = random_array({20, 2, 3}, 1) * scale;
    const Array outputs = layer(Var(x)).outputs.value();
    for (const real y : outputs.storage()) EXPECT_LE(std::abs(y), 1 + kRounding);
  }
}

TEST(CellsTest, MinLstmStaysFiniteWithClosedGates) {
  Random random(1);
  MinLstm cell(1, 1, random);
  cell.weight_ih.mutable_value().fill(0);
  cell.bias.mutable_value() = Array{-2000, -2000, 3};
  const Var h = full_array({1, 1}, 5), x = zeros({1, 1});
  EXPECT_NEAR(cell_step(cell, x, {h}).h.item(), 4, 1e-5);
}

// Each unit keeps the highway's variance: alpha^2 = 1 + 2 exp(b).
TEST(CellsTest, SruScalesItsHighway) {
  Random random(1);
  EXPECT_NEAR(Sru(3, 3, random).alpha, std::sqrt(3.0), 1e-6);
  const Sru deep(3, 3, random, {.highway_bias = -3});
  EXPECT_NEAR(deep.alpha, std::sqrt(1 + 2 * std::exp(-3.0)), 1e-6);
  EXPECT_EQ(deep.bias.value(), (Array{0, 0, 0, -3, -3, -3}));
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
