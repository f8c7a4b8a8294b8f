#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/pooling.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kSteps = 5, kBatch = 4, kWidth = 3;
const Lengths kLengths{2, 5, 0, 1};
constexpr real kNan = std::numeric_limits<real>::quiet_NaN();

// With `padding` past the rows' ends.
Array sequence(real padding, bool batch_first) {
  const Array values = random_array({kSteps, kBatch, kWidth}, 3);
  Array x = batch_first ? empty_array({kBatch, kSteps, kWidth}) : values;
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t row = 0; row < kBatch; ++row)
      for (std::size_t i = 0; i < kWidth; ++i)
        (batch_first ? x(row, t, i) : x(t, row, i)) =
            t < kLengths[row] ? values(t, row, i) : padding;
  return x;
}

using Pool = std::function<Var(const Var&, std::span<const std::size_t>, bool)>;

// pooled(row, i) from the elements of that row that count.
void expect_pooled(const Pool& pool,
                   const std::function<real(const std::vector<real>&)>& expected) {
  const Array x = sequence(0, false);
  for (const bool batch_first : {false, true}) {
    const Array y = pool(Var(sequence(kNan, batch_first)), kLengths, batch_first).value();
    ASSERT_EQ(shape_of(y), (Shape{kBatch, kWidth}));
    for (std::size_t row = 0; row < kBatch; ++row)
      for (std::size_t i = 0; i < kWidth; ++i) {
        std::vector<real> elements;
        for (std::size_t t = 0; t < kLengths[row]; ++t) elements.push_back(x(t, row, i));
        EXPECT_NEAR(y(row, i), elements.empty() ? 0 : expected(elements), kRounding);
      }
  }
}

// No gradient, and no NaN, comes from what lies past a row's end.
void expect_finite_gradient(const Pool& pool) {
  Tape tape;
  const Var x = tape.leaf(sequence(kNan, false));
  tape.backward(sum(sin(pool(x, kLengths, false))));
  const Array gradient = x.grad();
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t row = 0; row < kBatch; ++row)
      for (std::size_t i = 0; i < kWidth; ++i)
        if (t >= kLengths[row])
          EXPECT_EQ(gradient(t, row, i), 0);
        else
          EXPECT_TRUE(std::isfinite(gradient(t, row, i)));
#ifdef REEL_DOUBLE
  const GradcheckResult result = gradcheck(
      [&](std::span<const Var> in) { return pool(in[0], kLengths, false); }, {sequence(0, false)});
  EXPECT_TRUE(result.ok) << result.message;
#endif
}

TEST(PoolingTest, Last) {
  expect_pooled(last_over_time, [](const auto& e) { return e.back(); });
  expect_finite_gradient(last_over_time);
}
TEST(PoolingTest, Mean) {
  expect_pooled(mean_over_time, [](const auto& e) {
    return std::accumulate(e.begin(), e.end(), real(0)) / static_cast<real>(e.size());
  });
  expect_finite_gradient(mean_over_time);
}
TEST(PoolingTest, Max) {
  expect_pooled(max_over_time, [](const auto& e) { return *std::max_element(e.begin(), e.end()); });
  expect_finite_gradient(max_over_time);
}
TEST(PoolingTest, Attention) {
  Random random(5);
  AttentionPooling attention(kWidth, 6, random);
  const Pool pool = [&](const Var& x, std::span<const std::size_t> lengths, bool batch_first) {
    return attention(x, lengths, batch_first).pooled;
  };
  expect_finite_gradient(pool);
  const Array x = sequence(0, false);
  for (const bool batch_first : {false, true}) {
    const auto result = attention(Var(sequence(kNan, batch_first)), kLengths, batch_first);
    const Array y = result.pooled.value(), w = result.weights.value();
    for (std::size_t row = 0; row < kBatch; ++row) {
      std::vector<real> scores;
      real total = 0;
      for (std::size_t t = 0; t < kLengths[row]; ++t) {
        const Var element =
            slice(index(Var(x), 0, static_cast<std::ptrdiff_t>(t)), 0,
                  static_cast<std::ptrdiff_t>(row), static_cast<std::ptrdiff_t>(row) + 1);
        scores.push_back(std::exp(affine(tanh(attention.key(element)), attention.query).item()));
        total += scores.back();
      }
      for (std::size_t i = 0; i < kWidth; ++i) {
        real expected = 0;
        for (std::size_t t = 0; t < kLengths[row]; ++t)
          expected += scores[t] / total * x(t, row, i);
        EXPECT_NEAR(y(row, i), expected, kRounding);
      }
      for (std::size_t t = 0; t < kSteps; ++t)
        EXPECT_NEAR(batch_first ? w(row, t) : w(t, row), t < kLengths[row] ? scores[t] / total : 0,
                    kRounding);
    }
  }
}

TEST(PoolingTest, WithoutLengthsAllElementsCount) {
  const Var x = random_array({kSteps, kBatch, kWidth}, 3);
  EXPECT_LE(relative_error(mean_over_time(x).value(), mean(x, {0}).value()), kRounding);
  EXPECT_TRUE(same_bits(max_over_time(x).value(), max(x, {0}).value()));
  EXPECT_TRUE(same_bits(last_over_time(x).value(), index(x, 0, -1).value()));
}

TEST(PoolingTest, WrongInputIsRefused) {
  const Var x = random_array({kSteps, kBatch, kWidth}, 3);
  EXPECT_THROW(mean_over_time(Var(random_array({2, 3}, 1))), ShapeError);
  EXPECT_THROW(max_over_time(x, Lengths{1, 2}), ShapeError);
  EXPECT_THROW(last_over_time(x, Lengths{1, 2, 6, 1}), ShapeError);
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
