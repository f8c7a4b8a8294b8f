// CTC: against all paths, one by one, and against PyTorch.
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/ctc.hpp>

#include <cmath>
#include <limits>
#include <map>

#include "structured.hpp"

namespace reel::inline REEL_PRECISION::structured_tests {
namespace {

constexpr std::size_t kSteps = 5, kBatch = 6, kSymbols = 3;
const std::vector<std::size_t> kLengths{5, 3, 0, 4, 1, 3};
constexpr std::int64_t kBlank = 1;
// With a repeat that just fits, without labels and steps, without labels.
const std::vector<Labels> kTargets{{0, 2, 0}, {2, 2}, {}, {}, {2}, {0, 2}};
constexpr real kInfinity = std::numeric_limits<real>::infinity();

Array random_logits() {
  Random random(4);
  return uniform({kSteps, kBatch, kSymbols}, -2, 2, random);
}

// What the labels are that a path stands for.
Labels labels_of(const Sequence& path) {
  Labels labels;
  for (std::size_t t = 0; t < path.size(); ++t)
    if (path[t] != kBlank && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
  return labels;
}
double log_p(const Array& logits, std::size_t row, const Sequence& path) {
  double sum = 0;
  for (std::size_t t = 0; t < path.size(); ++t) {
    double mass = 0;
    for (std::size_t k = 0; k < kSymbols; ++k) mass += std::exp(logits(t, row, k));
    sum += logits(t, row, path[t]) - std::log(mass);
  }
  return sum;
}
// The probabilities of all that a row's paths stand for.
std::map<Labels, double> all_labels(const Array& logits, std::size_t row) {
  std::map<Labels, double> p;
  for (const Sequence& path : all_sequences(kSymbols, kLengths[row]))
    p[labels_of(path)] += std::exp(log_p(logits, row, path));
  return p;
}

struct Answer {
  Array loss, gradient;
};
Answer answer(const Array& logits, std::span<const std::size_t> lengths,
              std::span<const Labels> targets, const Array& weights, const CtcOptions& options) {
  Tape tape;
  const Var x = tape.leaf(logits);
  const Var loss = ctc_loss(x, lengths, targets, options);
  tape.backward(sum(where(Var(weights), loss, 0) * Var(weights)));
  return {loss.value(), x.grad()};
}

TEST(CtcTest, EqualsTheSumOverAllPaths) {
  const Array logits = random_logits();
  const Array loss = Var(ctc_loss(logits, kLengths, kTargets, {.blank = kBlank})).value();
  for (std::size_t row = 0; row < kBatch; ++row)
    EXPECT_NEAR(loss(row), -std::log(all_labels(logits, row).at(kTargets[row])), kTolerance) << row;
}

TEST(CtcTest, EqualsPyTorch) {
  for (const char* name : {"ragged", "blank_last", "infeasible", "long"}) {
    SCOPED_TRACE(name);
    const NamedArrays golden = load_golden(fmt::format("ctc_{}", name));
    const auto lengths = sizes(golden.at("lengths"));
    const auto targets = sequences(golden.at("targets"));
    const auto blank = static_cast<std::int64_t>(golden.at("blank")(0));
    const Array expected = golden.at("loss");
    for (const bool zero : {false, true}) {
      Array weights = golden.at("d_loss");
      if (!zero)  // where PyTorch's gradient is NaN
        for (std::size_t row = 0; row < lengths.size(); ++row)
          if (std::isinf(expected(row))) weights(row) = 0;
      const Answer a = answer(golden.at("logits"), lengths, targets, weights,
                              {.blank = blank, .zero_infinity = zero});
      expect_near(a.gradient, golden.at("grad.logits"), kTolerance);
      for (std::size_t row = 0; row < lengths.size(); ++row) {
        const real e = golden.at(zero ? "zeroed" : "loss")(row);
        if (std::isinf(e))
          EXPECT_EQ(a.loss(row), kInfinity);
        else
          EXPECT_NEAR(a.loss(row), e, kTolerance * std::max(real(1), e));
      }
    }
  }
}

TEST(CtcTest, RowsWithoutAPathHaveNoGradient) {
  // Too short for the repeat, for three labels, for one.
  const std::vector<std::size_t> lengths{2, 2, 0};
  const std::vector<Labels> targets{{2, 2}, {2, 0, 2}, {0}};
  Random random(6);
  const Array logits = uniform({2, 3, kSymbols}, -2, 2, random);
  for (const bool zero : {false, true}) {
    Tape tape;
    const Var x = tape.leaf(logits);
    const Var loss = ctc_loss(x, lengths, targets, {.blank = kBlank, .zero_infinity = zero});
    tape.backward(sum(loss));
    for (const real l : Array(loss.value())) EXPECT_EQ(l, zero ? 0 : kInfinity);
    for (const real g : x.grad()) EXPECT_EQ(g, 0);
  }
}

TEST(CtcTest, RowsWhosePathsAllHaveProbabilityZeroHaveNoGradient) {
  Random random(6);
  Array logits = uniform({3, 1, kSymbols}, -2, 2, random);
  for (std::size_t t = 0; t < 3; ++t) logits(t, 0, 2) = -kInfinity;  // the only label
  for (const bool zero : {false, true}) {
    Tape tape;
    const Var x = tape.leaf(logits);
    const Var loss = ctc_loss(x, std::vector<std::size_t>{3}, std::vector<Labels>{{2}},
                              {.blank = kBlank, .zero_infinity = zero});
    tape.backward(sum(loss));
    EXPECT_EQ(loss.value()(0), zero ? 0 : kInfinity);
    for (const real g : x.grad()) EXPECT_EQ(g, 0);
  }
}

TEST(CtcTest, NanGoesThrough) {
  for (const bool zero : {false, true}) {
    const Var loss = ctc_loss(full_array({3, 1, kSymbols}, kNan), std::vector<std::size_t>{3},
                              std::vector<Labels>{{2}}, {.blank = kBlank, .zero_infinity = zero});
    EXPECT_TRUE(std::isnan(loss.value()(0)));
  }
}

TEST(CtcTest, PaddingIsNotRead) {
  const Array weights = full_array({kBatch}, 1);
  Array other = random_logits();
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t row = 0; row < kBatch; ++row)
      for (std::size_t k = 0; k < kSymbols; ++k)
        if (t >= kLengths[row]) other(t, row, k) = kNan;
  const CtcOptions options{.blank = kBlank};
  const Answer a = answer(random_logits(), kLengths, kTargets, weights, options);
  const Answer b = answer(other, kLengths, kTargets, weights, options);
  EXPECT_TRUE(same_bits(a.loss, b.loss));
  EXPECT_TRUE(same_bits(a.gradient, b.gradient));
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t row = 0; row < kBatch; ++row)
      for (std::size_t k = 0; k < kSymbols; ++k)
        if (t >= kLengths[row]) {
          EXPECT_EQ(b.gradient(t, row, k), 0);
        }
  const CtcBeamOptions wide{.blank = kBlank, .n_best = 3};
  for (std::size_t row = 0; row < kBatch; ++row) {
    EXPECT_EQ(ctc_greedy(random_logits(), kLengths, kBlank)[row].labels,
              ctc_greedy(other, kLengths, kBlank)[row].labels);
    EXPECT_EQ(ctc_beam_search(random_logits(), kLengths, wide)[row][0].labels,
              ctc_beam_search(other, kLengths, wide)[row][0].labels);
  }
}

TEST(CtcTest, ABatchIsItsRowsOneByOne) {
  const Array logits = random_logits(), weights{1, -2, 3, 0.5, 2, 1};
  const CtcOptions options{.blank = kBlank};
  const Answer all = answer(logits, kLengths, kTargets, weights, options);
  for (std::size_t row = 0; row < kBatch; ++row) {
    const std::size_t length = kLengths[row];
    if (length == 0) continue;
    Array x = empty_array({length, 1, kSymbols});
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t k = 0; k < kSymbols; ++k) x(t, 0, k) = logits(t, row, k);
    const Answer one =
        answer(x, {}, std::span(kTargets).subspan(row, 1), full_array({1}, weights(row)), options);
    EXPECT_NEAR(one.loss(0), all.loss(row), kTolerance);
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t k = 0; k < kSymbols; ++k)
        EXPECT_NEAR(one.gradient(t, 0, k), all.gradient(t, row, k), kTolerance);
  }
}

TEST(CtcTest, ExtremeLogitsStayNumbers) {
  Array logits = random_logits();
  logits *= 1e4;
  logits(0, 0, kBlank) = -kInfinity;
  const Answer a = answer(logits, kLengths, kTargets, full_array({kBatch}, 1), {.blank = kBlank});
  for (const Array& array : {a.loss, a.gradient})
    for (const real x : array) EXPECT_TRUE(std::isfinite(x));
}

#ifdef REEL_DOUBLE
TEST(CtcTest, GradientsAreThoseOfFiniteDifferences) {
  const GradcheckResult result = gradcheck(
      [&](std::span<const Var> in) {
        return ctc_loss(in[0], kLengths, kTargets, {.blank = kBlank});
      },
      {random_logits()});
  EXPECT_TRUE(result.ok) << result.message;
}
#endif

TEST(CtcTest, AWideBeamIsExact) {
  const Array logits = random_logits();
  const auto found =
      ctc_beam_search(logits, kLengths, {.blank = kBlank, .beam_width = 1000, .n_best = 1000});
  for (std::size_t row = 0; row < kBatch; ++row) {
    const std::map<Labels, double> all = all_labels(logits, row);
    ASSERT_EQ(found[row].size(), all.size());
    double last = 0;
    for (const CtcHypothesis& h : found[row]) {
      EXPECT_NEAR(h.log_probability, std::log(all.at(h.labels)), 1e-5);
      EXPECT_LE(h.log_probability, last);
      last = h.log_probability;
    }
  }
}

TEST(CtcTest, GreedyIsTheLikeliestPath) {
  const Array logits = random_logits();
  const auto found = ctc_greedy(logits, kLengths, kBlank);
  for (std::size_t row = 0; row < kBatch; ++row) {
    Sequence best;
    double top = -kInfinity;
    for (const Sequence& path : all_sequences(kSymbols, kLengths[row]))
      if (const double p = log_p(logits, row, path); p > top) top = p, best = path;
    EXPECT_EQ(found[row].labels, labels_of(best));
    EXPECT_NEAR(found[row].log_probability, top, 1e-5);
  }
}

// Blank 0.6 at both steps: the likeliest path is blank, blank (0.36), the likeliest labels are one
// (0.4 0.6 + 0.6 0.4 + 0.4 0.4 = 0.64). Graves et al. 2006, figure 2.
TEST(CtcTest, ABeamSeesWhatTheLikeliestPathHides) {
  const real blank = std::log(real(0.6)), label = std::log(real(0.4));
  const Array logits{{{blank, label}}, {{blank, label}}};
  EXPECT_EQ(ctc_greedy(logits, {})[0].labels, Labels{});
  const CtcHypothesis best = ctc_beam_search(logits, {}, {.beam_width = 2})[0][0];
  EXPECT_EQ(best.labels, Labels{1});
  EXPECT_NEAR(best.log_probability, std::log(0.64), 1e-6);
}

TEST(CtcTest, ANarrowBeamGivesPartOfTheProbability) {
  const Array logits = random_logits();
  for (const std::size_t width : {1, 2, 4}) {
    const auto found =
        ctc_beam_search(logits, kLengths, {.blank = kBlank, .beam_width = width, .n_best = 9});
    for (std::size_t row = 0; row < kBatch; ++row) {
      const std::map<Labels, double> all = all_labels(logits, row);
      EXPECT_EQ(found[row].size(), std::min(width, all.size()));
      for (const CtcHypothesis& h : found[row])
        EXPECT_LE(h.log_probability, std::log(all.at(h.labels)) + 1e-5);
    }
  }
}

TEST(CtcTest, RefusesWhatDoesNotFit) {
  const Array logits = random_logits();
  EXPECT_EQ(error_of<ShapeError>([&] {
              ctc_loss(Var(full_array({1, 2}, 0)), {}, {});
            }),
            "ctc_loss: logits must be [T, B, K]; got [1, 2]");
  EXPECT_EQ(error_of<ShapeError>([&] { ctc_loss(logits, kLengths, std::span(kTargets).first(2)); }),
            "ctc_loss: there must be a target for each of 6 rows; got 2");
  std::vector<Labels> targets = kTargets;
  targets[1] = {kBlank};
  EXPECT_EQ(error_of<ShapeError>([&] { ctc_loss(logits, kLengths, targets, {.blank = kBlank}); }),
            "ctc_loss: a label must lie in 0 .. 2 and not be the blank, 1; got 1");
  EXPECT_THROW(ctc_loss(logits, kLengths, kTargets, {.blank = 3}), ShapeError);
  EXPECT_THROW(ctc_greedy(logits, std::vector<std::size_t>{9}), ShapeError);
  EXPECT_THROW(ctc_greedy(logits, kLengths, -1), ShapeError);
  EXPECT_THROW(ctc_beam_search(logits, kLengths, {.beam_width = 0}), Error);
}

TEST(CtcTest, DecodesNoNans) {
  Array logits = random_logits();
  logits(1, 2, 0) = NAN;
  std::vector<std::size_t> lengths(kBatch, 1);
  EXPECT_NO_THROW(ctc_greedy(logits, lengths));
  lengths[2] = 2;
  EXPECT_EQ(error_of([&] { ctc_greedy(logits, lengths); }),
            "ctc_greedy: a logit must be a number; got nan in step 1 of row 2");
  EXPECT_EQ(error_of([&] { ctc_beam_search(logits, lengths); }),
            "ctc_beam_search: a logit must be a number; got nan in step 1 of row 2");
  constexpr real kInfinity = std::numeric_limits<real>::infinity();
  logits = random_logits();
  logits(1, 2, 0) = -kInfinity;
  EXPECT_NO_THROW(ctc_greedy(logits, lengths));
  logits(1, 2, 0) = kInfinity;
  EXPECT_EQ(error_of([&] { ctc_greedy(logits, lengths); }),
            "ctc_greedy: the largest logit must be finite; got inf in step 1 of row 2");
  for (std::size_t k = 0; k < logits.shape(2); ++k) logits(1, 2, k) = -kInfinity;
  EXPECT_EQ(error_of([&] { ctc_beam_search(logits, lengths); }),
            "ctc_beam_search: the largest logit must be finite; got -inf in step 1 of row 2");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::structured_tests
