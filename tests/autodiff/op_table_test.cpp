// Everything that must hold for every op, from its row in op_cases.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>

#include <cmath>

#include "op_cases.hpp"

namespace reel::testing {
namespace {

constexpr bool kDouble = sizeof(real) == 8;
constexpr double kTolerance = kDouble ? 1e-13 : 2e-6;  // relative to max(scale, |expected|)

void expect_near(const Array& got, const Tensor& expected, double scale = 1) {
  ASSERT_EQ(shape_of(got), expected.shape);
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    const double want = expected.data[i], have = got.data()[i];
    if (want == have) continue;  // infinities
    EXPECT_NEAR(have, want, kTolerance * std::max(scale, std::abs(want))) << "element " << i;
  }
}

std::vector<Tensor> tensors(const std::vector<Array>& arrays) {
  std::vector<Tensor> all;
  for (const Array& array : arrays) all.push_back(tensor_of(array));
  return all;
}

// Weights of the elements of y, without symmetry.
Array seed_like(const Shape& shape) {
  Random random(9);
  return random_array(shape, random, 0.5, 1.5);
}

struct Evaluation {
  Array value;
  std::vector<Array> grads;
};

// The op on windows x_i = windows(leaf_i), and the gradients of the leaves.
Evaluation evaluate(const OpCase& op, const std::vector<Array>& arrays,
                    const std::function<Var(const Var&)>& window = {}) {
  Tape tape;
  std::vector<Var> leaves, inputs;
  for (const Array& x : arrays) {
    leaves.push_back(tape.leaf(x));
    inputs.push_back(window ? window(leaves.back()) : leaves.back());
  }
  const Var y = op.function(inputs);
  if (y.is_recorded()) tape.backward(y, seed_like(y.shape()));
  Evaluation result{y.value(), {}};
  for (const Var& leaf : leaves) result.grads.push_back(leaf.grad());
  return result;
}

void expect_value(const OpCase& op, const std::vector<Array>& inputs) {
  const std::vector<Var> constants(inputs.begin(), inputs.end());
  const Var y = op.function(constants);
  EXPECT_FALSE(y.is_recorded());
  const Tensor expected = op.reference(tensors(inputs));
  expect_near(y.value(), expected);
  expect_near(evaluate(op, inputs).value, expected);
}

void expect_gradients(const OpCase& op, const std::vector<Array>& inputs) {
  GradcheckOptions options;
  options.orders = kDouble ? 2 : 1;
  const GradcheckResult result = gradcheck(op.function, inputs, {}, options);
  EXPECT_TRUE(result) << result.message;
}

std::string shape_name(const std::vector<Shape>& shapes) {
  return fmt::format("{}", fmt::join(shapes, ", "));
}

class OpTable : public ::testing::TestWithParam<OpCase> {};
class ElementwiseTable : public ::testing::TestWithParam<OpCase> {};

TEST_P(OpTable, Values) { expect_value(GetParam(), draw_inputs(GetParam(), GetParam().shapes)); }

TEST_P(OpTable, Gradients) {
  expect_gradients(GetParam(), draw_inputs(GetParam(), GetParam().shapes));
}

TEST_P(OpTable, EmptyInputs) {
  const OpCase& op = GetParam();
  if (op.empty.empty()) return;
  const std::vector<Array> inputs = draw_inputs(op, op.empty);
  expect_value(op, inputs);
  expect_gradients(op, inputs);
}

TEST_P(OpTable, InputsOfSizeOne) {
  const OpCase& op = GetParam();
  if (op.ones.empty()) return;
  const std::vector<Array> inputs = draw_inputs(op, op.ones);
  expect_value(op, inputs);
  expect_gradients(op, inputs);
}

TEST_P(OpTable, ExtremeInputsStayFinite) {
  const OpCase& op = GetParam();
  std::vector<Array> inputs = draw_inputs(op, op.shapes);
  for (std::size_t first = 0; first < op.extremes.size(); ++first) {
    std::size_t at = first;
    for (Array& input : inputs) {
      for (real& x : input.storage()) x = static_cast<real>(op.extremes[at++ % op.extremes.size()]);
      ++at;
    }
    const Evaluation result = evaluate(op, inputs);
    expect_near(result.value, op.reference(tensors(inputs)), std::max(1.0, op.terms));
    for (const Array& grad : result.grads)
      for (real slope : grad.storage()) EXPECT_TRUE(std::isfinite(slope)) << slope;
  }
}

// A layout: how to make the base of which window(base) has a given shape.
struct Layout {
  const char* name;
  std::function<Shape(Shape)> base;
  std::function<Var(const Var&)> window;
};

Var on_every_axis(Var x, const std::function<Var(const Var&, std::ptrdiff_t)>& move) {
  for (std::size_t axis = 0; axis < x.dim(); ++axis) x = move(x, static_cast<std::ptrdiff_t>(axis));
  return x;
}

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all{
      {"permuted",
       [](Shape shape) {
         std::reverse(shape.begin(), shape.end());
         return shape;
       },
       [](const Var& x) {
         Axes axes;
         for (std::size_t i = x.dim(); i-- > 0;) axes.push_back(static_cast<std::ptrdiff_t>(i));
         return permute(x, axes);
       }},
      {"sliced",
       [](Shape shape) {
         for (std::size_t& extent : shape) extent += 3;
         return shape;
       },
       [](const Var& x) {
         return on_every_axis(x, [](const Var& v, auto axis) { return slice(v, axis, 1, -2); });
       }},
      {"stepped",
       [](Shape shape) {
         for (std::size_t& extent : shape) extent *= 2;
         return shape;
       },
       [](const Var& x) {
         return on_every_axis(x, [](const Var& v, auto axis) {
           return slice(v, axis, 0, static_cast<std::ptrdiff_t>(v.size(axis)), 2);
         });
       }},
  };
  return all;
}

// The op's gradient by way of a window is the window's gradient of the op's dense gradient.
void expect_same_through(const Layout& layout, const OpCase& op) {
  std::vector<Shape> shapes;
  for (const Shape& shape : op.shapes) shapes.push_back(layout.base(shape));
  const std::vector<Array> bases = draw_inputs(op, shapes);
  std::vector<Array> dense;
  for (const Array& base : bases) dense.push_back(layout.window(Var(base)).value());
  const Evaluation through = evaluate(op, bases, layout.window), direct = evaluate(op, dense);
  expect_near(through.value, tensor_of(direct.value));
  for (std::size_t i = 0; i < bases.size(); ++i) {
    Tape tape;
    const Var base = tape.leaf(bases[i]);
    tape.backward(layout.window(base), direct.grads[i]);
    expect_near(through.grads[i], tensor_of(base.grad()));
  }
}

TEST_P(OpTable, StridedInputs) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    expect_same_through(layout, GetParam());
  }
}

// An expanded input: one row for all.
TEST_P(OpTable, RepeatedInputs) {
  const OpCase& op = GetParam();
  for (std::size_t i = 0; i < op.shapes.size(); ++i) {
    if (op.shapes[i].empty()) continue;
    SCOPED_TRACE(fmt::format("input {}", i));
    std::vector<Array> bases = draw_inputs(op, op.shapes);
    bases[i] = index(Var(bases[i]), 0, 0).value();
    std::vector<Array> dense = bases;
    const auto repeat = [&](const Var& x) { return expand(x, op.shapes[i]); };
    dense[i] = repeat(Var(bases[i])).value();
    OpCase repeated = op;
    repeated.function = [&](std::span<const Var> in) {
      std::vector<Var> xs(in.begin(), in.end());
      xs[i] = repeat(xs[i]);
      return op.function(xs);
    };
    const Evaluation through = evaluate(repeated, bases), direct = evaluate(op, dense);
    expect_near(through.value, tensor_of(direct.value));
    Tape tape;
    const Var base = tape.leaf(bases[i]);
    tape.backward(repeat(base), direct.grads[i]);
    expect_near(through.grads[i], tensor_of(base.grad()));
  }
}

TEST_P(ElementwiseTable, ShapesBroadcast) {
  const OpCase& op = GetParam();
  const std::size_t n = op.shapes.size();
  for (std::vector<Shape> shapes :
       std::initializer_list<std::vector<Shape>>{{{2, 1, 4}, {3, 1}, {4}},
                                                 {{}, {3, 2}, {1, 2}},
                                                 {{5, 1}, {5, 19}, {19}},
                                                 {{19}, {5, 1}, {}},
                                                 {{1}, {1, 1}, {}},
                                                 {{0, 3}, {1, 3}, {1}}}) {
    shapes.resize(n);
    SCOPED_TRACE(shape_name(shapes));
    const std::vector<Array> inputs = draw_inputs(op, shapes);
    expect_value(op, inputs);
    expect_gradients(op, inputs);
  }
}

TEST_P(ElementwiseTable, AnySize) {
  const OpCase& op = GetParam();
  for (std::size_t size : {1, 3, 7, 8, 9, 15, 16, 17, 300}) {
    SCOPED_TRACE(size);
    const std::vector<Array> inputs = draw_inputs(op, {op.shapes.size(), Shape{size}});
    expect_value(op, inputs);
    if (kDouble) expect_gradients(op, inputs);
  }
}

TEST_P(ElementwiseTable, ManyValuesOfTheDomain) {
  const OpCase& op = GetParam();
  for (std::uint64_t seed : {1, 2, 3})
    expect_value(op, draw_inputs(op, {op.shapes.size(), Shape{1000}}, seed));
}

// Bit for bit, in a register of its own or with any others: streams and batches rely on it.
TEST_P(ElementwiseTable, ElementsDoNotDependOnTheirNeighbours) {
  const OpCase& op = GetParam();
  if (op.declared == "dropout") return;  // whose draws depend on the place
  constexpr std::size_t kCount = 200;
  std::vector<Array> inputs = draw_inputs(op, {op.shapes.size(), Shape{kCount}});
  if (op.name == "sin" || op.name == "cos")
    for (std::size_t i = 0; i < kCount; i += 2) inputs[0](i) *= i % 4 == 0 ? 30 : 900;
  const Array all = op.function(std::vector<Var>(inputs.begin(), inputs.end())).value();
  for (std::size_t i = 0; i < kCount; ++i) {
    std::vector<Var> alone;
    for (const Array& input : inputs) alone.emplace_back(full_array({1}, input(i)));
    const real value = op.function(alone).item();
    EXPECT_TRUE(value == all(i) || (std::isnan(value) && std::isnan(all(i)))) << i;
  }
}

std::vector<OpCase> elementwise_rows() {
  std::vector<OpCase> rows = op_cases();
  std::erase_if(rows, [](const OpCase& row) { return !row.elementwise; });
  return rows;
}

const auto kName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Ops, OpTable, ::testing::ValuesIn(op_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Ops, ElementwiseTable, ::testing::ValuesIn(elementwise_rows()), kName);

}  // namespace

// gtest prints parameters with this.
void PrintTo(const OpCase& op, std::ostream* out) { *out << op.name; }

}  // namespace reel::testing
