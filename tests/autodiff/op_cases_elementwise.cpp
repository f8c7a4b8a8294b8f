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
using Unary = Var (*)(const Var&);
using Binary = Var (*)(const Var&, const Var&);

OpCase unary(const char* name, Unary function, double (*reference)(double)) {
  return elementwise(
      name, 1, [function](auto in) { return function(in[0]); },
      [reference](Scalars x) { return reference(x[0]); });
}
OpCase binary(const char* name, Binary function, double (*reference)(double, double)) {
  return elementwise(
      name, 2, [function](auto in) { return function(in[0], in[1]); },
      [reference](Scalars x) { return reference(x[0], x[1]); });
}

#define UNARY(name, y, reference) \
  unary(                          \
      name, [](const Var& x) -> Var { return y; }, reference)
#define BINARY(name, y, reference) \
  binary(                          \
      name, [](const Var& a, const Var& b) -> Var { return y; }, reference)

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

// Which elements are chosen: those whose draw is below p 2^32. The draws are the halves of the
// numbers of SplitMix64, whose seed is the next number of the Random: of each 128 numbers first
// the low halves, then the high ones.
std::vector<bool> chosen(std::size_t count, double p) {
  std::uint64_t state = Random(5).bits();
  std::vector<std::uint64_t> draws;
  while (draws.size() < count) {
    std::vector<std::uint64_t> high;
    for (int i = 0; i < 128; ++i) {
      std::uint64_t z = state += 0x9e3779b97f4a7c15;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      z ^= z >> 31;
      draws.push_back(z & 0xffffffff);
      high.push_back(z >> 32);
    }
    draws.insert(draws.end(), high.begin(), high.end());
  }
  std::vector<bool> is(count);
  for (std::size_t i = 0; i < count; ++i) is[i] = static_cast<double>(draws[i]) < p * 0x1.0p32;
  return is;
}

OpCase dropout_case() {
  OpCase op = elementwise("dropout", 1,
                          [](auto in) {
                            Random random(5);
                            return dropout(in[0], real(0.25), random);
                          },
                          {});
  op.reference = [](const std::vector<Tensor>& in) {
    Tensor y = in[0];
    const std::vector<bool> dropped = chosen(y.data.size(), 0.25);
    for (std::size_t i = 0; i < y.data.size(); ++i) y.data[i] = dropped[i] ? 0 : y.data[i] / 0.75;
    return y;
  };
  return op;
}

OpCase zoneout_case() {
  OpCase op = elementwise("zoneout", 2,
                          [](auto in) {
                            Random random(5);
                            return zoneout(in[0], in[1], real(0.25), random);
                          },
                          {});
  op.reference = [](const std::vector<Tensor>& in) {
    Tensor y = in[1];
    const std::vector<bool> kept = chosen(y.data.size(), 0.25);
    for (std::size_t i = 0; i < y.data.size(); ++i)
      if (kept[i]) y.data[i] = in[0].data[i];
    return y;
  };
  op.elementwise = false;
  return op;
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> rows{
      declared_as("operator+", BINARY("add", a + b, [](double a, double b) { return a + b; })),
      declared_as("operator-", BINARY("subtract", a - b, [](double a, double b) { return a - b; })),
      declared_as("operator*", BINARY("multiply", a * b, [](double a, double b) { return a * b; })),
      declared_as("operator/",
                  within(0.5, 2, {0.01, 300},
                         BINARY("divide", a / b, [](double a, double b) { return a / b; }))),
      declared_as("operator-", UNARY("negate", -x, [](double x) { return -x; })),
      kinked(UNARY("abs", abs(x), [](double x) { return x < 0 ? -x : x; }), {0}),
      kinked(UNARY("sign", sign(x), [](double x) { return double((x > 0) - (x < 0)); }), {0}),
      within(-2, 2, {-80, 80}, UNARY("exp", exp(x), std::exp)),
      within(0.5, 3, {1e-30, 300}, UNARY("log", log(x), std::log)),
      within(-0.5, 2, {-0.99, 1e-20, 300}, UNARY("log1p", log1p(x), std::log1p)),
      within(-2, 2, {-300, 1e-20, 80}, UNARY("expm1", expm1(x), std::expm1)),
      within(0.5, 3, {1e-30, 300}, UNARY("sqrt", sqrt(x), std::sqrt)),
      UNARY("square", square(x), [](double x) { return x * x; }),
      within(0.5, 2, {-300, 0.01, 300},
             UNARY("reciprocal", reciprocal(x), [](double x) { return 1 / x; })),
      UNARY("sin", sin(x), std::sin),
      UNARY("cos", cos(x), std::cos),
      within(0.5, 2, {0.01, 6}, BINARY("pow", pow(a, b), std::pow)),
      UNARY("sigmoid", sigmoid(x), sigmoid_of),
      UNARY("tanh", tanh(x), std::tanh),
      kinked(UNARY("relu", relu(x), [](double x) { return x > 0 ? x : 0; }), {0}),
      kinked(elementwise(
                 "leaky_relu", 1, [](auto in) { return leaky_relu(in[0], kSlope); },
                 [](Scalars x) { return x[0] > 0 ? x[0] : x[0] * double(kSlope); }),
             {0}),
      kinked(elementwise(
                 "elu", 1, [](auto in) { return elu(in[0], kAlpha); },
                 [](Scalars x) { return x[0] > 0 ? x[0] : double(kAlpha) * (std::exp(x[0]) - 1); }),
             {0}),
      UNARY("gelu", gelu(x), [](double x) { return x * std::erfc(-x * std::sqrt(0.5)) / 2; }),
      UNARY("softplus", softplus(x), softplus_of),
      UNARY("silu", silu(x), [](double x) { return x * sigmoid_of(x); }),
      distinct(BINARY("max", max(a, b), [](double a, double b) { return a > b ? a : b; })),
      distinct(BINARY("min", min(a, b), [](double a, double b) { return a < b ? a : b; })),
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
      dropout_case(),
      zoneout_case(),
  };
  return rows;
}

}  // namespace reel::testing
