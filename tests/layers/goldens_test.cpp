// RNN, LSTM and GRU against PyTorch: see tests/goldens/make_goldens.py.
#include <reel/data/safetensors.hpp>
#include <reel/optim/weights.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr double kTolerance = kIsDouble ? 1e-10 : 1e-5;

template <class M>
struct GoldensTest : ::testing::Test {
  using State = typename M::Cell::State;

  void expect_same_answers(const std::string& file_case) {
    NamedArrays golden = load_safetensors(fmt::format("{}/tests/goldens/{}_{}.safetensors",
                                                      REEL_SOURCE_DIR, M::kName, file_case))
                             .arrays;
    Problem p{golden.at("x"), {}, {}, golden.at("d_outputs"), {}};
    for (real length : golden.at("lengths").storage())
      p.lengths.push_back(static_cast<std::size_t>(length));
    for (std::size_t i = 0; i < kParts<State>; ++i) {
      p.initial.push_back(golden.at(part_name(i) + "0"));
      p.d_final.push_back(golden.at("d_" + part_name(i) + "_n"));
    }
    Recurrent layer(M::make(p.x.shape()[2], p.d_outputs.shape()[2]));
    NamedArrays weights;
    for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"})
      weights[name] = golden.at(name);
    import_weights(parameters(layer), weights, file_case);

    Answers answers = answers_of(layer, p);
    if (layer.cell.bias_ih.merged_bias)  // its gradient is that of each of the two
      answers["grad.bias_hh_l0"] = answers.at("grad.bias_ih_l0");
    for (const auto& [name, answer] : answers)
      EXPECT_LE(relative_error(answer, golden.at(name)), kTolerance) << name;
  }
};
TYPED_TEST_SUITE(GoldensTest, BuiltInCells, CellName);

TYPED_TEST(GoldensTest, FullBatch) { this->expect_same_answers("full"); }
TYPED_TEST(GoldensTest, RaggedBatch) { this->expect_same_answers("ragged"); }
TYPED_TEST(GoldensTest, SizesThatFitNoSimdWidth) { this->expect_same_answers("wide"); }

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
