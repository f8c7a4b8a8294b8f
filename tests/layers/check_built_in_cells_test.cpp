// Every cell of the library passes check_cell.
#include <reel/layers/check_cell.hpp>

#include "tested_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

template <class M>
struct CheckBuiltInCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(CheckBuiltInCellsTest, TestedCells, CellName);

TYPED_TEST(CheckBuiltInCellsTest, Pass) {
  const CellReport report = check_cell(TypeParam::make(5, 6));
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_NE(report["state shapes"].message.find("input 5, "), std::string::npos);
  for (const CellCheck& check : report.checks)
    EXPECT_TRUE(check.outcome != CellCheck::Outcome::kSkipped || check.name == "hoisting" ||
                !kIsDouble)
        << check.name << ": " << check.message;
  for (const char* name :
       {"padding", "length zero", "reversed", "checkpointed", "repeatable", "recorded"})
    EXPECT_EQ(report[name].message, "same bits") << name;
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
