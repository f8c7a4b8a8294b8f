#include <reel/data/confusion.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

// As scikit-learn's classification_report has it for
// truth [0, 0, 0, 0, 1, 1, 2], told [0, 0, 1, 2, 1, 1, 0].
TEST(ConfusionTest, MeasuresAreThoseOfTheDefinition) {
  Confusion confusion(3);
  const std::size_t truth[] = {0, 0, 0, 0, 1, 1, 2}, told[] = {0, 0, 1, 2, 1, 1, 0};
  for (int i = 0; i < 7; ++i) confusion.add(truth[i], told[i]);
  EXPECT_EQ(confusion.total(), 7u);
  EXPECT_EQ(confusion.count(0, 2), 1u);
  EXPECT_EQ(confusion.count(2, 0), 1u);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(confusion.precision(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 0.5);
  EXPECT_DOUBLE_EQ(confusion.f1(0), 4.0 / 7);
  EXPECT_DOUBLE_EQ(confusion.f1(1), 0.8);
  EXPECT_DOUBLE_EQ(confusion.f1(2), 0);
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), (4.0 / 7 + 0.8) / 3);
}

TEST(ConfusionTest, WhatNeverComesCountsAsNothing) {
  Confusion confusion(2);
  EXPECT_EQ(confusion.accuracy(), 0);
  confusion.add(0, 0);
  EXPECT_EQ(confusion.accuracy(), 1);
  EXPECT_EQ(confusion.precision(1), 0);
  EXPECT_EQ(confusion.recall(1), 0);
  EXPECT_EQ(confusion.macro_f1(), 0.5);
}

TEST(ConfusionTest, WrongClassesAreRefused) {
  Confusion confusion(2);
  EXPECT_EQ(test::error_of([&] { confusion.add(2, 0); }),
            "confusion: classes are below 2; got 2, 0");
  EXPECT_EQ(test::error_of([&] { static_cast<void>(confusion.count(0, 2)); }),
            "confusion: classes are below 2; got 0, 2");
  EXPECT_THROW(static_cast<void>(confusion.f1(2)), Error);
}

}  // namespace
}  // namespace reel
