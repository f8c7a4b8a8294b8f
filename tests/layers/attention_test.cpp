#include <reel/autodiff/gradcheck.hpp>
#include <reel/data/safetensors.hpp>
#include <reel/layers/attention.hpp>
#include <reel/optim/weights.hpp>

#include "../autodiff/throws.hpp"
#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kSteps = 5, kBatch = 4, kWidth = 3;
constexpr real kNan = std::numeric_limits<real>::quiet_NaN();
const Lengths kLengths{2, 5, 0, 1};
const std::map<std::string, AttentionScore> kScores{{"additive", AttentionScore::kAdditive},
                                                    {"dot", AttentionScore::kDot},
                                                    {"general", AttentionScore::kGeneral}};

Attention make(AttentionScore score, std::size_t query_size = kWidth) {
  Random random(7);
  return Attention(
      {.score = score, .query_size = query_size, .value_size = kWidth, .hidden_size = 6}, random);
}

// [T, B, F] with `padding` past the rows' ends.
Array outputs(real padding, std::size_t steps = kSteps) {
  const Array values = random_array({kSteps, kBatch, kWidth}, 3);
  Array x = full_array({steps, kBatch, kWidth}, padding);
  for (std::size_t row = 0; row < kBatch; ++row)
    for (std::size_t t = 0; t < kLengths[row]; ++t)
      for (std::size_t i = 0; i < kWidth; ++i) x(t, row, i) = values(t, row, i);
  return x;
}
Array query() { return random_array({kBatch, kWidth}, 4); }

TEST(Attention, AnswersAreTheGoldenOnes) {
  constexpr double kTolerance = kIsDouble ? 1e-10 : 1e-5;
  for (const auto& [name, score] : kScores) {
    SCOPED_TRACE(name);
    const NamedArrays golden =
        load_safetensors(
            fmt::format("{}/tests/goldens/attention_{}.safetensors", REEL_SOURCE_DIR, name))
            .arrays;
    Lengths lengths;
    for (const real length : golden.at("lengths"))
      lengths.push_back(static_cast<std::size_t>(length));
    const Shape values = shape_of(golden.at("outputs"));
    Random random(1);
    Attention attention({.score = score,
                         .query_size = golden.at("query").shape(1),
                         .value_size = values[2],
                         .hidden_size = 6},
                        random);
    NamedArrays weights;
    for (const auto& [key, array] : golden)
      if (key.starts_with("weight_")) weights[key] = array;
    import_weights(parameters(attention), weights, name);

    Tape tape;
    const Var q = tape.leaf(golden.at("query")), x = tape.leaf(golden.at("outputs"));
    const auto [context, shares] = attention(q, attention.memory(x, lengths));
    tape.backward(sum(context * Var(golden.at("d_context"))) +
                  sum(shares * Var(golden.at("d_weights"))));
    Answers answers{{"context", context.value()},
                    {"weights", shares.value()},
                    {"grad.query", q.grad()},
                    {"grad.outputs", x.grad()}};
    for (Parameter* p : parameters(attention)) answers["grad." + p->name] = p->grad();
    EXPECT_EQ(answers.size(), 4 + weights.size());
    for (const auto& [key, answer] : answers)
      EXPECT_LE(relative_error(answer, golden.at(key)), kTolerance) << key;
  }
}

TEST(Attention, NothingPastARowsEndIsReadOrGetsAGradient) {
  for (const auto& [name, score] : kScores) {
    SCOPED_TRACE(name);
    Attention attention = make(score);
    const auto answers = [&](real padding) {
      for (Parameter* p : parameters(attention)) p->zero_grad();
      Tape tape;
      const Var q = tape.leaf(query()), x = tape.leaf(outputs(padding));
      const auto [context, weights] = attention(q, attention.memory(x, kLengths));
      tape.backward(sum(sin(context)) + sum(cos(weights)));
      Answers all{{"context", context.value()},
                  {"weights", weights.value()},
                  {"grad.query", q.grad()},
                  {"grad.outputs", x.grad()}};
      for (Parameter* p : parameters(attention)) all["grad." + p->name] = p->grad();
      return all;
    };
    const Answers expected = answers(0);
    expect_same_bits(answers(kNan), expected);
    for (std::size_t row = 0; row < kBatch; ++row) {
      real total = 0;
      for (std::size_t t = 0; t < kSteps; ++t) {
        const real weight = expected.at("weights")(row, t);
        total += weight;
        EXPECT_EQ(weight > 0, t < kLengths[row]);
        for (std::size_t i = 0; i < kWidth && t >= kLengths[row]; ++i)
          EXPECT_EQ(expected.at("grad.outputs")(t, row, i), 0);
      }
      EXPECT_NEAR(total, kLengths[row] > 0 ? 1 : 0, kRounding);
      for (std::size_t i = 0; i < kWidth && kLengths[row] == 0; ++i)
        EXPECT_EQ(expected.at("context")(row, i), 0);
    }
  }
}

TEST(Attention, ARowIsTheSameAloneAndWithMorePadding) {
  for (const auto& [name, score] : kScores) {
    SCOPED_TRACE(name);
    const Attention attention = make(score);
    const Var q = query();
    const auto all = attention(q, attention.memory(Var(outputs(0)), kLengths));
    const auto padded = attention(q, attention.memory(Var(outputs(kNan, kSteps + 4)), kLengths));
    EXPECT_TRUE(same_bits(padded.context.value(), all.context.value()));
    for (std::ptrdiff_t row = 0; row < static_cast<std::ptrdiff_t>(kBatch); ++row) {
      const Lengths length{kLengths[static_cast<std::size_t>(row)]};
      const auto one = attention(slice(q, 0, row, row + 1),
                                 attention.memory(slice(Var(outputs(0)), 1, row, row + 1), length));
      EXPECT_LE(relative_error(one.context.value(), slice(all.context, 0, row, row + 1).value()),
                kRounding);
    }
    const Var turned = permute(Var(outputs(0)), {1, 0, 2});
    const auto batch_first = attention(q, attention.memory(turned, kLengths, true));
    EXPECT_LE(relative_error(batch_first.context.value(), all.context.value()), kRounding);
    const auto without = attention(q, attention.memory(Var(outputs(1))));
    const auto with = attention(q, attention.memory(Var(outputs(1)), Lengths(kBatch, kSteps)));
    EXPECT_TRUE(same_bits(without.weights.value(), with.weights.value()));
  }
}

#ifdef REEL_DOUBLE
TEST(Attention, GradientsAreThoseOfDifferences) {
  for (const auto& [name, score] : kScores) {
    Attention attention = make(score);
    const GradcheckResult result = gradcheck(
        [&](std::span<const Var> in) {
          const auto made = attention(in[0], attention.memory(in[1], kLengths));
          return concat({made.context, made.weights}, 1);
        },
        {query(), outputs(0)}, parameters(attention));
    EXPECT_TRUE(result.ok) << name << ": " << result.message;
  }
}
#endif

TEST(Attention, WrongInputIsRefused) {
  Random random(1);
  EXPECT_THROWS_WITH(
      Attention({.score = AttentionScore::kDot, .query_size = 2, .value_size = 3}, random), Error,
      "attention: a dot product needs queries and values of one width; got 2 and 3");
  EXPECT_THROWS_WITH(Attention({.query_size = 2}, random), Error,
                     "attention: sizes must be positive; got query 2, value 0");
  const Attention attention = make(AttentionScore::kGeneral);
  EXPECT_THROWS_WITH(attention.memory(zeros({2, 3})), ShapeError,
                     "attention: the outputs must be [T, B, F]; got [2, 3]");
  EXPECT_THROWS_WITH(attention.memory(zeros({2, 3, kWidth}), Lengths{1}), ShapeError, "lengths:");
  const AttentionMemory memory = attention.memory(zeros({2, 3, kWidth}));
  EXPECT_THROWS_WITH(
      attention(zeros({2, kWidth}), memory), ShapeError,
      "attention: the query must be [3, Q], a row for each of the memory; got [2, 3]");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
