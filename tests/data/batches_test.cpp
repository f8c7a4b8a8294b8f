#include <gtest/gtest.h>
#include <reel/autodiff/random.hpp>
#include <reel/data/batches.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using Sequences = std::vector<std::vector<std::int64_t>>;
using Rows = std::vector<std::size_t>;

std::vector<std::size_t> random_lengths(std::size_t count) {
  Random random(3);
  std::vector<std::size_t> lengths(count);
  for (std::size_t& length : lengths) length = random.below(60);
  return lengths;
}

Rows flat(const BatchPlan& plan) {
  Rows rows;
  for (const Rows& batch : plan) rows.insert(rows.end(), batch.begin(), batch.end());
  return rows;
}

std::size_t padded_size(const BatchPlan& plan, const std::vector<std::size_t>& lengths) {
  std::size_t size = 0;
  for (const Rows& batch : plan) {
    std::size_t steps = 0;
    for (std::size_t row : batch) steps = std::max(steps, lengths[row]);
    size += steps * batch.size();
  }
  return size;
}

TEST(BatchesTest, EachExampleIsInOneBatch) {
  for (std::size_t count : {0, 1, 7, 8, 9, 1000, 1003})
    for (std::size_t batch_size :
         {std::size_t{1}, std::size_t{8}, std::size_t{5000}, ~std::size_t{0}})
      for (bool bucket : {false, true})
        for (std::optional<std::uint64_t> seed : {std::optional<std::uint64_t>(), {11}}) {
          const auto plan =
              plan_batches(random_lengths(count), batch_size, {.bucket = bucket, .seed = seed});
          Rows rows = flat(plan);
          std::sort(rows.begin(), rows.end());
          ASSERT_EQ(rows.size(), count);
          for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(rows[i], i);
          std::size_t full = 0;
          for (const Rows& batch : plan) full += batch.size() == batch_size;
          EXPECT_EQ(full, count / batch_size);
          EXPECT_LE(plan.size(), full + 1);
        }
}

TEST(BatchesTest, WithoutSeedAndBucketsTheOrderIsKept) {
  const auto plan = plan_batches(random_lengths(5), 2, {.bucket = false});
  EXPECT_EQ(plan, (BatchPlan{{0, 1}, {2, 3}, {4}}));
}

TEST(BatchesTest, SeedDecides) {
  const auto lengths = random_lengths(500);
  for (bool bucket : {false, true}) {
    const auto plan = [&](std::uint64_t seed) {
      return plan_batches(lengths, 16, {.bucket = bucket, .seed = seed});
    };
    EXPECT_EQ(plan(1), plan(1));
    EXPECT_NE(plan(1), plan(2));
  }
  EXPECT_EQ(plan_batches(std::vector<std::size_t>{1, 2, 3, 4, 5}, 2, {.seed = 42}),
            (BatchPlan{{2, 1}, {4, 3}, {0}}));
}

TEST(BatchesTest, BucketsSavePadding) {
  const auto lengths = random_lengths(5000);
  std::size_t tokens = 0;
  for (std::size_t length : lengths) tokens += length;
  const auto padded = [&](bool bucket) {
    return padded_size(plan_batches(lengths, 32, {.bucket = bucket, .seed = 1}), lengths);
  };
  EXPECT_GT(padded(false), tokens * 18 / 10);
  EXPECT_LT(padded(true), tokens * 11 / 10);
}

TEST(BatchesTest, BucketsPutTheLongestFirstAndMixBatches) {
  const auto lengths = random_lengths(640);
  const auto plan = plan_batches(lengths, 20, {.seed = 1});
  std::vector<std::size_t> longest;
  for (const Rows& batch : plan) {
    for (std::size_t i = 1; i < batch.size(); ++i)
      EXPECT_GE(lengths[batch[i - 1]], lengths[batch[i]]);
    longest.push_back(lengths[batch[0]]);
  }
  EXPECT_FALSE(std::is_sorted(longest.rbegin(), longest.rend()));
}

TEST(BatchesTest, LengthsBeyondTheCutAreEqual) {
  const std::vector<std::size_t> lengths = {9, 2, 100, 7, 3};
  EXPECT_EQ(plan_batches(lengths, 5, {.max_length = 7}), (BatchPlan{{0, 2, 3, 4, 1}}));
}

TEST(BatchesTest, TokensAreTimeMajorAndPadded) {
  const Sequences sequences = {{5, 6, 7}, {}, {8}, {9, 10}};
  const Batch batch = make_batch(sequences, Rows{3, 0, 1});
  EXPECT_EQ(shape_of(batch.tokens), (Shape{3, 3}));
  EXPECT_EQ(batch.tokens, (Indices{{9, 5, 0}, {10, 6, 0}, {0, 7, 0}}));
  EXPECT_EQ(batch.lengths, (std::vector<std::size_t>{2, 3, 0}));
  EXPECT_EQ(batch.rows, (Rows{3, 0, 1}));
}

TEST(BatchesTest, LongSequencesAreCut) {
  const Sequences sequences = {{5, 6, 7}, {8}};
  const Batch batch = make_batch(sequences, Rows{0, 1}, 2);
  EXPECT_EQ(batch.tokens, (Indices{{5, 8}, {6, 0}}));
  EXPECT_EQ(batch.lengths, (std::vector<std::size_t>{2, 1}));
}

TEST(BatchesTest, EmptySequencesKeepOneStep) {
  const Sequences sequences = {{}, {}};
  const Batch batch = make_batch(sequences, Rows{0, 1});
  EXPECT_EQ(batch.tokens, (Indices{{0, 0}}));
  EXPECT_EQ(batch.lengths, (std::vector<std::size_t>{0, 0}));
}

TEST(BatchesTest, BatchesHoldTheirSequences) {
  Sequences sequences;
  for (std::size_t length : random_lengths(100))
    sequences.emplace_back(length, static_cast<std::int64_t>(sequences.size()));
  std::size_t seen = 0;
  for (const Batch& batch : make_batches(sequences, 16, {.seed = 5, .max_length = 40})) {
    for (std::size_t b = 0; b < batch.rows.size(); ++b, ++seen) {
      const auto& sequence = sequences[batch.rows[b]];
      EXPECT_EQ(batch.lengths[b], std::min<std::size_t>(sequence.size(), 40));
      for (std::size_t t = 0; t < batch.tokens.shape(0); ++t)
        EXPECT_EQ(batch.tokens(t, b), t < batch.lengths[b] ? sequence[t] : 0);
    }
  }
  EXPECT_EQ(seen, sequences.size());
}

TEST(BatchesTest, DealtPartsAreEvenAndHoldAllRows) {
  EXPECT_EQ(deal(Rows{9, 8, 7, 6, 5}, 2), (Rows{9, 7, 5, 8, 6}));
  EXPECT_EQ(deal(Rows{9, 8}, 4), (Rows{9, 8}));
  EXPECT_EQ(deal(Rows{}, 3), Rows{});
  EXPECT_EQ(test::error_of([] { deal(Rows{1}, 0); }), "deal: there must be a part; got 0");
}

TEST(BatchesTest, ArgumentsAreChecked) {
  EXPECT_EQ(test::error_of([] { plan_batches({}, 0); }),
            "plan_batches: batch size must be positive; got 0");
  EXPECT_EQ(test::error_of([] { make_batch(Sequences{{1}}, Rows{1}); }),
            "make_batch: row must be below 1; got 1");
}

}  // namespace
}  // namespace reel
