// The checker passes cells that keep the rules and rejects those that break one.
#include <reel/layers/check_cell.hpp>

#include "broken_cells.hpp"
#include "custom_cell.hpp"
#include "structured_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

using Outcome = CellCheck::Outcome;

void expect_ok(const CellReport& report) {
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_EQ(report["gradients"].outcome, kIsDouble ? Outcome::kPassed : Outcome::kSkipped);
  EXPECT_EQ(report["second derivatives"].outcome, kIsDouble ? Outcome::kPassed : Outcome::kSkipped);
}

TEST(CheckCell, CellsWithPartsOfDifferentShapesPass) {
  Random random(3);
  expect_ok(check_cell(example::CoupledLstm(3, 4, random)));
  expect_ok(check_cell(example::StackCell(3, 6, random)));
  expect_ok(check_cell(example::MemoryCell(3, 4, random)));
}

TEST(CheckCell, SaysWhatAFloatBuildCannotCheck) {
  const CellReport report = check_cell(MakeGru::make(3, 4));
  EXPECT_EQ(report["gradients"].message.find("link reel::reel64") != std::string::npos, !kIsDouble);
  const CellReport without = check_cell(MakeGru::make(3, 4), {.orders = 0});
  EXPECT_EQ(without["gradients"].outcome, Outcome::kSkipped);
  EXPECT_TRUE(without.ok());
}

TEST(CheckCell, LeavesTheCellAsItIs) {
  const Gru cell = MakeGru::make(3, 4);
  const Array before = cell.weight_hh.value();
  check_cell(cell);
  EXPECT_EQ(cell.weight_hh.value(), before);
  EXPECT_FALSE(cell.weight_hh.has_grad());
  EXPECT_EQ(cell.weight_hh.name, "");
}

TEST(CheckCell, TheSameSeedGivesTheSameReport) {
  const Gru cell = MakeGru::make(3, 4);
  EXPECT_EQ(check_cell(cell).text(), check_cell(cell).text());
}

TEST(CheckCell, ReportsAnInputThatDoesNotFit) {
  const CellReport report = check_cell(MakeGru::make(3, 4), {.input = 7});
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report["state shapes"].outcome, Outcome::kFailed);
  EXPECT_EQ(report["rows"].outcome, Outcome::kSkipped);
  EXPECT_THROW(report["no such check"], Error);
}

template <class C>
struct BrokenCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(BrokenCellsTest, BrokenCells);

TYPED_TEST(BrokenCellsTest, AreRejectedByTheCheckThatIsMeant) {
  const std::string meant = TypeParam::kCheck;
  if (!kIsDouble && (meant == "gradients" || meant == "second derivatives")) return;
  const CellReport report = check_cell(TypeParam());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report[meant].outcome, Outcome::kFailed) << report.text();
  EXPECT_NE(report[meant].message.find(TypeParam::kSays), std::string::npos) << report.text();
}

// Where only one rule is broken, no other check may cry wolf.
TEST(BrokenCells, FailNoOtherCheckWithoutReason) {
  const auto failed = [](const CellReport& report) {
    std::vector<std::string> names;
    for (const CellCheck& check : report.checks)
      if (check.outcome == Outcome::kFailed) names.push_back(check.name);
    return names;
  };
  using Names = std::vector<std::string>;
  const Names gradients = kIsDouble ? Names{"gradients"} : Names{};
  EXPECT_EQ(failed(check_cell(HasAWrongRule(), {.streams = false})), gradients);
  EXPECT_EQ(failed(check_cell(StopsTheGradientOfItsState())), gradients);
  EXPECT_EQ(failed(check_cell(NeverReadsItsState())), Names{"initial state"});
  EXPECT_EQ(failed(check_cell(ChangesAShape())), Names{"state shapes"});
  EXPECT_EQ(failed(check_cell(DependsOnTheTape())), (Names{"checkpointed", "recorded"}));
}

#ifdef REEL_DOUBLE

template <class C>
struct CheckedUnusualCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(CheckedUnusualCellsTest, UnusualCells);

TYPED_TEST(CheckedUnusualCellsTest, PassButForWhatTheyAreBuiltToDo) {
  const bool forgets = std::is_same_v<TypeParam, ReturnsX>;
  const CellReport report = check_cell(TypeParam(), {.forgets = forgets});
  if (std::is_same_v<TypeParam, StopsTheGradientOfX>)
    EXPECT_EQ(report["gradients"].outcome, Outcome::kFailed) << report.text();
  else
    EXPECT_TRUE(report.ok()) << report.text();
}

TEST(CheckedUnusualCells, OneThatSharesItsProjectionOverRowsIsRejected) {
  EXPECT_EQ(check_cell(KeepsTheProjection())["rows"].outcome, Outcome::kFailed);
}

#endif

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
