// First and second derivatives of the recurrent layer, against finite differences.
#include <reel/autodiff/gradcheck.hpp>

#include "answers.hpp"
#include "custom_cell.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kIn = 3, kHidden = 4;

struct MakeCoupledLstm : MakeCell<example::CoupledLstm> {
  static constexpr const char* kName = "coupled_lstm";
  static Cell make(std::size_t in, std::size_t hidden) {
    Random random(7);
    return Cell(in, hidden, random);
  }
};

template <class M>
struct GradientsTest : ::testing::Test {
  using State = typename M::Cell::State;
  Recurrent<typename M::Cell> layer{M::make(kIn, kHidden)};

  GradcheckResult check(std::size_t steps, const Lengths& lengths) {
    const Problem p = random_problem<State>(steps, lengths.size(), kIn, kHidden);
    std::vector<Array> inputs = p.initial;
    inputs.push_back(p.x);
    const auto run = [&](std::span<const Var> v) {
      const State state = make_state<State>({v.begin(), v.end() - 1});
      const auto result = layer(v.back(), {.lengths = lengths, .state = state});
      return concat({reshape(result.outputs, {-1}), reshape(result.last(), {-1})}, 0);
    };
    return gradcheck(run, inputs, parameters(layer));
  }
};
using Cells = ::testing::Types<RnnTanh, RnnRelu, MakeLstm, MakeGru, MakeCoupledLstm>;
TYPED_TEST_SUITE(GradientsTest, Cells, CellName);

TYPED_TEST(GradientsTest, FullBatch) {
  const GradcheckResult result = this->check(3, {3, 3});
  EXPECT_TRUE(result) << result.message;
}

TYPED_TEST(GradientsTest, RaggedBatch) {
  const GradcheckResult result = this->check(4, {2, 0, 4, 1});
  EXPECT_TRUE(result) << result.message;
}

TYPED_TEST(GradientsTest, FrozenParametersGetNone) {
  for (Parameter* p : parameters(this->layer)) p->trainable = p->name == "weight_hh_l0";
  const Problem p = random_problem<typename TestFixture::State>(4, 3, kIn, kHidden, {2, 0, 4});
  const Answers some = answers_of(this->layer, p);
  for (Parameter* p : parameters(this->layer))
    EXPECT_EQ(p->has_grad(), p->name == "weight_hh_l0") << p->name;
  for (Parameter* p : parameters(this->layer)) p->trainable = true;
  const Answers all = answers_of(this->layer, p);
  for (const char* name : {"outputs", "grad.x", "grad.h0", "grad.weight_hh_l0"})
    EXPECT_LE(relative_error(some.at(name), all.at(name)), kRounding) << name;
}

TEST(CustomCellTest, TrainsAsLayerWithNamesAndCount) {
  Random random(1);
  Recurrent layer(example::CoupledLstm(5, 5, random));
  EXPECT_EQ(parameter_count(layer), 6u * 25 + 3 * 5);
  EXPECT_EQ(parameters(layer).back()->name, "bias_l0");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
