#include <cmath>

#include "op_cases.hpp"

namespace reel::testing {
namespace {

using Scalars = std::span<const double>;

OpCase elementwise(const char* name, std::size_t inputs,
                   std::function<Var(std::span<const Var>)> function,
                   std::function<double(Scalars)> reference) {
  OpCase op{.name = name, .declared = name, .function = std::move(function), .reference = {}};
  op.reference = [reference](const std::vector<Tensor>& in) {
    Shape shape = in[0].shape;
    for (const Tensor& x : in) shape = detail::broadcast_shapes("reference", shape, x.shape);
    return make_tensor(shape, [&](const Index& index) {
      std::vector<double> scalars;
      for (const Tensor& x : in) scalars.push_back(x[broadcast_index(index, x.shape)]);
      return reference(scalars);
    });
  };
  op.shapes.assign(inputs, {3, 4});
  op.empty.assign(inputs, {2, 0, 3});
  op.ones.assign(inputs, {1});
  op.elementwise = true;
  return op;
}
OpCase unary(const char* name, Var (*function)(const Var&), double (*reference)(double)) {
  return elementwise(
      name, 1, [function](auto in) { return function(in[0]); },
      [reference](Scalars x) { return reference(x[0]); });
}
OpCase binary(const char* name, Var (*function)(const Var&, const Var&),
              double (*reference)(double, double)) {
  return elementwise(
      name, 2, [function](auto in) { return function(in[0], in[1]); },
      [reference](Scalars x) { return reference(x[0], x[1]); });
}

OpCase declared_as(const char* declared, OpCase op) { return op.declared = declared, op; }
OpCase kinked(OpCase op, std::vector<double> kinks) { return op.kinks = std::move(kinks), op; }
OpCase within(double low, double high, std::vector<double> extremes, OpCase op) {
  op.low = low;
  op.high = high;
  op.extremes = std::move(extremes);
  return op;
}
OpCase distinct(OpCase op) { return op.distinct = true, within(-50, 50, {-300, 300}, op); }

double sigmoid_of(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double softplus_of(double x) { return x > 30 ? x + std::exp(-x) : std::log1p(std::exp(x)); }

constexpr real kSlope = real(0.1), kAlpha = real(1.5);

OpCase dropout_case() {
  // The mask is that of a generator with the same seed: element i uses its i-th number.
  OpCase op = elementwise("dropout", 1,
                          [](auto in) {
                            Random random(5);
                            return dropout(in[0], real(0.25), random);
                          },
                          {});
  op.reference = [](const std::vector<Tensor>& in) {
    Random random(5);
    Tensor y = in[0];
    for (double& x : y.data) x = random.uniform() < 0.25 ? 0 : x / 0.75;
    return y;
  };
  return op;
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> rows{
      declared_as("operator+",
                  binary("add", reel::operator+, [](double a, double b) { return a + b; })),
      declared_as("operator-",
                  binary("subtract", reel::operator-, [](double a, double b) { return a - b; })),
      declared_as("operator*",
                  binary("multiply", reel::operator*, [](double a, double b) { return a * b; })),
      declared_as("operator/", within(0.5, 2, {0.01, 300},
                                      binary("divide", reel::operator/,
                                             [](double a, double b) { return a / b; }))),
      declared_as("operator-", unary("negate", reel::operator-, [](double x) { return -x; })),
      kinked(unary("abs", reel::abs, [](double x) { return x < 0 ? -x : x; }), {0}),
      kinked(unary("sign", reel::sign, [](double x) { return double((x > 0) - (x < 0)); }), {0}),
      within(-2, 2, {-80, 80}, unary("exp", reel::exp, std::exp)),
      within(0.5, 3, {1e-30, 300}, unary("log", reel::log, std::log)),
      within(-0.5, 2, {-0.99, 1e-20, 300}, unary("log1p", reel::log1p, std::log1p)),
      within(-2, 2, {-300, 1e-20, 80}, unary("expm1", reel::expm1, std::expm1)),
      within(0.5, 3, {1e-30, 300}, unary("sqrt", reel::sqrt, std::sqrt)),
      unary("square", reel::square, [](double x) { return x * x; }),
      within(0.5, 2, {-300, 0.01, 300},
             unary("reciprocal", reel::reciprocal, [](double x) { return 1 / x; })),
      unary("sin", reel::sin, std::sin),
      unary("cos", reel::cos, std::cos),
      within(0.5, 2, {0.01, 6}, binary("pow", reel::pow, std::pow)),
      unary("sigmoid", reel::sigmoid, sigmoid_of),
      unary("tanh", reel::tanh, std::tanh),
      kinked(unary("relu", reel::relu, [](double x) { return x > 0 ? x : 0; }), {0}),
      kinked(elementwise(
                 "leaky_relu", 1, [](auto in) { return leaky_relu(in[0], kSlope); },
                 [](Scalars x) { return x[0] > 0 ? x[0] : x[0] * double(kSlope); }),
             {0}),
      kinked(elementwise(
                 "elu", 1, [](auto in) { return elu(in[0], kAlpha); },
                 [](Scalars x) { return x[0] > 0 ? x[0] : double(kAlpha) * (std::exp(x[0]) - 1); }),
             {0}),
      unary("gelu", reel::gelu, [](double x) { return x * std::erfc(-x * std::sqrt(0.5)) / 2; }),
      unary("softplus", reel::softplus, softplus_of),
      unary("silu", reel::silu, [](double x) { return x * sigmoid_of(x); }),
      distinct(binary("max", reel::max, [](double a, double b) { return a > b ? a : b; })),
      distinct(binary("min", reel::min, [](double a, double b) { return a < b ? a : b; })),
      kinked(elementwise(
                 "clamp", 1, [](auto in) { return clamp(in[0], -1, real(0.5)); },
                 [](Scalars x) { return x[0] < -1    ? -1
                                        : x[0] > 0.5 ? 0.5
                                                     : x[0]; }),
             {-1, 0.5}),
      // The condition is 0 where x is negative.
      kinked(elementwise(
                 "where", 3, [](auto in) { return where(relu(in[0]), in[1], in[2]); },
                 [](Scalars x) { return x[0] > 0 ? x[1] : x[2]; }),
             {0}),
      unary("stop_gradient", reel::stop_gradient, [](double x) { return x; }),
      dropout_case(),
  };
  for (OpCase& row : rows) row.constant = row.name == "stop_gradient";
  return rows;
}

}  // namespace reel::testing
