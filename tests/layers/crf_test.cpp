// The CRF: against all paths, one by one, against itself in other batches, and against PyTorch.
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/crf.hpp>
#include <reel/layers/loss.hpp>

#include <cmath>

#include "structured.hpp"

namespace reel::inline REEL_PRECISION::structured_tests {
namespace {

constexpr std::size_t kSteps = 4, kBatch = 5, kTags = 3;
const std::vector<std::size_t> kLengths{2, 4, 0, 1, 3};

Crf random_crf(std::size_t tags = kTags) {
  Crf crf(tags);
  Random random(3);
  for (Parameter* p : parameters(crf)) p->mutable_value() = uniform(p->shape(), -1, 1, random);
  return crf;
}
Array random_emissions(std::uint64_t seed = 5) {
  Random random(seed);
  return uniform({kSteps, kBatch, kTags}, -2, 2, random);
}
// A tag for every place, past the rows' ends too.
Indices random_tags() {
  Random random(9);
  Indices tags(Indices::shape_type{kSteps, kBatch}, 0);
  for (std::int64_t& tag : tags) tag = static_cast<std::int64_t>(random.below(kTags));
  return tags;
}

double score_of(const Crf& crf, const Array& emissions, std::size_t row, const Sequence& path) {
  double score = 0;
  for (std::size_t t = 0; t < path.size(); ++t) {
    score += emissions(t, row, path[t]);
    if (t > 0) score += crf.transitions.value()(path[t - 1], path[t]);
  }
  if (path.empty()) return 0;
  return score + crf.start_transitions.value()(path[0]) + crf.end_transitions.value()(path.back());
}

TEST(CrfTest, EqualsTheSumOverAllPaths) {
  const Crf crf = random_crf();
  const Array emissions = random_emissions();
  const Indices tags = random_tags();
  const Array z = Var(crf.log_partition(emissions, kLengths)).value();
  const Array score = Var(crf.score(emissions, tags, kLengths)).value();
  const Array loss = Var(crf.negative_log_likelihood(emissions, tags, kLengths)).value();
  const std::vector<Crf::Path> best = crf.decode(emissions, kLengths);
  ASSERT_EQ(best.size(), kBatch);
  for (std::size_t row = 0; row < kBatch; ++row) {
    double mass = 0, top = -1e9;
    Sequence top_path;
    for (const Sequence& path : all_sequences(kTags, kLengths[row])) {
      const double s = score_of(crf, emissions, row, path);
      mass += std::exp(s);
      if (s > top) top = s, top_path = path;
    }
    Sequence given;
    for (std::size_t t = 0; t < kLengths[row]; ++t) given.push_back(tags(t, row));
    EXPECT_NEAR(z(row), std::log(mass), kTolerance);
    EXPECT_NEAR(score(row), score_of(crf, emissions, row, given), kTolerance);
    EXPECT_NEAR(loss(row), std::log(mass) - score(row), kTolerance);
    EXPECT_EQ(best[row].tags, top_path);
    EXPECT_NEAR(best[row].score, top, kTolerance);
  }
}

TEST(CrfTest, EqualsSoftmaxWhileNothingIsLearned) {
  const Crf crf(kTags);
  const Array emissions = random_emissions();
  const Indices tags = random_tags();
  const Var loss = sum(crf.negative_log_likelihood(emissions, tags));
  EXPECT_NEAR(loss.item(), cross_entropy(emissions, tags).item() * kSteps * kBatch,
              10 * kTolerance);
}

// Loss of each row, and the gradients of their weighted sum.
struct Answer {
  Array loss, emissions;
  std::vector<Array> parameters;
};
Answer answer(Crf& crf, const Array& emissions, const Indices& tags,
              std::span<const std::size_t> lengths, const Array& weights) {
  for (Parameter* p : parameters(crf)) p->zero_grad();
  Tape tape;
  const Var x = tape.leaf(emissions);
  const Var loss = crf.negative_log_likelihood(x, tags, lengths);
  tape.backward(sum(loss * Var(weights)));
  Answer a{loss.value(), x.grad(), {}};
  for (const Parameter* p : parameters(crf)) a.parameters.push_back(p->grad());
  return a;
}

TEST(CrfTest, PaddingIsNotRead) {
  Crf crf = random_crf();
  const Array weights{1, -2, 3, 0.5, 2};
  Array other = random_emissions();
  Indices tags = random_tags(), other_tags = tags;
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t row = 0; row < kBatch; ++row)
      if (t >= kLengths[row]) {
        other_tags(t, row) = -7;
        for (std::size_t k = 0; k < kTags; ++k) other(t, row, k) = kNan;
      }
  const Answer a = answer(crf, random_emissions(), tags, kLengths, weights);
  const Answer b = answer(crf, other, other_tags, kLengths, weights);
  EXPECT_TRUE(same_bits(a.loss, b.loss));
  EXPECT_TRUE(same_bits(a.emissions, b.emissions));
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    EXPECT_TRUE(same_bits(a.parameters[i], b.parameters[i])) << i;
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t row = 0; row < kBatch; ++row)
      if (t >= kLengths[row]) {
        for (std::size_t k = 0; k < kTags; ++k) EXPECT_EQ(b.emissions(t, row, k), 0);
      }
  const auto paths = crf.decode(random_emissions(), kLengths), again = crf.decode(other, kLengths);
  for (std::size_t row = 0; row < kBatch; ++row) EXPECT_EQ(paths[row].tags, again[row].tags);
}

TEST(CrfTest, ABatchIsItsRowsOneByOne) {
  Crf crf = random_crf();
  const Array emissions = random_emissions(), weights{1, -2, 3, 0.5, 2};
  const Indices tags = random_tags();
  const Answer all = answer(crf, emissions, tags, kLengths, weights);
  std::vector<Array> sums;
  for (const Array& gradient : all.parameters) sums.push_back(full_array(shape_of(gradient), 0));
  for (std::size_t row = 0; row < kBatch; ++row) {
    const std::size_t length = kLengths[row];
    Array x = empty_array({length, 1, kTags});
    Indices y(Indices::shape_type{length, 1}, 0);
    for (std::size_t t = 0; t < length; ++t) {
      y(t, 0) = tags(t, row);
      for (std::size_t k = 0; k < kTags; ++k) x(t, 0, k) = emissions(t, row, k);
    }
    EXPECT_EQ(crf.decode(x)[0].tags, crf.decode(emissions, kLengths)[row].tags);
    if (length == 0) {
      EXPECT_EQ(Var(crf.negative_log_likelihood(x, y)).item(), 0);
      EXPECT_EQ(all.loss(row), 0);
      continue;
    }
    const Answer one = answer(crf, x, y, {}, full_array({1}, weights(row)));
    EXPECT_NEAR(one.loss(0), all.loss(row), kTolerance);
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t k = 0; k < kTags; ++k)
        EXPECT_NEAR(one.emissions(t, 0, k), all.emissions(t, row, k), kTolerance);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += one.parameters[i];
  }
  for (std::size_t i = 0; i < sums.size(); ++i) expect_near(all.parameters[i], sums[i], kTolerance);
}

TEST(CrfTest, EqualsPyTorch) {
  const NamedArrays golden = load_golden("crf");
  const std::vector<std::size_t> lengths = sizes(golden.at("lengths"));
  const Array padded = golden.at("tags");
  Indices tags(Indices::shape_type{lengths[1], lengths.size()}, 0);
  for (std::size_t t = 0; t < tags.shape()[0]; ++t)
    for (std::size_t row = 0; row < lengths.size(); ++row)
      tags(t, row) = static_cast<std::int64_t>(padded(row, t));
  const Array emissions = golden.at("emissions");
  Crf crf(emissions.shape()[2]);
  for (Parameter* p : parameters(crf)) p->mutable_value() = golden.at(p->name);
  const Answer a = answer(crf, emissions, tags, lengths, golden.at("d_loss"));
  expect_near(a.loss, golden.at("loss"), kTolerance);
  expect_near(a.emissions, golden.at("grad.emissions"), kTolerance);
  for (std::size_t i = 0; Parameter * p : parameters(crf))
    expect_near(a.parameters[i++], golden.at("grad." + p->name), kTolerance);
  const auto best = crf.decode(emissions, lengths);
  const auto paths = sequences(golden.at("best"));
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    EXPECT_EQ(best[row].tags, paths[row]);
    EXPECT_NEAR(best[row].score, golden.at("best_scores")(row), kTolerance);
  }
}

TEST(CrfTest, LargeScoresStayNumbers) {
  Crf crf = random_crf();
  Array emissions = random_emissions();
  emissions *= 1e4;
  const Answer a = answer(crf, emissions, random_tags(), kLengths, full_array({kBatch}, 1));
  for (const Array& array : {a.loss, a.emissions, a.parameters[0]})
    for (const real x : array) EXPECT_TRUE(std::isfinite(x));
}

// From left to right through the tags: at first the later ones cannot be reached.
TEST(CrfTest, ForbiddenTransitionsHaveNoGradient) {
  const real never = -std::numeric_limits<real>::infinity();
  Crf crf(3);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      if (j != i && j != i + 1) crf.transitions.mutable_value()(i, j) = never;
  crf.start_transitions.mutable_value() = Array{0, never, never};
  const Array emissions = random_emissions();
  const Indices tags{{0, 0, 0, 0, 0}, {0, 1, 0, 0, 1}, {1, 1, 0, 0, 2}, {1, 2, 0, 0, 2}};
  const Answer a = answer(crf, emissions, tags, kLengths, full_array({kBatch}, 1));
  Crf unlikely = crf;
  for (Parameter* p : parameters(unlikely))
    for (real& x : p->mutable_value()) x = std::max(x, real(-1e4));
  const Answer b = answer(unlikely, emissions, tags, kLengths, full_array({kBatch}, 1));
  expect_near(a.loss, b.loss, kTolerance);
  expect_near(a.emissions, b.emissions, kTolerance);
  for (const real x : a.parameters[0]) EXPECT_TRUE(std::isfinite(x));

  crf.start_transitions.mutable_value() = full_array({3}, never);
  EXPECT_EQ(crf.log_partition(emissions, kLengths).value()(2), 0);  // of length zero
}

#ifdef REEL_DOUBLE
TEST(CrfTest, GradientsAreThoseOfFiniteDifferences) {
  Crf crf = random_crf();
  const GradcheckResult result = gradcheck(
      [&](std::span<const Var> in) {
        return crf.negative_log_likelihood(in[0], random_tags(), kLengths);
      },
      {random_emissions()}, parameters(crf));
  EXPECT_TRUE(result.ok) << result.message;
}
#endif

TEST(CrfTest, RefusesWhatDoesNotFit) {
  const Crf crf = random_crf();
  const Array emissions = random_emissions();
  Indices tags = random_tags();
  EXPECT_EQ(error_of<ShapeError>([&] {
              crf.log_partition(Var(full_array({1, 3}, 0)));
            }),
            "crf: emissions must be [T, B, 3]; got [1, 3]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              crf.score(emissions, Indices(Indices::shape_type{1, 1}, 0));
            }),
            "crf: tags must be [4, 5], as the emissions; got [1, 1]");
  tags(1, 4) = 3;
  EXPECT_EQ(error_of<ShapeError>([&] { crf.score(emissions, tags, kLengths); }),
            "crf: a tag must lie in 0 .. 2; got 3");
  EXPECT_THROW(crf.decode(emissions, std::vector<std::size_t>{1, 2}), ShapeError);
  EXPECT_THROW(crf.decode(emissions, std::vector<std::size_t>{1, 2, 3, 4, 5}), ShapeError);
  EXPECT_THROW(Crf(0), Error);
}

TEST(CrfTest, DecodesNoNans) {
  const Crf crf = random_crf();
  Array emissions = random_emissions();
  emissions(2, 1, 2) = NAN;
  std::vector<std::size_t> lengths(5, 2);
  EXPECT_NO_THROW(crf.decode(emissions, lengths));
  lengths[1] = 3;
  EXPECT_EQ(error_of([&] { crf.decode(emissions, lengths); }),
            "crf: an emission must be a number; got nan in step 2 of row 1");
  Crf diverged = random_crf();
  diverged.transitions.mutable_value()(0, 1) = NAN;
  EXPECT_EQ(error_of([&] { diverged.decode(random_emissions()); }),
            "crf: a transition must be a number; got nan");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::structured_tests
