// The other cells against their papers' equations: see tests/goldens/make_cell_goldens.py.
#include "goldens.hpp"
#include "more_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

// Half as wide as hidden, rounded up.
Lstm::Options projected(std::size_t hidden, bool all) {
  return {.peepholes = all, .coupled = all, .projection = (hidden + 1) / 2, .layer_norm = all};
}

template <class M>
struct CellGoldensTest : ::testing::Test {};
using Cells = ::testing::Types<LstmPeephole, LstmCoupled, LstmLayerNorm, LstmNormalPeephole,
                               GruResetBefore, MakeLayerNormGru, MakeMgu, MakeIndRnn, MakeMinGru,
                               MakeMinLstm, MakeSru, SruSquare, MakeSlstm, SlstmExp>;
TYPED_TEST_SUITE(CellGoldensTest, Cells, CellName);

TYPED_TEST(CellGoldensTest, AnswersAsThePapersEquations) {
  expect_golden_answers(fmt::format("{}_ragged", TypeParam::kName),
                        [](auto in, auto hidden) { return TypeParam::make(in, hidden); });
}

TEST(LstmGoldensTest, AllVariantsTogetherAnswerAsTheEquations) {
  Random random(1);
  expect_golden_answers("lstm_all_ragged", [&](auto in, auto hidden) {
    return Lstm(in, hidden, random, projected(hidden, true));
  });
}

TEST(LstmGoldensTest, ProjectionAnswersAsPyTorch) {
  Random random(1);
  for (const char* file_case : {"full", "ragged", "wide"}) {
    SCOPED_TRACE(file_case);
    expect_golden_answers(fmt::format("lstm_projected_{}", file_case), [&](auto in, auto hidden) {
      return Lstm(in, hidden, random, projected(hidden, false));
    });
  }
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
