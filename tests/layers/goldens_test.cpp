// RNN, LSTM and GRU against PyTorch: see tests/goldens/make_goldens.py.
#include "goldens.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

template <class M>
struct GoldensTest : ::testing::Test {
  void expect_same_answers(const char* file_case) {
    expect_golden_answers(fmt::format("{}_{}", M::kName, file_case),
                          [](auto in, auto hidden) { return M::make(in, hidden); });
  }
};
TYPED_TEST_SUITE(GoldensTest, BuiltInCells, CellName);

TYPED_TEST(GoldensTest, FullBatch) { this->expect_same_answers("full"); }
TYPED_TEST(GoldensTest, RaggedBatch) { this->expect_same_answers("ragged"); }
TYPED_TEST(GoldensTest, SizesThatFitNoSimdWidth) { this->expect_same_answers("wide"); }

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
