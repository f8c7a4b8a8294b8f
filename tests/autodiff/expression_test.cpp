#include <reel/autodiff/expression.hpp>

#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

#include "agreement.hpp"
#include "throws.hpp"

namespace reel::testing {
namespace {

using In = std::span<const Var>;

constexpr double kTolerance = std::is_same_v<real, double> ? 1e-12 : 1e-4;

// A function twice: as an expression, and op by op.
struct Twice {
  Function fused, separate;
  std::vector<Shape> shapes;
};
std::vector<Twice> functions() {
  const Shape s{3, 5};
  return {
      {[](In x) -> Var { return sigmoid(x[0]) * x[1] + sigmoid(x[2]) * tanh(x[3]); },
       [](In x) -> Var {
         const Var f = sigmoid(x[0]), i = sigmoid(x[2]), g = tanh(x[3]), a = f * x[1], b = i * g;
         return a + b;
       },
       {s, s, s, s}},
      // One Var several times, in one op and across ops.
      {[](In x) -> Var { return (1 - x[0]) * x[1] + x[0] * x[2] * x[0]; },
       [](In x) -> Var {
         const Var rest = 1 - x[0], a = rest * x[1], b = x[0] * x[2], c = b * x[0];
         return a + c;
       },
       {s, s, s}},
      // Numbers of all kinds, on either side.
      {[](In x) -> Var {
         return 2 * x[0] - 0.5 / (x[1] * x[1] + 3u) + pow(x[0] * x[0] + 1, 1.5f) * max(x[1], 0);
       },
       [](In x) -> Var {
         const Var twice = 2 * x[0], square1 = x[1] * x[1], low = square1 + 3, part = 0.5 / low;
         const Var square0 = x[0] * x[0], up = square0 + 1, p = pow(up, 1.5), m = max(x[1], 0);
         const Var first = twice - part, last = p * m;
         return first + last;
       },
       {s, s}},
      // Inputs that broadcast.
      {[](In x) -> Var { return tanh(x[0] * x[1] + x[2]) * x[3]; },
       [](In x) -> Var {
         const Var a = x[0] * x[1], b = a + x[2], c = tanh(b);
         return c * x[3];
       },
       {s, {5}, {3, 1}, {}}},
      // Results that broadcast.
      {[](In x) -> Var { return tanh(x[0]) * exp(x[1]) + sin(x[2] * 2) * (x[1] + x[3]); },
       [](In x) -> Var {
         const Var a = tanh(x[0]), b = exp(x[1]), c = a * b, d = x[2] * 2, e = sin(d);
         const Var f = x[1] + x[3], g = e * f;
         return c + g;
       },
       {s, {5}, {3, 1}, {1, 5}}},
      // More inputs than one op takes.
      {[](In x) -> Var {
         return tanh(x[0] * x[1] + x[2] * x[3]) * sigmoid(x[3] * x[0] - x[1] * x[2]) +
                sin(x[0] * x[2] + x[1] * x[3]);
       },
       [](In x) -> Var {
         const Var a = x[0] * x[1], b = x[2] * x[3], c = x[3] * x[0], d = x[1] * x[2];
         const Var e = a + b, f = tanh(e), g = c - d, h = sigmoid(g), i = f * h;
         const Var j = x[0] * x[2], k = x[1] * x[3], l = j + k, m = sin(l);
         return i + m;
       },
       {s, s, s, s}},
      // Parts of one array, some of them shared.
      {[](In x) -> Var {
         const std::array<Var, 2> half = split<2>(tanh(x[0]), 1);
         const Var first = slice(x[0], 1, 0, 2);
         return sigmoid(half[0]) * half[1] - first * half[0] + 0.1 * first;
       },
       [](In x) -> Var {
         const std::array<Var, 2> half = split<2>(tanh(x[0]), 1);
         const Var first = slice(x[0], 1, 0, 2), a = sigmoid(half[0]), b = a * half[1];
         const Var c = first * half[0], d = b - c, e = 0.1 * first;
         return d + e;
       },
       {{3, 4}}},
      // A choice, and ops that hold numbers.
      {[](In x) -> Var {
         return where(relu(x[0] - 0.2), leaky_relu(x[1], real(0.1)) * x[2], 1) +
                where(x[1], clamp(x[0] * 2, -1, 1), elu(-x[2]));
       },
       [](In x) -> Var {
         const Var a = x[0] - 0.2, b = relu(a), c = leaky_relu(x[1], real(0.1)), d = c * x[2];
         const Var e = where(b, d, 1), f = x[0] * 2, g = clamp(f, -1, 1), h = -x[2], i = elu(h);
         const Var j = where(x[1], g, i);
         return e + j;
       },
       {s, s, s}},
      {[](In x) -> Var { return x[0] * 2 + x[0]; },
       [](In x) -> Var {
         const Var twice = x[0] * 2;
         return twice + x[0];
       },
       {{2, 0}}},
  };
}

// Value, gradients and second derivatives, as arrays.
std::vector<Array> all_of(const Function& f, const std::vector<Shape>& shapes) {
  Tape tape;
  std::vector<Var> leaves;
  for (const Array& array : random_arrays(shapes)) leaves.push_back(tape.leaf(array));
  const Var y = f(leaves);
  std::vector<Array> results{Array(y.value())};
  const Var loss = sum(sin(y));
  tape.backward(loss);
  for (const Var& leaf : leaves) results.push_back(leaf.grad());
  Var squares = real(0);
  for (const Var& g : tape.gradients(loss, leaves, {.create_graph = true}))
    squares = squares + sum(square(g));
  for (const Var& g : tape.gradients(squares, leaves)) results.push_back(Array(g.value()));
  return results;
}

TEST(ExpressionTest, EqualsItsOpsOneByOne) {
  for (const Twice& f : functions()) {
    const std::vector<Array> fused = all_of(f.fused, f.shapes);
    const std::vector<Array> separate = all_of(f.separate, f.shapes);
    for (std::size_t i = 0; i < fused.size(); ++i)
      EXPECT_TRUE(all_near(fused[i], separate[i], kTolerance))
          << "function " << &f - functions().data() << ", result " << i;
  }
}
TEST(ExpressionTest, EqualsItsOpsWithoutATape) {
  for (const Twice& f : functions()) {
    const std::vector<Array> arrays = random_arrays(f.shapes);
    const std::vector<Var> in(arrays.begin(), arrays.end());
    EXPECT_TRUE(all_near(f.fused(in).value(), f.separate(in).value(), kTolerance));
    EXPECT_FALSE(f.fused(in).is_recorded());
  }
}

class Expressions : public ::testing::Test {
 protected:
  Var leaf(const Shape& shape = {2, 3}) { return tape.leaf(full_array(shape, real(0.5))); }
  // Nodes recorded by make().
  std::size_t nodes(const std::function<void()>& make) {
    const std::size_t before = tape.size();
    make();
    return tape.size() - before;
  }
  Tape tape;
};

TEST_F(Expressions, AStatementIsOneNode) {
  const Var f = leaf(), i = leaf(), g = leaf(), o = leaf(), c = leaf();
  EXPECT_EQ(nodes([&] {
              const Var next = sigmoid(f) * c + sigmoid(i) * tanh(g);
              const std::array<Var, 2> state{sigmoid(o) * tanh(next), next};
            }),
            2u);
}

TEST_F(Expressions, AnAutoVariableIsOneNodeHoweverOftenItIsUsed) {
  const Var x = leaf(), y = leaf();
  EXPECT_EQ(nodes([&] {
              const auto z = sigmoid(x) * y;
              const Var a = (1 - z) * x + z * y, b = z, c = z;
              EXPECT_EQ(&b.node(), &c.node());
              EXPECT_EQ(&b.node(), &z.node());
              EXPECT_EQ(z.ref().get(), &z.node());
              EXPECT_EQ(a.node().inputs().size(), 4u);
            }),
            2u);
}

TEST_F(Expressions, NothingIsRecordedThatNobodyUses) {
  const Var x = leaf();
  EXPECT_EQ(nodes([&] {
              const auto y = x * 2 + x;
              EXPECT_EQ(y.shape(), (Shape{2, 3}));
              EXPECT_EQ(y.dim(), 2u);
              EXPECT_EQ(y.size(), 6u);
              EXPECT_EQ(y.size(-1), 3u);
            }),
            0u);
}

TEST_F(Expressions, AnAutoVariableOutlivesWhatItWasMadeOf) {
  const auto make = [&] {
    const Var x = leaf({1}), y = x * 2;
    return tanh(y) * x + y;
  };
  const auto z = make();
  EXPECT_NEAR(z.item(), std::tanh(1.0) * 0.5 + 1, 1e-6);
}

TEST_F(Expressions, AnAutoVariableTakesOtherValues) {
  const Var x = leaf({1});
  auto y = x * x;
  const auto before = y;
  y = y + x;
  EXPECT_NEAR(y.item(), 0.75, 1e-6);
  y = tanh(y) * x;
  EXPECT_NEAR(y.item(), std::tanh(0.75) / 2, 1e-6);
  y = x;
  EXPECT_EQ(y.item(), real(0.5));
  EXPECT_EQ((std::move(y) * 2 + 1).item(), 2);
  EXPECT_EQ(before.item(), real(0.25));
}

TEST_F(Expressions, MembersAreThoseOfTheVar) {
  const Var x = leaf({1});
  EXPECT_TRUE((x * 2).is_recorded());
  EXPECT_FALSE((detach(x) * 2).is_recorded());
  EXPECT_EQ((x * 2 + 1).value(), Array{2});
  const auto y = x * 2 + 1;
  const Var z = y;
  EXPECT_EQ(Array(y.value()), Array{2});
  EXPECT_EQ(y.value().data(), z.value().data());
  EXPECT_THROWS_WITH(y.grad(), Error, "got the result of add (make it with tape.leaf)");
  EXPECT_FALSE(detach(x * 2).is_recorded());
}

TEST_F(Expressions, EitherOfTwoMayBeChosen) {
  const Var x = leaf({1});
  for (const bool first : {true, false}) {
    const Var y = first ? tanh(x) : relu(x), z = first ? x * 2 : x;
    EXPECT_NEAR(y.item(), first ? std::tanh(0.5) : 0.5, 1e-6);
    EXPECT_EQ(z.item(), first ? 1 : real(0.5));
  }
}

TEST_F(Expressions, AllThatConvertsToVarIsAnOperand) {
  const Parameter p(Array{4});
  const Var x = leaf({1});
  EXPECT_EQ((p * p + p).item(), 20);
  EXPECT_EQ((2 * p - Array{1} / p * x).item(), real(8 - 0.125));
  EXPECT_EQ((sqrt(p) + reel::sqrt(Array{9}) + reel::sqrt(16)).item(), 9);
  EXPECT_EQ((x * 2 + Array{1}).item(), 2);
  EXPECT_EQ((Array{1} - x * 2).item(), 0);
  EXPECT_EQ(where(1, Array{2}, x).item(), 2);
  EXPECT_EQ(reel::max(Array{1}, Array{2}).item(), 2);
}

TEST_F(Expressions, ABroadcastResultIsComputedOnce) {
  const Var x = leaf(), row = leaf({3}), column = leaf({2, 1});
  EXPECT_EQ(nodes([&] { const Var y = tanh(x * row) + column; }), 1u);
  EXPECT_EQ(nodes([&] { const Var y = x * exp(row); }), 2u);            // exp | *
  EXPECT_EQ(nodes([&] { const Var y = tanh(x) * exp(row * 2); }), 3u);  // tanh | * exp | *
  EXPECT_EQ(nodes([&] { const Var y = row + column; }), 1u);
  EXPECT_EQ(nodes([&] { const Var y = tanh(row + column); }), 2u);
}

TEST_F(Expressions, ErrorsNameTheOpBeforeAnythingIsRecorded) {
  const Var x = leaf();
  const std::size_t before = tape.size();
  Var stale;
  {
    Tape other;
    stale = other.leaf(Array{1}) * 2;
  }
  const Scope outer("encoder"), inner("l0");
  EXPECT_THROWS_WITH(sigmoid(x * 2) + tanh(x * zeros({2})), ShapeError,
                     "encoder.l0: multiply: extents must be equal or 1, counted from the last "
                     "axis; got a [2, 3], b [2]");
  EXPECT_THROWS_WITH(exp(x * 2 + Var()), Error, "encoder.l0: add: got an empty Var");
  EXPECT_THROWS_WITH(sigmoid(stale) * x, StaleError, "encoder.l0: sigmoid: got a value of a tape");
  EXPECT_EQ(tape.size(), before);
  Tape inside;
  EXPECT_THROWS_WITH(tanh(x) + 1, StaleError, "tanh: got a value of another tape");
}

TEST_F(Expressions, AHandleThatOutlivedItsTapeThrows) {
  const auto make = [](bool use) {
    Tape other;
    auto y = tanh(other.leaf(Array{1}) * 2);
    if (use) static_cast<void>(y.item());
    return y;
  };
  for (const bool used : {false, true}) {
    const auto y = make(used);
    EXPECT_THROW(y.item(), StaleError);
    EXPECT_THROW(y.shape(), StaleError);
    EXPECT_THROW(y + 1, StaleError);
  }
}

TEST_F(Expressions, CheckFiniteNamesTheOp) {
  tape.check_finite(true);
  const Var x = tape.leaf(Array{0});
  const Scope scope("decoder");
  EXPECT_THROWS_WITH(tanh(log(x) * 2) + x, NonFiniteError, "decoder: log: forward made -inf");
  const Var y = tanh(sqrt(x) * 2) + x;
  EXPECT_THROWS_WITH(tape.backward(sum(y)), NonFiniteError, "decoder: sqrt: backward made inf");
}

TEST_F(Expressions, DerivativesOfAllOrders) {
  const Array at{0.3, -1.2, 2};
  const Var x = tape.leaf(at);
  Var d = exp(x * 2) * x + sin(x) * x * x * x * x;
  for (int order = 1; order <= 4; ++order)
    d = tape.gradients(sum(d), {x}, {.create_graph = true})[0];
  // (x e^2x)'''' = (16 x + 32) e^2x, and Leibniz' rule
  const Array s = xt::sin(at), c = xt::cos(at);
  const Array expected = (16 * at + 32) * xt::exp(2 * at) + at * at * at * at * s -
                         16 * at * at * at * c - 72 * at * at * s + 96 * at * c + 24 * s;
  EXPECT_TRUE(all_near(d.value(), expected, 10 * kTolerance));
}

TEST_F(Expressions, OneVarManyTimesGetsItsWholeGradient) {
  for (std::size_t n : {1, 5, 8, 16, 17, 300}) {
    const Var x = leaf({n}), y = leaf({1});
    const Var z = x * x * x + x * y * y;
    for (int times : {1, 2}) {
      tape.backward(sum(z));
      EXPECT_TRUE(all_near(x.grad(), full_array({n}, real(times) * (3 * 0.25f + 0.25f)), 1e-6));
      EXPECT_TRUE(all_near(y.grad(), full_array({1}, real(times * n) * 0.5f), 1e-5));
    }
  }
}

}  // namespace
}  // namespace reel::testing
