#include <gtest/gtest.h>
#include <reel/layers/decoding.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace reel::inline REEL_PRECISION {
namespace {

constexpr std::size_t kTokens = 4, kLimit = 4;
constexpr std::int64_t kEnd = 3;
constexpr double kNearly = std::is_same_v<real, float> ? 1e-5 : 1e-12;
constexpr real kNever = -std::numeric_limits<real>::infinity();
using Tokens = std::vector<std::int64_t>;

Array random_array(const Shape& shape, double scale, Random& random) {
  Array x = empty_array(shape);
  for (real& e : x) e = static_cast<real>(scale * random.normal());
  return x;
}

void expect_error(const std::function<void()>& act, const std::string& part) {
  try {
    act();
    ADD_FAILURE() << "nothing was thrown; expected " << part;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

// What follows depends on everything before: h' = tanh(3 sin(5 h) + row of the token).
class Model {
 public:
  explicit Model(std::uint64_t seed, double scale = 1.5) {
    Random random(seed);
    table_ = random_array({kTokens, 3}, 1, random);
    out_ = random_array({kTokens, 3}, scale, random);
  }
  std::pair<Var, Var> operator()(const Indices& tokens, const Var& h) const {
    const Var next = tanh(3 * sin(5 * h) + gather(table_, tokens));
    return {affine(next, out_), next};
  }
  Var start(std::size_t rows) const { return zeros({rows, 3}); }

 private:
  Var table_, out_;
};

template <class Function>
auto steps_of(const Function& function, std::size_t rows) {
  return StateSteps(function.start(rows), function);
}

DecodeOptions options_for(std::size_t rows) {
  return {.start = Tokens(rows, 0), .end = kEnd, .limit = {kLimit}};
}

// The sum of log-probabilities of these tokens, one by one.
double log_probability(const Model& model, const Tokens& tokens, bool ended) {
  auto steps = steps_of(model, 1);
  Tokens all = tokens;
  if (ended) all.push_back(kEnd);
  double sum = 0;
  std::int64_t last = 0;
  for (const std::int64_t token : all) {
    Indices in = Indices::from_shape({1});
    in(0) = last;
    sum += static_cast<double>(log_softmax(steps.step(in)).value()(0, token));
    last = token;
  }
  return sum;
}

// All sequences of at most kLimit tokens that end, by brute force.
std::vector<Tokens> all_sequences() {
  std::vector<Tokens> all{{}};
  for (std::size_t begin = 0, length = 1; length < kLimit; ++length) {
    const std::size_t end = all.size();
    for (; begin < end; ++begin)
      for (std::int64_t token = 0; token < static_cast<std::int64_t>(kTokens); ++token) {
        Tokens longer = all[begin];
        longer.push_back(token);
        if (token != kEnd) all.push_back(longer);
      }
  }
  return all;
}

TEST(Decoding, GreedyTakesTheLikeliestTokenAtEachStep) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Model model(seed);
    auto steps = steps_of(model, 1);
    const Hypothesis h = greedy(steps, options_for(1))[0];
    EXPECT_EQ(h.ended, h.tokens.size() < kLimit);
    EXPECT_NEAR(h.log_probability, log_probability(model, h.tokens, h.ended), kNearly);
    Tokens some;
    for (std::size_t i = 0; i <= h.tokens.size() && i < kLimit; ++i) {
      const std::int64_t next = i < h.tokens.size() ? h.tokens[i] : kEnd;
      const auto with = [&](std::int64_t token) {
        Tokens longer = some;
        longer.push_back(token);
        return log_probability(model, longer, false);
      };
      for (std::int64_t other = 0; other < static_cast<std::int64_t>(kTokens); ++other)
        EXPECT_LE(with(other), with(next));
      some.push_back(next);
    }
  }
}

TEST(Decoding, ABeamOfWidthOneIsGreedy) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    for (const LengthPenalty penalty : {LengthPenalty::kPower, LengthPenalty::kWu}) {
      const Model model(seed);
      auto steps = steps_of(model, 1), again = steps_of(model, 1);
      const Hypothesis g = greedy(steps, options_for(1))[0];
      const auto beam =
          beam_search(again, options_for(1), {.width = 1, .n_best = 1, .penalty = penalty});
      ASSERT_EQ(beam[0].size(), 1u);
      EXPECT_EQ(beam[0][0].tokens, g.tokens);
      EXPECT_EQ(beam[0][0].ended, g.ended);
      EXPECT_NEAR(beam[0][0].log_probability, g.log_probability, kNearly);
    }
}

TEST(Decoding, AWideBeamFindsTheBestOfAllSequences) {
  const std::vector<Tokens> sequences = all_sequences();
  ASSERT_EQ(sequences.size(), 1u + 3 + 9 + 27);
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    for (const LengthPenalty penalty : {LengthPenalty::kPower, LengthPenalty::kWu})
      for (const double alpha : {0.0, 0.6, 1.0, 2.0}) {
        const Model model(seed);
        std::vector<std::pair<double, Tokens>> expected;
        for (const Tokens& tokens : sequences) {
          const auto n = static_cast<double>(tokens.size() + 1);
          const double by = std::pow(penalty == LengthPenalty::kWu ? (5 + n) / 6 : n, alpha);
          expected.emplace_back(-log_probability(model, tokens, true) / by, tokens);
        }
        std::sort(expected.begin(), expected.end());
        auto steps = steps_of(model, 1);
        const auto found =
            beam_search(steps, options_for(1),
                        {.width = 200, .n_best = 7, .penalty = penalty, .alpha = alpha})[0];
        ASSERT_EQ(found.size(), 7u);
        for (std::size_t i = 0; i < found.size(); ++i) {
          EXPECT_TRUE(found[i].ended);
          EXPECT_NEAR(found[i].score, -expected[i].first, kNearly);
          EXPECT_EQ(found[i].tokens, expected[i].second) << "seed " << seed << ", place " << i;
        }
      }
}

TEST(Decoding, HypothesesAreSortedAndThoseThatEndedComeFirst) {
  std::size_t unended = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    auto steps = steps_of(Model(seed), 1);
    const auto all = beam_search(steps, options_for(1), {.width = 6, .n_best = 6})[0];
    ASSERT_EQ(all.size(), 6u);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].tokens.size() == kLimit, !all[i].ended);
      unended += !all[i].ended;
      EXPECT_NEAR(all[i].score * static_cast<double>(all[i].tokens.size() + all[i].ended),
                  all[i].log_probability, kNearly);
      if (i == 0) continue;
      EXPECT_TRUE(all[i - 1].ended || !all[i].ended);
      if (all[i - 1].ended == all[i].ended) EXPECT_GE(all[i - 1].score, all[i].score);
    }
  }
  EXPECT_GT(unended, 10u);  // the limit was met
}

TEST(Decoding, ABatchIsItsRows) {
  constexpr std::size_t kRows = 5;
  const Model model(3);
  Random random(4);
  const Array start = random_array({kRows, 3}, 1, random);
  DecodeOptions all = options_for(kRows);
  all.start = {0, 1, 2, 1, 0};
  all.limit = {4, 2, 4, 1, 3};
  Random batch_draws(9), single_draws(9);
  StateSteps g(Var(start), model), b(Var(start), model), s(Var(start), model);
  const auto greedy_all = greedy(g, all), sampled_all = sample(s, all, {}, batch_draws);
  const auto beams_all = beam_search(b, all, {.width = 3, .n_best = 2});
  for (std::size_t row = 0; row < kRows; ++row) {
    DecodeOptions one = all;
    one.start = {all.start[row]};
    one.limit = {all.limit[row]};
    const auto at = static_cast<std::ptrdiff_t>(row);
    const auto steps = [&] { return StateSteps(slice(Var(start), 0, at, at + 1), model); };
    auto g1 = steps(), b1 = steps(), s1 = steps();
    EXPECT_EQ(greedy(g1, one)[0].tokens, greedy_all[row].tokens);
    EXPECT_EQ(sample(s1, one, {}, single_draws)[0].tokens, sampled_all[row].tokens);
    const auto beams = beam_search(b1, one, {.width = 3, .n_best = 2})[0];
    ASSERT_EQ(beams.size(), beams_all[row].size());
    for (std::size_t i = 0; i < beams.size(); ++i) {
      EXPECT_EQ(beams[i].tokens, beams_all[row][i].tokens);
      EXPECT_EQ(beams[i].score, beams_all[row][i].score);
    }
  }
}

// The same scores at every step.
struct Fixed {
  std::vector<real> scores;
  std::pair<Var, Var> operator()(const Indices& tokens, const Var& state) const {
    Array y = empty_array({tokens.size(), scores.size()});
    for (std::size_t i = 0; i < y.size(); ++i) y.data()[i] = scores[i % scores.size()];
    return {Var(std::move(y)), state};
  }
  Var start(std::size_t rows) const { return zeros({rows, 1}); }
};

// How often each of the tokens is drawn.
std::vector<double> counts(const Fixed& model, const SampleOptions& how, std::size_t draws) {
  auto steps = steps_of(model, 1);
  Random random(11);
  const auto drawn = sample(steps, {.start = {0}, .limit = {draws}}, how, random);
  std::vector<double> count(model.scores.size());
  for (const std::int64_t token : drawn[0].tokens) ++count[static_cast<std::size_t>(token)];
  return count;
}
// Sum of (seen - expected)^2 / expected; what is impossible must not be seen.
double chi_square(const std::vector<double>& count, std::vector<double> p, double draws) {
  double sum = 0, total = 0;
  for (const double x : p) total += x;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double expected = draws * p[i] / total;
    if (p[i] == 0)
      EXPECT_EQ(count[i], 0);
    else
      sum += (count[i] - expected) * (count[i] - expected) / expected;
  }
  return sum;
}

TEST(Decoding, SamplingDrawsFromTheDistribution) {
  const std::vector<double> p{0.1, 0.35, 0, 0.2, 0.05, 0.3};
  Fixed model;
  for (const double x : p) model.scores.push_back(x == 0 ? kNever : static_cast<real>(std::log(x)));
  constexpr std::size_t kDraws = 20000;
  // 0.999 quantiles of chi-square with as many degrees of freedom as there are others.
  const std::map<int, double> bound{{1, 10.83}, {2, 13.82}, {3, 16.27}, {4, 18.47}};
  const auto expect = [&](const SampleOptions& how, const std::vector<double>& q) {
    const int free =
        static_cast<int>(std::count_if(q.begin(), q.end(), [](double x) { return x > 0; })) - 1;
    EXPECT_LT(chi_square(counts(model, how, kDraws), q, kDraws), bound.at(free));
  };
  expect({}, p);
  expect({.top_k = 6}, p);
  expect({.temperature = 0.5}, {0.01, 0.1225, 0, 0.04, 0.0025, 0.09});
  expect({.top_k = 3}, {0, 0.35, 0, 0.2, 0, 0.3});
  expect({.top_p = 0.6}, {0, 0.35, 0, 0, 0, 0.3});
  expect({.top_p = 0.66}, {0, 0.35, 0, 0.2, 0, 0.3});  // the token that reaches p stays
  expect({.top_k = 4, .top_p = 0.7}, {0, 0.35, 0, 0.2, 0, 0.3});
  const auto one = counts(model, {.top_k = 1}, 100);
  EXPECT_EQ(one[1], 100);
  EXPECT_EQ(counts(model, {.top_p = 1e-9}, 100)[1], 100);
}

TEST(Decoding, TopOneIsGreedyAndSeedsRepeat) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Model model(seed);
    const auto draw = [&](const SampleOptions& how, std::uint64_t draws) {
      auto steps = steps_of(model, 1);
      Random random(draws);
      return sample(steps, options_for(1), how, random)[0];
    };
    auto steps = steps_of(model, 1);
    const Hypothesis g = greedy(steps, options_for(1))[0];
    EXPECT_EQ(draw({.top_k = 1}, seed).tokens, g.tokens);
    EXPECT_EQ(draw({.temperature = 1e-4}, seed).tokens, g.tokens);
    EXPECT_EQ(draw({}, 5).tokens, draw({}, 5).tokens);
    const Hypothesis h = draw({.temperature = 2, .top_k = 3}, seed);
    EXPECT_NEAR(h.log_probability, log_probability(model, h.tokens, h.ended), kNearly);
  }
}

TEST(Decoding, StopsAtTheEndAtTheLimitOrWhenTold) {
  const Fixed never_ends{{2, 1, 0, kNever}}, ends{{0, 0, 0, 5}}, empty_end{{1, 0}};
  auto a = steps_of(never_ends, 2), b = steps_of(ends, 2), c = steps_of(never_ends, 1);
  DecodeOptions options = options_for(2);
  options.limit = {3, 5};
  const auto long_ones = greedy(a, options);
  EXPECT_EQ(long_ones[0].tokens, Tokens({0, 0, 0}));
  EXPECT_EQ(long_ones[1].tokens, Tokens({0, 0, 0, 0, 0}));
  EXPECT_FALSE(long_ones[0].ended);
  EXPECT_EQ(greedy(b, options)[0].tokens, Tokens());
  EXPECT_TRUE(greedy(b, options)[1].ended);

  Tokens heard;
  options = options_for(1);
  options.limit = {10};
  options.on_token = [&](std::size_t row, std::int64_t token) {
    EXPECT_EQ(row, 0u);
    heard.push_back(token);
    return heard.size() < 4;
  };
  EXPECT_EQ(greedy(c, options)[0].tokens, heard);
  EXPECT_EQ(heard.size(), 4u);

  auto d = steps_of(empty_end, 1);  // no token ends
  const auto best = beam_search(d, {.start = {0}, .limit = {3}}, {.width = 2, .n_best = 2})[0];
  EXPECT_EQ(best[0].tokens, Tokens({0, 0, 0}));
  EXPECT_EQ(best[1].tokens.size(), 3u);
}

TEST(Decoding, WhatMayNotFollowNeverDoes) {
  const Fixed one{{kNever, kNever, 0, kNever}};
  auto a = steps_of(one, 1), b = steps_of(one, 1), c = steps_of(one, 1);
  Random random(1);
  EXPECT_EQ(greedy(a, options_for(1))[0].tokens, Tokens(kLimit, 2));
  EXPECT_EQ(sample(b, options_for(1), {.top_p = 0.5}, random)[0].tokens, Tokens(kLimit, 2));
  const auto beam = beam_search(c, options_for(1), {.width = 3, .n_best = 3})[0];
  ASSERT_EQ(beam.size(), 1u);  // there is one sequence
  EXPECT_EQ(beam[0].tokens, Tokens(kLimit, 2));
  EXPECT_EQ(beam[0].log_probability, 0);
}

TEST(Decoding, WrongOptionsAndScoresAreRefused) {
  const Fixed good{{1, 0, 0, 0}};
  auto steps = steps_of(good, 1);
  Random random(1);
  const auto refused = [&](const DecodeOptions& options, const char* part) {
    expect_error([&] { greedy(steps, options); }, part);
  };
  refused({}, "greedy: start must have a token for each row; got none");
  refused({.start = {0}, .limit = {}}, "limit must be one number or one per row; got 0 for 1");
  refused({.start = {0}, .limit = {0}}, "limit must allow a token; got 0");
  refused({.start = {0}, .end = -2}, "end must be a token, or -1 for none; got -2");
  refused({.start = {0}, .end = 4}, "end must be one of the 4 tokens that have scores; got 4");
  refused({.start = {0, 0}, .end = 3, .limit = {1, 2, 3}}, "got 3 for 2 rows");
  const auto sampling = [&](const SampleOptions& how, const char* part) {
    expect_error([&] { sample(steps, options_for(1), how, random); }, part);
  };
  sampling({.temperature = 0}, "sample: the temperature must be positive; got 0");
  sampling({.temperature = std::nan("")}, "temperature must be positive; got nan");
  sampling({.top_p = 0}, "sample: top_p must lie in (0, 1]; got 0");
  sampling({.top_p = 1.5}, "got 1.5");
  const auto beams = [&](const BeamOptions& beam, const char* part) {
    expect_error([&] { beam_search(steps, options_for(1), beam); }, part);
  };
  beams({.width = 0}, "beam_search: the width must be positive; got 0");
  beams({.width = 2, .n_best = 3}, "beam_search: n_best must lie in 1 .. 2, the width; got 3");
  beams({.alpha = -1}, "beam_search: alpha must not be negative; got -1");

  for (const real bad : {kNever, -kNever, std::numeric_limits<real>::quiet_NaN()}) {
    auto bad_steps = steps_of(Fixed{{bad, kNever, kNever}}, 1);
    expect_error([&] { greedy(bad_steps, {.start = {0}}); },
                 "greedy: the scores of a row must be numbers or -inf, one at least a number; got "
                 "others in row 0");
    expect_error([&] { beam_search(bad_steps, {.start = {0}}); }, "beam_search: the scores");
  }
  StateSteps wrong(Var(1), [](const Indices&, const Var& state) {
    return std::pair{zeros({3, 2}), state};
  });
  expect_error([&] { greedy(wrong, {.start = {0}}); },
               "greedy: the step's scores must be [1, tokens]; got [3, 2]");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
