// Sharded steps: the same bits on any number of threads, and the same sums as on one tape.
#include <gtest/gtest.h>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/dropout.hpp>
#include <reel/layers/embedding.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/loss.hpp>
#include <reel/layers/recurrent.hpp>
#include <reel/optim/train_step.hpp>

#include <limits>

#include "../autodiff/throws.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

constexpr std::size_t kWords = 40, kWidth = 6, kSteps = 9;

struct Batch {
  Indices texts;  // [kSteps, rows]
  std::vector<std::size_t> lengths;
  Array labels;

  explicit Batch(std::size_t rows) : texts(Indices::from_shape({kSteps, rows})), lengths(rows) {
    labels = full_array({rows, 1}, 0);
  }
  Batch(std::size_t rows, Random& random) : Batch(rows) {
    for (std::int64_t& word : texts) word = static_cast<std::int64_t>(random.below(kWords));
    for (std::size_t& length : lengths) length = random.below(kSteps + 1);
    for (real& label : labels.storage()) label = static_cast<real>(random.below(2));
  }
  Batch part(std::size_t begin, std::size_t end) const {
    Batch part(end - begin);
    for (std::size_t b = begin; b < end; ++b) {
      for (std::size_t t = 0; t < kSteps; ++t) part.texts(t, b - begin) = texts(t, b);
      part.lengths[b - begin] = lengths[b];
      part.labels(b - begin, 0) = labels(b, 0);
    }
    return part;
  }
  std::size_t rows() const { return lengths.size(); }
};

struct Model {
  Random random{3};
  Embedding words{kWords, kWidth, random, 1, 0};
  Recurrent<Lstm> lstm{Lstm(kWidth, kWidth, random)};
  Linear head{kWidth, 1, random};

  Var loss(const Batch& batch, Random* noise) const {
    const Dropout dropout(real(0.3));
    const Var x = dropout(words(batch.texts), noise);
    const Var h = lstm(x, {.lengths = batch.lengths, .all_outputs = false}).last();
    return bce_with_logits(head(dropout(h, noise)), batch.labels);
  }
  static void fields(auto& self, auto&& visit) {
    visit("words", self.words);
    visit("lstm", self.lstm);
    visit("head", self.head);
  }
};

std::vector<Array> values_of(Model& model) {
  std::vector<Array> values;
  for (const Parameter* p : parameters(model)) values.push_back(p->value());
  return values;
}
std::vector<Array> gradients_of(Model& model) {
  std::vector<Array> gradients;
  for (const Parameter* p : parameters(model)) gradients.push_back(p->grad());
  return gradients;
}
void expect_near(const std::vector<Array>& a, const std::vector<Array>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j)
      ASSERT_NEAR(a[i].data()[j], b[i].data()[j], tolerance) << i << ' ' << j;
}

// A model in training.
struct Training {
  Model model;
  Adam optimizer{parameters(model), {.learning_rate = 0.01}};
  TrainStep step;

  explicit Training(const TrainStepOptions& options) : step(optimizer, options) {}
  double backward(const Batch& batch) {
    return step.backward(batch.rows(), [&](Shard& shard) {
      return model.loss(batch.part(shard.begin, shard.end), nullptr);
    });
  }
  double train(const Batch& batch) {
    return step(batch.rows(), [&](Shard& shard) {
      return model.loss(batch.part(shard.begin, shard.end), &shard.random);
    });
  }
};

TEST(TrainStepTest, AnyNumberOfWorkersGivesTheSameBits) {
  for (const std::size_t shards : {2, 4, 5}) {
    const auto train = [&](std::size_t workers) {
      Training training({.shards = shards, .workers = workers, .clip_norm = 0.5, .seed = 9});
      Random random(1);
      std::vector<Array> trail;
      for (int i = 0; i < 15; ++i) {
        const double loss = training.train(Batch(1 + random.below(20), random));
        trail.push_back(full_array({1}, static_cast<real>(loss)));
      }
      for (Array& value : values_of(training.model)) trail.push_back(std::move(value));
      return trail;
    };
    const std::vector<Array> one = train(1);
    for (std::size_t workers : {2, 3, 4, 7}) EXPECT_EQ(train(workers), one) << workers;
  }
}

TEST(TrainStepTest, AddsUpToWhatOneTapeGives) {
  Random random(2);
  for (const std::size_t rows : {1, 2, 7, 16}) {
    const Batch batch(rows, random);
    Model model;
    Tape tape;
    const Var loss = model.loss(batch, nullptr);
    tape.backward(loss);
    for (const std::size_t shards : {1, 2, 3, 8}) {
      Training training({.shards = shards, .workers = 2});
      const double sharded = training.backward(batch);
      const double tolerance = 20 * std::numeric_limits<real>::epsilon();
      EXPECT_NEAR(sharded, loss.item(), tolerance);
      if (shards == 1)
        EXPECT_EQ(gradients_of(training.model), gradients_of(model));
      else
        expect_near(gradients_of(training.model), gradients_of(model), tolerance);
    }
  }
}

TEST(TrainStepTest, StepAfterStepLearnsWhatOneTapeLearns) {
  Random random(2);
  Training one({.shards = 1, .workers = 1}), sharded({.shards = 5, .workers = 3});
  for (int i = 0; i < 20; ++i) {
    const Batch batch(1 + random.below(9), random);
    one.backward(batch);
    sharded.backward(batch);
    expect_near(gradients_of(sharded.model), gradients_of(one.model), 1e-6);
    if (i % 3 == 0) continue;  // adds to the next one's
    one.step.update();
    sharded.step.update();
  }
}

TEST(TrainStepTest, AddsToGradientsThatAreThere) {
  Random random(2);
  const Batch batch(6, random);
  Training training({.shards = 3});
  training.backward(batch);
  std::vector<Array> twice = gradients_of(training.model);
  for (Array& gradient : twice) gradient *= 2;
  training.backward(batch);
  expect_near(gradients_of(training.model), twice, 1e-6);
  training.optimizer.zero_grad();
  training.backward(batch);
  for (Array& gradient : twice) gradient /= 2;
  EXPECT_EQ(gradients_of(training.model), twice);
}

TEST(TrainStepTest, CutsRowsEvenlyAndLeavesOutEmptyShards) {
  Parameter p(Array{1});
  Sgd optimizer({&p});
  TrainStep step(optimizer, {.shards = 4, .workers = 2});
  const auto cut = [&](std::size_t rows) {
    std::vector<std::vector<std::size_t>> shards(4);
    step(rows, [&](Shard& shard) {
      shards[shard.index] = {shard.begin, shard.end};
      return sum(Var(p));
    });
    return shards;
  };
  using Cut = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(cut(10), (Cut{{0, 3}, {3, 6}, {6, 8}, {8, 10}}));
  EXPECT_EQ(cut(4), (Cut{{0, 1}, {1, 2}, {2, 3}, {3, 4}}));
  EXPECT_EQ(cut(2), (Cut{{0, 1}, {1, 2}, {}, {}}));
  EXPECT_THROWS_WITH(cut(0), Error, "train step: there must be a row; got 0");
}

TEST(TrainStepTest, WeighsShards) {
  Parameter p(Array{2});
  Sgd optimizer({&p});
  TrainStep step(optimizer, {.shards = 2});
  const auto gradient = [&](auto&& loss) {
    const double value = step.backward(3, loss);
    const real gradient = p.grad()(0);
    p.zero_grad();
    return std::pair(value, static_cast<double>(gradient));
  };
  const auto by_rows = gradient([&](Shard& s) { return sum(Var(p)) * (s.index == 0 ? 3 : 9); });
  EXPECT_DOUBLE_EQ(by_rows.first, 10);  // 2 * (2/3 * 3 + 1/3 * 9)
  EXPECT_NEAR(by_rows.second, 5, 1e-6);
  const auto sums = gradient([&](Shard& s) {
    s.weight = 1;
    return sum(Var(p)) * (s.index == 0 ? 3 : 9);
  });
  EXPECT_EQ(sums, std::pair(24.0, 12.0));
}

TEST(TrainStepTest, RandomNumbersAreTheShardsAndTheStepsOwn) {
  Parameter p(Array{1});
  Sgd optimizer({&p});
  const auto draw = [&](TrainStep& step) {
    std::vector<std::uint64_t> bits(2);
    step(2, [&](Shard& shard) {
      bits[shard.index] = shard.random.bits();
      return sum(Var(p));
    });
    return bits;
  };
  TrainStep step(optimizer, {.seed = 1}), same(optimizer, {.seed = 1}),
      other(optimizer, {.seed = 2});
  const auto first = draw(step), second = draw(step);
  EXPECT_EQ(draw(same), first);
  std::vector<std::uint64_t> all = draw(other);
  for (const auto& bits : {first, second}) all.insert(all.end(), bits.begin(), bits.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  other.step_number = 0;
  same.step_number = 1;
  EXPECT_EQ(draw(same), second);
}

TEST(TrainStepTest, AFailedStepLeavesAllAsItWas) {
  Random random(4);
  const Batch batch(9, random);
  for (const std::size_t workers : {1, 2, 3}) {
    Training training({.shards = 3, .workers = workers}), untouched({.shards = 3, .workers = 1});
    training.train(batch);
    untouched.train(batch);
    for (const bool in_backward : {false, true}) {
      EXPECT_THROWS_WITH(training.step(9,
                                       [&](Shard& shard) -> Var {
                                         Tape::current()->check_finite(in_backward);
                                         const Batch part = batch.part(shard.begin, shard.end);
                                         const Var loss = training.model.loss(part, nullptr);
                                         if (shard.index == 0) return loss;
                                         check<Error>(in_backward, "shard {}", shard.index);
                                         return loss + 0 * sum(log(0 * loss));
                                       }),
                         Error, in_backward ? "log: " : "shard 1");
      EXPECT_THROWS_WITH(training.step(9,
                                       [](Shard&) {
                                         return Var(Array{1, 2});
                                       }),
                         ShapeError, "the loss of a shard must have one element; got [2]");
      for (const Parameter* p : parameters(training.model)) EXPECT_FALSE(p->has_grad());
      EXPECT_EQ(values_of(training.model), values_of(untouched.model));
    }
    EXPECT_EQ(training.train(batch), untouched.train(batch));
    EXPECT_EQ(values_of(training.model), values_of(untouched.model));
  }
}

TEST(TrainStepTest, AStepAfterOneThatCouldNotBeClippedIsAsIfItHadNotBeen) {
  Parameter p(Array{1});
  Sgd optimizer({&p}, {.learning_rate = 1});
  TrainStep step(optimizer, {.shards = 1, .clip_norm = 10});
  const real infinity = std::numeric_limits<real>::infinity();
  for (const real factor : {infinity, real(2)}) {
    const auto loss = [&](Shard&) { return sum(Var(p) * factor); };
    if (factor == infinity) {
      EXPECT_THROW(step(1, loss), NonFiniteError);
    } else {
      step(1, loss);
    }
    EXPECT_FALSE(p.has_grad());
    EXPECT_EQ(p.value()(0), factor == infinity ? 1 : -1);
  }
}

TEST(TrainStepTest, AShardMayDependOnNoParameterButNotAll) {
  Parameter p(Array{1});
  Sgd optimizer({&p}, {.learning_rate = 1});
  TrainStep step(optimizer, {.shards = 2});
  EXPECT_EQ(step(2, [&](Shard& shard) { return shard.index == 0 ? sum(Var(p)) : Var(real(3)); }),
            2);
  EXPECT_EQ(p.value()(0), real(0.5));
  EXPECT_THROWS_WITH(step(2, [](Shard&) { return Var(real(3)); }), Error,
                     "train step: the loss must depend on a trainable parameter");
  const Parameter copy = p;
  EXPECT_THROWS_WITH(step(2, [&](Shard&) { return sum(Var(copy)); }), Error,
                     "train step: the loss must depend on a parameter of the optimizer");
}

TEST(TrainStepTest, FrozenParametersStay) {
  Random random(5);
  const Batch batch(8, random);
  Training training({.shards = 2});
  training.model.words.weight.trainable = false;
  training.model.lstm.cell.weight_hh.trainable = false;
  const std::vector<Array> before = values_of(training.model);
  for (int i = 0; i < 3; ++i) training.train(batch);
  const std::vector<Parameter*> all = parameters(training.model);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i]->value() == before[i], !all[i]->trainable) << all[i]->name;
}

TEST(TrainStepTest, ClipsTheSumOfTheShards) {
  Random random(6);
  const Batch batch(8, random);
  Training clipping({.shards = 2, .clip_norm = 0.01}), by_hand({.shards = 2});
  clipping.backward(batch);
  clipping.step.update();
  by_hand.backward(batch);
  EXPECT_GT(clip_grad_norm(parameters(by_hand.model), 0.01), 0.01);
  by_hand.optimizer.step();
  EXPECT_EQ(values_of(clipping.model), values_of(by_hand.model));
}

TEST(TrainStepTest, GradientsOfParametersTheOptimizerDoesNotKnowAreAddedToo) {
  Parameter known(Array{1}), unknown(Array{5});
  Sgd optimizer({&known});
  TrainStep step(optimizer, {.shards = 4, .workers = 2});
  step.backward(8, [&](Shard& shard) {
    const Var loss = sum(Var(known));
    return shard.index % 2 ? loss * sum(Var(unknown)) : loss;
  });
  EXPECT_EQ(known.grad()(0), 3);
  EXPECT_EQ(unknown.grad()(0), 0.5);
}

TEST(TrainStepTest, RepeatedStepsAskTheSystemForNoMemory) {
  Random random(7);
  const Batch batch(12, random);
  Training training({.shards = 4, .workers = 2});
  std::vector<PoolStats> stats(4);
  const auto step = [&] {
    training.step(batch.rows(), [&](Shard& shard) {
      stats[shard.index] = pool::stats();
      return training.model.loss(batch.part(shard.begin, shard.end), &shard.random);
    });
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) step();
  const std::vector<PoolStats> before = stats;
  for (int i = 0; i < 50; ++i) step();
  for (std::size_t shard = 0; shard < 4; ++shard) {
    EXPECT_EQ(stats[shard].blocks_made, before[shard].blocks_made) << shard;
    EXPECT_EQ(stats[shard].in_use, before[shard].in_use) << shard;
  }
}

TEST(TrainStepTest, WrongOptionsAreNamed) {
  Parameter p(Array{1});
  Sgd optimizer({&p});
  EXPECT_THROWS_WITH(TrainStep(optimizer, {.shards = 0}), Error, "there must be a shard; got 0");
  EXPECT_THROWS_WITH(TrainStep(optimizer, {.clip_norm = -1}), Error, "clip_norm must not be");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
