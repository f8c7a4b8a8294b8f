// Gradients of weights and biases batched over time: the same sums, and the same bits however the
// rows arrive.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "agreement.hpp"

namespace reel::testing {
namespace {

constexpr double kTolerance = 4e4 * double(std::numeric_limits<real>::epsilon());

Array rows_of(const Array& x, std::size_t begin, std::size_t count) {
  return slice(Var(x), 0, std::ptrdiff_t(begin), std::ptrdiff_t(begin + count)).value();
}

TEST(DeferredProducts, ManySmallEqualOneLarge) {
  constexpr std::size_t kSteps = 700, kRows = 3;  // beyond what may wait
  const std::vector<Array> in = random_arrays({{kSteps * kRows, 4}, {5, 4}});
  const Parameter whole(in[1]), stepwise(in[1]);
  {
    Tape tape;
    tape.backward(sum(square(affine(Var(in[0]), whole))));
  }
  Tape tape;
  Var loss = real(0);
  for (std::size_t t = 0; t < kSteps; ++t) {
    const Var x = rows_of(in[0], t * kRows, kRows);
    const Var y = t % 2 == 0 ? affine(x, stepwise) : matmul(x, transpose(Var(stepwise)));
    loss = loss + sum(square(y));
  }
  tape.backward(loss);
  EXPECT_TRUE(all_near(stepwise.grad(), whole.grad(), kTolerance));
}

// --- the same bits ---

struct Grads {
  Array weight, bias;
  bool operator==(const Grads&) const = default;
};

// Gradients of x W' + b at given dy, with the rows in one piece or in steps of `rows_at`; the x
// of the steps that `apart` names do not lie in one block with the others.
Grads stepwise(const std::vector<Array>& in, const std::vector<std::size_t>& rows_at,
               const std::function<bool(std::size_t)>& apart) {
  const Parameter weight(in[1]), bias(in[2]);
  {
    Tape tape;
    const std::vector<Var> xs = split(Var(in[0]), rows_at, 0);
    std::vector<Var> ys;
    for (std::size_t t = 0; t < xs.size(); ++t)
      ys.push_back(affine(apart(t) ? Var(Array(xs[t].value())) : xs[t], weight, bias));
    tape.backward(concat(ys, 0), in[3]);
  }
  return {weight.grad(), bias.grad()};
}

TEST(DeferredProducts, BitsDoNotDependOnHowRowsArrive) {
  const std::vector<Array> in = random_arrays({{2000, 9}, {21, 9}, {21}, {2000, 21}});
  const auto none = [](std::size_t) { return false; };
  const Grads whole = stepwise(in, {2000}, none);
  EXPECT_EQ(stepwise(in, std::vector<std::size_t>(2000, 1), none), whole);
  EXPECT_EQ(stepwise(in, std::vector<std::size_t>(250, 8), none), whole);
  EXPECT_EQ(stepwise(in, std::vector<std::size_t>(20, 100), none), whole);
  EXPECT_EQ(stepwise(in, {1, 1023, 3, 973}, none), whole);
  const auto all = [](std::size_t) { return true; };
  EXPECT_EQ(stepwise(in, std::vector<std::size_t>(250, 8), all), whole);
  EXPECT_EQ(stepwise(in, std::vector<std::size_t>(20, 100), all), whole);
  const auto some = [](std::size_t t) { return t % 3 == 0; };
  EXPECT_EQ(stepwise(in, std::vector<std::size_t>(250, 8), some), whole);
  EXPECT_EQ(stepwise(in, {70, 5, 1925}, some), whole);
}

// h_t = tanh(h_{t-1} W' + b + x_t U'), with the products x U' of a segment as one; each segment
// on its own tape, the last one first.
struct Recurrence {
  static constexpr std::size_t kSteps = 120, kRows = 11;
  std::vector<Array> in = random_arrays({{kSteps * kRows, 5}, {7, 7}, {7, 5}, {7}, {kRows, 7}});
  Parameter w{in[1]}, u{in[2]}, b{in[3]};

  Var run(Var h, std::size_t begin, std::size_t end) const {
    const Var xs = affine(Var(rows_of(in[0], begin * kRows, (end - begin) * kRows)), u);
    for (const Var& x : split(xs, std::vector<std::size_t>(end - begin, kRows), 0))
      h = tanh(affine(h, w, b) + x);
    return h;
  }
  std::vector<Array> grads(const std::vector<std::size_t>& segments) const {
    std::vector<Array> starts{full_array({kRows, 7}, 0)};
    std::size_t begin = 0;
    for (std::size_t length : segments) {
      starts.push_back(run(Var(starts.back()), begin, begin + length).value());
      begin += length;
    }
    Array seed = in[4];
    for (std::size_t s = segments.size(); s-- > 0;) {
      Tape tape;
      const Var start = tape.leaf(starts[s]);
      tape.backward(run(start, begin - segments[s], begin), seed);
      seed = start.grad();
      begin -= segments[s];
    }
    return {w.grad(), u.grad(), b.grad()};
  }
};

TEST(DeferredProducts, BitsDoNotDependOnSegments) {
  const std::vector<Array> whole = Recurrence().grads({120});
  EXPECT_EQ(Recurrence().grads({60, 60}), whole);
  EXPECT_EQ(Recurrence().grads({1, 100, 19}), whole);
  EXPECT_EQ(Recurrence().grads(std::vector<std::size_t>(24, 5)), whole);
  EXPECT_EQ(Recurrence().grads(std::vector<std::size_t>(120, 1)), whole);
}

TEST(DeferredProducts, FrozenWeightWithTrainedBias) {
  const std::vector<Array> in = random_arrays({{6, 4}, {5, 4}, {5}});
  const Parameter bias(in[2]);
  Tape tape;
  const Var y = affine(Var(in[0]), Var(in[1]), bias);
  tape.backward(sum(y));
  EXPECT_TRUE(all_near(bias.grad(), full_array({5}, 6), kTolerance));
}

}  // namespace
}  // namespace reel::testing
