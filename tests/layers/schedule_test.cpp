#include <reel/layers/schedule.hpp>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;
using Numbers = std::vector<std::int64_t>;
using Lengths = std::vector<std::size_t>;

Numbers numbers(const Indices& indices) { return {indices.begin(), indices.end()}; }
Lengths rows_at(const Schedule& schedule) {
  Lengths rows;
  for (std::size_t t = 0; t < schedule.steps(); ++t) rows.push_back(schedule.rows_at(t));
  return rows;
}

TEST(ScheduleTest, RowsAreSortedByFallingLengthAndStayInOrderAmongEquals) {
  const Lengths lengths{1, 3, 0, 3};
  const Schedule schedule(4, 4, lengths);
  EXPECT_FALSE(schedule.is_full());
  EXPECT_EQ(numbers(schedule.order()), (Numbers{1, 3, 0, 2}));
  EXPECT_EQ(numbers(schedule.inverse()), (Numbers{2, 0, 3, 1}));
  EXPECT_EQ(rows_at(schedule), (Lengths{3, 2, 2}));
  EXPECT_EQ(schedule.total(), 7u);
}

TEST(ScheduleTest, PackedRowsAreStepByStepWithoutPadding) {
  const Lengths lengths{1, 3, 0, 3};
  const Schedule schedule(4, 4, lengths);
  EXPECT_EQ(numbers(schedule.pack(0, schedule.steps())), (Numbers{1, 3, 0, 5, 7, 9, 11}));
  EXPECT_EQ(numbers(schedule.unpack()),
            (Numbers{2, 0, -1, 1, -1, 3, -1, 4, -1, 5, -1, 6, -1, -1, -1, -1}));
}

TEST(ScheduleTest, ReversedEachRowRunsFromItsOwnEnd) {
  const Lengths lengths{1, 3, 0, 3};
  const Schedule schedule(4, 4, lengths, true);
  EXPECT_EQ(numbers(schedule.reversal()),
            (Numbers{0, 9, -1, 11, -1, 5, -1, 7, -1, 1, -1, 3, -1, -1, -1, -1}));
  EXPECT_EQ(numbers(schedule.pack(0, 3)), (Numbers{1, 3, 0, 5, 7, 9, 11}));
  EXPECT_EQ(numbers(schedule.unpack()),
            (Numbers{2, 5, -1, 6, -1, 3, -1, 4, -1, 0, -1, 1, -1, -1, -1, -1}));
}

TEST(ScheduleTest, ReversedFullBatchIsFull) {
  const Schedule schedule(3, 2, {}, true);
  EXPECT_TRUE(schedule.is_full());
  EXPECT_EQ(numbers(schedule.reversal()), (Numbers{4, 5, 2, 3, 0, 1}));
  EXPECT_EQ(numbers(schedule.unpack()), (Numbers{4, 5, 2, 3, 0, 1}));
}

TEST(ScheduleTest, FullBatchNeedsNoPacking) {
  for (const Lengths& lengths : {Lengths{}, Lengths{3, 3}}) {
    const Schedule schedule(3, 2, lengths);
    EXPECT_TRUE(schedule.is_full());
    EXPECT_EQ(rows_at(schedule), (Lengths{2, 2, 2}));
    EXPECT_EQ(schedule.total(), 6u);
  }
}

TEST(ScheduleTest, NothingToRunIsLegal) {
  EXPECT_EQ(Schedule(0, 3, {}).total(), 0u);
  EXPECT_EQ(Schedule(3, 0, {}).total(), 0u);
  const Lengths none{0, 0};
  EXPECT_EQ(Schedule(3, 2, none).total(), 0u);
  EXPECT_EQ(Schedule(3, 2, none).steps(), 0u);
}

TEST(ScheduleTest, WrongLengthsAreNamed) {
  const Lengths two{1, 2}, long_one{1, 5, 2};
  EXPECT_EQ(error_of<ShapeError>([&] { Schedule(4, 3, two); }),
            "lengths: there must be one per row; got 2 lengths for a batch of 3");
  EXPECT_EQ(error_of<ShapeError>([&] { Schedule(4, 3, long_one); }),
            "lengths: a length must not exceed the 4 steps of x; got 5 for row 1");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
