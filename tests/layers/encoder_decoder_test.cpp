#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/decoding.hpp>
#include <reel/layers/encoder_decoder.hpp>

#include "../autodiff/throws.hpp"
#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

using Model = EncoderDecoder<Gru>;
using Tokens = std::vector<std::int64_t>;
constexpr std::int64_t kStart = 0, kEnd = 1;
constexpr std::size_t kCount = 6;  // tokens of either side
const std::vector<Tokens> kSources{{2, 3, 5}, {4}, {5, 2, 2, 4, 3}, {3, 3}};
const std::vector<Tokens> kTargets{{3, 2, kEnd}, {4, 4, 5, 2, kEnd}, {kEnd}, {5, kEnd}};

template <class M = Model>
M make(EncoderDecoderOptions options = {}) {
  Random random(5);
  options.source_tokens = options.target_tokens = kCount;
  options.embedding_size = 4;
  options.hidden_size = 5;
  M model(options, random);
  Random more(6);  // far from uniform scores
  for (Parameter* p : parameters(model))
    for (real& x : p->mutable_value()) x = static_cast<real>(0.7 * more.normal());
  return model;
}

struct Padded {
  Indices tokens;
  Lengths lengths;
};
// [T, B], with `fill` and `more` steps past the ends.
Padded padded(const std::vector<Tokens>& rows, std::int64_t fill = 0, std::size_t more = 0) {
  Padded all;
  std::size_t steps = 0;
  for (const Tokens& row : rows) {
    all.lengths.push_back(row.size());
    steps = std::max(steps, row.size());
  }
  all.tokens = Indices(Indices::shape_type{steps + more, rows.size()}, fill);
  for (std::size_t b = 0; b < rows.size(); ++b)
    for (std::size_t t = 0; t < rows[b].size(); ++t) all.tokens(t, b) = rows[b][t];
  return all;
}

template <class M>
Var loss_of(const M& model, const Padded& source, const Padded& target,
            const Teacher& teacher = {}) {
  return model.loss(model.encode(source.tokens, source.lengths),
                    TargetSteps(target.tokens, target.lengths, kStart), teacher);
}

// -log p of one target, token by token.
template <class M>
double step_by_step(const M& model, const Tokens& source, const Tokens& target) {
  const Padded in = padded({source});
  auto state = model.encode(in.tokens, in.lengths);
  double sum = 0;
  Indices last = Indices::from_shape({1});
  last(0) = kStart;
  for (const std::int64_t token : target) {
    state = model.step(last, state).state;
    sum -= static_cast<double>(log_softmax(model.scores(state.attentional)).value()(0, token));
    last(0) = token;
  }
  return sum;
}

template <class M>
void expect_sum_of_steps(const M& model) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    sum += step_by_step(model, kSources[i], kTargets[i]);
    count += kTargets[i].size();
  }
  const double loss = loss_of(model, padded(kSources), padded(kTargets)).item();
  EXPECT_NEAR(loss, sum / static_cast<double>(count), 10 * kRounding);
}

TEST(EncoderDecoder, TheLossIsTheMeanOfTheStepsLogProbabilities) {
  for (const bool input_feeding : {true, false})
    for (const AttentionScore score : {AttentionScore::kAdditive, AttentionScore::kGeneral})
      expect_sum_of_steps(make({.score = score, .input_feeding = input_feeding}));
  expect_sum_of_steps(make<EncoderDecoder<Lstm>>());
}

Answers answers_of(Model& model, const Padded& source, const Padded& target) {
  Answers answers;
  for (Parameter* p : parameters(model)) p->zero_grad();
  Tape tape;
  const Var loss = loss_of(model, source, target);
  tape.backward(loss);
  answers["loss"] = loss.value();
  for (Parameter* p : parameters(model))
    answers[p->name] = p->has_grad() ? p->grad() : full_array(p->shape(), 0);
  return answers;
}

TEST(EncoderDecoder, PaddingChangesNoBit) {
  Model model = make();
  const Answers expected = answers_of(model, padded(kSources), padded(kTargets));
  expect_same_bits(answers_of(model, padded(kSources, 4), padded(kTargets, 5)), expected);
  expect_same_bits(answers_of(model, padded(kSources, 3, 4), padded(kTargets, 2, 3)), expected);
}

TEST(EncoderDecoder, GradientsOfABatchAreThoseOfItsRows) {
  Model model = make();
  Answers all = answers_of(model, padded(kSources), padded(kTargets));
  Answers sums;
  real count = 0;
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    const auto n = static_cast<real>(kTargets[i].size());
    count += n;
    for (auto& [name, array] : answers_of(model, padded({kSources[i]}), padded({kTargets[i]}))) {
      const Array part = array * n;
      sums[name] = sums.contains(name) ? Array(sums[name] + part) : part;
    }
  }
  for (auto& [name, array] : sums) array = array / count;
  expect_near(all, sums, 100 * kRounding);
}

#ifdef REEL_DOUBLE
TEST(EncoderDecoder, GradientsAreThoseOfDifferences) {
  Model model = make();
  const GradcheckResult result = gradcheck(
      [&](std::span<const Var>) { return loss_of(model, padded(kSources), padded(kTargets)); }, {},
      parameters(model));
  EXPECT_TRUE(result.ok) << result.message;
}
#endif

// What the model says, decoded greedily, in a batch.
std::vector<Hypothesis> said(const Model& model, std::size_t limit) {
  const Padded in = padded(kSources);
  StateSteps steps(model.encode(in.tokens, in.lengths),
                   [&](const Indices& tokens, const Model::State& state) {
                     auto next = model.step(tokens, state).state;
                     return std::pair{model.scores(next.attentional), std::move(next)};
                   });
  return greedy(steps, {.start = Tokens(kSources.size(), kStart), .end = kEnd, .limit = {limit}});
}

TEST(EncoderDecoder, WithoutATeacherItIsFedWhatItSays) {
  const Model model = make();
  std::vector<Tokens> own;
  for (const Hypothesis& h : said(model, 6)) {
    own.push_back(h.tokens);
    if (h.ended) own.back().push_back(kEnd);
  }
  const auto loss = [&](const std::vector<Tokens>& targets, double forced, std::uint64_t seed) {
    Random random(seed);
    return loss_of(model, padded(kSources), padded(targets), {forced, &random}).item();
  };
  EXPECT_EQ(loss(own, 0, 1), loss(own, 1, 1));  // the targets are what it says
  EXPECT_EQ(loss(own, 0.5, 1), loss(own, 1, 1));
  EXPECT_NE(loss(kTargets, 0, 1), loss(kTargets, 1, 1));
  EXPECT_EQ(loss(kTargets, 0, 1), loss(kTargets, 0, 2));
  EXPECT_EQ(loss(kTargets, 0.5, 3), loss(kTargets, 0.5, 3));
  std::map<real, int> seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) ++seen[loss(kTargets, 0.5, seed)];
  EXPECT_GT(seen.size(), 2u);
}

TEST(EncoderDecoder, ABeamOfABatchIsThoseOfItsRows) {
  const Model model = make();
  const auto search = [&](const std::vector<Tokens>& sources) {
    const Padded in = padded(sources);
    StateSteps steps(model.encode(in.tokens, in.lengths),
                     [&](const Indices& tokens, const Model::State& state) {
                       auto next = model.step(tokens, state).state;
                       return std::pair{model.scores(next.attentional), std::move(next)};
                     });
    return beam_search(steps, {.start = Tokens(sources.size(), kStart), .end = kEnd, .limit = {7}},
                       {.width = 4, .n_best = 3});
  };
  const auto all = search(kSources);
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    const auto one = search({kSources[i]})[0];
    ASSERT_EQ(all[i].size(), one.size());
    for (std::size_t j = 0; j < one.size(); ++j) {
      EXPECT_EQ(all[i][j].tokens, one[j].tokens);
      Tokens with_end = one[j].tokens;
      if (one[j].ended) with_end.push_back(kEnd);
      EXPECT_NEAR(one[j].log_probability, -step_by_step(model, kSources[i], with_end), 1e-4);
    }
  }
}

TEST(EncoderDecoder, AlignmentsAreTheWeightsOfEachStep) {
  const Model model = make();
  const Padded in = padded({kSources[2]});
  const Array map = model.alignment(model.encode(in.tokens, in.lengths), kStart, kTargets[1]);
  ASSERT_EQ(shape_of(map), (Shape{kTargets[1].size(), kSources[2].size()}));
  for (std::size_t s = 0; s < map.shape(0); ++s) {
    real total = 0;
    for (std::size_t t = 0; t < map.shape(1); ++t) total += map(s, t);
    EXPECT_NEAR(total, 1, kRounding);
  }
}

TEST(EncoderDecoder, WrongInputIsRefused) {
  const Model model = make();
  const Padded in = padded(kSources);
  EXPECT_THROW(model.encode(in.tokens, Lengths{1}), ShapeError);
  EXPECT_THROWS_WITH(model.encode(Indices::from_shape({3}), {}), ShapeError,
                     "encoder: tokens must be [T, B]; got [3]");
  EXPECT_THROWS_WITH(TargetSteps(in.tokens, Lengths(4, 0), kStart), Error,
                     "targets: there must be a token; got [5, 4], all of length 0");
  EXPECT_THROWS_WITH(loss_of(model, in, padded(kTargets), {.forced = 0.5}), Error,
                     "teacher: forced must lie in [0, 1], with random numbers in between; got 0.5");
  EXPECT_THROWS_WITH(loss_of(model, in, padded(kTargets), {.forced = 2}), Error, "got 2");
  for (const std::size_t rows : {3, 5}) {  // for four sources
    std::vector<Tokens> others(rows, kTargets[1]);
    for (const bool full : {true, false}) {
      if (!full) others[0] = kTargets[0];
      EXPECT_THROWS_WITH(loss_of(model, in, padded(others)), ShapeError,
                         fmt::format("targets: the state must have a row for each of {}", rows));
    }
  }
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
