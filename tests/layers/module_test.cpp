#include <reel/autodiff/tape.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/embedding.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/recurrent.hpp>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

struct Tagger {
  Random random{1};
  struct Encoder {
    Recurrent<Lstm> lstm;
    static void fields(auto& self, auto&& visit) { visit("lstm", self.lstm); }
  };
  Embedding words{10, 4, random};
  Encoder encoder{Recurrent(Lstm(4, 3, random))};
  Linear head{3, 2, random};
  static void fields(auto& self, auto&& visit) {
    visit("words", self.words);
    visit("encoder", self.encoder);
    visit("head", self.head);
  }
};

TEST(ModuleTest, PathsJoinTheNamesOfTheFieldsInTheirOrder) {
  Tagger model;
  std::vector<std::string> paths;
  for (const Parameter* p : parameters(model)) paths.push_back(p->name);
  EXPECT_EQ(paths, (std::vector<std::string>{"words.weight", "encoder.lstm.weight_ih_l0",
                                             "encoder.lstm.weight_hh_l0", "encoder.lstm.bias_ih_l0",
                                             "head.weight", "head.bias"}));
}

TEST(ModuleTest, CountIsThatOfTheDesign) {
  Random random(1);
  for (const std::size_t d : {1, 5, 32}) {
    EXPECT_EQ(parameter_count(Recurrent(Rnn(d, d, random))), 2 * d * d + d);
    EXPECT_EQ(parameter_count(Recurrent(Lstm(d, d, random))), 8 * d * d + 4 * d);
    EXPECT_EQ(parameter_count(Recurrent(Gru(d, d, random))), 6 * d * d + 6 * d);
  }
  EXPECT_EQ(parameter_count(Tagger()), 10u * 4 + 12 * 4 + 12 * 3 + 12 + 3 * 2 + 2);
}

TEST(ModuleTest, DescribeHasALinePerParameterAndTheTotal) {
  Random random(1);
  Linear linear(12, 3, random);
  linear.bias.trainable = false;
  EXPECT_EQ(describe(linear),
            "weight                                    [3, 12]         36\n"
            "bias                                          [3]          3  frozen\n"
            "total                                                     39\n");
}

TEST(ModuleTest, OneParameterIsAModule) {
  Parameter p(full_array({2, 3}, 0));
  EXPECT_EQ(parameter_count(p), 6u);
  EXPECT_EQ(parameters(p), std::vector<Parameter*>{&p});
}

TEST(ModuleTest, CopyIsAModelOfItsOwn) {
  Tagger model;
  Tagger copy = model;
  copy.head.bias.mutable_value().fill(5);
  EXPECT_EQ(model.head.bias.value()(0), 0);
  EXPECT_EQ(copy.words.weight.value(), model.words.weight.value());
}

// --- messages name the layer ---

TEST(LayerPathTest, WrongInputWidthNamesTheLayer) {
  Tagger model;
  parameters(model);
  const Var x = zeros({5, 2, 7});
  EXPECT_EQ(error_of<ShapeError>([&] { model.encoder.lstm(x); }),
            "encoder.lstm: affine: the last extent of x must equal the columns of w; "
            "got x [10, 7], w [12, 4]");
  EXPECT_EQ(error_of<ShapeError>([&] { model.head(x); }),
            "head: affine: the last extent of x must equal the columns of w; "
            "got x [5, 2, 7], w [2, 3]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              model.words(Indices{3, 10});
            }),
            "words: gather: an index must lie in 0 .. 9 (or be -1 for none); got 10");
}

TEST(LayerPathTest, WrongStateNamesTheLayer) {
  Tagger model;
  parameters(model);
  const auto run = [&](const Shape& x, const Shape& h, const Shape& c) {
    return error_of<ShapeError>([&] {
      model.encoder.lstm(zeros(x), {.state = Lstm::State{zeros(h), zeros(c)}});
    });
  };
  EXPECT_EQ(run({5, 2}, {2, 3}, {2, 3}),
            "encoder.lstm: recurrent: x must be [T, B, in]; got [5, 2]");
  EXPECT_EQ(run({5, 2, 4}, {2, 3}, {1, 3}),
            "encoder.lstm: recurrent: part 1 of the initial state must be [2, 3]; got [1, 3]");
  EXPECT_EQ(run({5, 2, 4}, {2, 7}, {2, 3}),
            "encoder.lstm: recurrent: part 0 of the initial state must be [2, 3]; got [2, 7]");
}

TEST(LayerPathTest, WithoutNamesItIsTheKindOfLayer) {
  Tagger model;
  const auto starts_with = [](const std::string& text, const std::string& start) {
    EXPECT_EQ(text.substr(0, start.size()), start);
  };
  starts_with(error_of([&] { model.encoder.lstm(zeros({5, 2, 7})); }), "recurrent: affine: ");
  EXPECT_EQ(error_of([&] {
              model.encoder.lstm(zeros({5, 2}));
            }),
            "recurrent: x must be [T, B, in]; got [5, 2]");
  starts_with(error_of([&] { model.head(zeros({5, 7})); }), "linear: affine: ");
  starts_with(error_of([&] { model.words(Indices{10}); }), "embedding: gather: ");
}

TEST(LayerPathTest, FirstNonFiniteValueNamesTheLayer) {
  Tagger model;
  parameters(model);
  Tape tape;
  tape.check_finite(true);
  const Var x = model.words(Indices{{1, 2}, {3, 4}});
  model.encoder.lstm.cell.bias_ih.mutable_value()(0) = std::numeric_limits<real>::quiet_NaN();
  EXPECT_EQ(error_of<NonFiniteError>([&] { model.encoder.lstm(x); }),
            "encoder.lstm: affine: forward made nan in [4, 12]");
}

TEST(LayerPathTest, FirstNonFiniteGradientNamesTheLayer) {
  Tagger model;
  parameters(model);
  Tape tape;
  tape.check_finite(true);
  const Var y = model.head(zeros({2, 3}));
  // sqrt has an infinite slope at 0, where the bias starts.
  const std::string text = error_of<NonFiniteError>([&] { tape.backward(sum(sqrt(y))); });
  EXPECT_EQ(text, "sqrt: backward made inf in [2, 2]");
}

// A cell made of layers.
struct Gated {
  struct State {
    Var h;
  };
  Linear gate, next;
  State initial_state(std::size_t batch) const { return {zeros({batch, 3})}; }
  State step(const Var& x, const State& s) const {
    const Var xh = concat({x, s.h}, -1);
    const Var z = sigmoid(gate(xh));
    return {z * s.h + (1 - z) * tanh(next(xh))};
  }
  static void fields(auto& self, auto&& visit) {
    visit("gate", self.gate);
    visit("next", self.next);
  }
};

struct GatedModel {
  Recurrent<Gated> rnn;
  static void fields(auto& self, auto&& visit) { visit("rnn", self.rnn); }
};

TEST(LayerPathTest, LayerWithinACellIsNamedOnce) {
  Random random(1);
  GatedModel model{Recurrent(Gated{Linear(5, 3, random), Linear(5, 3, random)})};
  EXPECT_EQ(parameters(model).front()->name, "rnn.gate_l0.weight");
  EXPECT_EQ(model.rnn(zeros({4, 2, 2})).outputs.shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(error_of([&] {
              model.rnn(zeros({4, 2, 7}));
            }),
            "rnn.gate_l0: affine: the last extent of x must equal the columns of w; "
            "got x [2, 10], w [3, 5]");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
