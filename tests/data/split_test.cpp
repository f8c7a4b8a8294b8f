#include <gtest/gtest.h>
#include <reel/data/split.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "temp_folder.hpp"

namespace reel {
namespace {

std::vector<std::int64_t> some_labels() {
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 1000; ++i) labels.push_back(i % 7 == 0 ? 5 : i % 3 == 0 ? 1 : 0);
  return labels;
}

TEST(SplitTest, EachExampleIsOnOneSide) {
  const auto labels = some_labels();
  const Split split = stratified_split(labels, 0.3, 1);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.held_out.begin(), split.held_out.end()));
  std::vector<std::size_t> all = split.train;
  all.insert(all.end(), split.held_out.begin(), split.held_out.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), labels.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i);
}

TEST(SplitTest, EachClassGivesItsShare) {
  const auto labels = some_labels();
  for (double fraction : {0.0, 0.1, 0.37, 0.5, 1.0}) {
    const Split split = stratified_split(labels, fraction, 1);
    for (std::int64_t label : {0, 1, 5}) {
      const auto of_class = [&](std::size_t i) { return labels[i] == label; };
      const auto size = std::count(labels.begin(), labels.end(), label);
      const auto held = std::count_if(split.held_out.begin(), split.held_out.end(), of_class);
      EXPECT_EQ(held, std::llround(fraction * static_cast<double>(size)));
    }
  }
}

TEST(SplitTest, SeedDecides) {
  const auto labels = some_labels();
  EXPECT_EQ(stratified_split(labels, 0.1, 1).held_out, stratified_split(labels, 0.1, 1).held_out);
  EXPECT_NE(stratified_split(labels, 0.1, 1).held_out, stratified_split(labels, 0.1, 2).held_out);
  EXPECT_EQ(stratified_split(std::vector<std::int64_t>(10, 0), 0.3, 42).held_out,
            (std::vector<std::size_t>{1, 7, 9}));
}

TEST(SplitTest, FractionIsChecked) {
  const std::vector<std::int64_t> labels = {0, 1};
  EXPECT_EQ(test::error_of([&] { stratified_split(labels, 1.5, 1); }),
            "stratified_split: fraction must be in 0 .. 1; got 1.5");
  EXPECT_THROW(stratified_split(labels, -0.1, 1), Error);
  EXPECT_THROW(stratified_split(labels, std::numeric_limits<double>::quiet_NaN(), 1), Error);
  EXPECT_TRUE(stratified_split({}, 0.5, 1).train.empty());
}

TEST(SplitTest, EachExampleIsHeldOutInOneFold) {
  const auto labels = some_labels();
  for (const std::size_t folds : {2, 3, 10}) {
    const auto splits = stratified_folds(labels, folds, 1);
    ASSERT_EQ(splits.size(), folds);
    std::vector<int> times(labels.size());
    for (const Split& split : splits) {
      EXPECT_EQ(split.train.size() + split.held_out.size(), labels.size());
      EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
      std::vector<std::size_t> both;
      std::set_intersection(split.train.begin(), split.train.end(), split.held_out.begin(),
                            split.held_out.end(), std::back_inserter(both));
      EXPECT_TRUE(both.empty());
      for (const std::size_t i : split.held_out) ++times[i];
    }
    EXPECT_EQ(times, std::vector<int>(labels.size(), 1));
  }
}

TEST(SplitTest, FoldsAreAlikeInSizeAndLabels) {
  const auto labels = some_labels();
  for (const Split& split : stratified_folds(labels, 7, 3)) {
    EXPECT_NEAR(static_cast<double>(split.held_out.size()), 1000.0 / 7, 1);
    for (const std::int64_t label : {0, 1, 5}) {
      const auto all = std::count(labels.begin(), labels.end(), label);
      const auto held = std::count_if(split.held_out.begin(), split.held_out.end(),
                                      [&](std::size_t i) { return labels[i] == label; });
      EXPECT_NEAR(static_cast<double>(held), static_cast<double>(all) / 7, 1);
    }
  }
}

TEST(SplitTest, TheSeedDecidesTheFolds) {
  const auto labels = some_labels();
  EXPECT_EQ(stratified_folds(labels, 5, 1)[2].held_out, stratified_folds(labels, 5, 1)[2].held_out);
  EXPECT_NE(stratified_folds(labels, 5, 1)[2].held_out, stratified_folds(labels, 5, 2)[2].held_out);
  EXPECT_EQ(test::error_of([&] { stratified_folds(labels, 1, 1); }),
            "stratified_folds: there must be two folds or more; got 1");
}

}  // namespace
}  // namespace reel
