#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/recurrent.hpp>
#include <reel/optim/weights.hpp>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;
using reel::test::TempFolder;

struct Model {
  Recurrent<Lstm> lstm;
  Recurrent<Gru> gru;
  Linear head;
  explicit Model(std::uint64_t seed) : Model(Random(seed)) {}
  explicit Model(Random random)
      : lstm(Lstm(3, 2, random, Init::kPyTorch)),
        gru(Gru(2, 2, random, Init::kPyTorch)),
        head(2, 1, random) {}
  static void fields(auto& self, auto&& visit) {
    visit("lstm", self.lstm);
    visit("gru", self.gru);
    visit("head", self.head);
  }
};

std::vector<Array> values(Model& model) {
  std::vector<Array> all;
  for (const Parameter* p : parameters(model)) all.push_back(p->value());
  return all;
}

TEST(WeightsTest, FileComesBackBitForBit) {
  const TempFolder folder;
  Model model(1), other(2);
  ASSERT_NE(values(model), values(other));
  save_weights(folder / "weights.safetensors", parameters(model));
  load_weights(folder / "weights.safetensors", parameters(other));
  EXPECT_EQ(values(model), values(other));
}

TEST(WeightsTest, NamesAreThoseOfPyTorch) {
  Model model(1);
  std::vector<std::string> names;
  for (const auto& [name, array] : export_weights(parameters(model))) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"gru.bias_hh_l0", "gru.bias_ih_l0", "gru.weight_hh_l0",
                                             "gru.weight_ih_l0", "head.bias", "head.weight",
                                             "lstm.bias_hh_l0", "lstm.bias_ih_l0",
                                             "lstm.weight_hh_l0", "lstm.weight_ih_l0"}));
}

TEST(WeightsTest, SecondBiasIsWrittenAsZerosOnlyWhereMerged) {
  Model model(1);
  const NamedArrays arrays = export_weights(parameters(model));
  EXPECT_EQ(arrays.at("lstm.bias_hh_l0"), full_array({8}, 0));
  EXPECT_EQ(arrays.at("gru.bias_hh_l0"), model.gru.cell.bias_hh.value());
}

TEST(WeightsTest, TwoBiasesOfPyTorchAddUp) {
  Model model(1);
  NamedArrays arrays = export_weights(parameters(model));
  arrays["lstm.bias_ih_l0"] = Array{1, 2, 3, 4, 5, 6, 7, 8};
  arrays["lstm.bias_hh_l0"] = Array{10, 20, 30, 40, 50, 60, 70, 80};
  import_weights(parameters(model), arrays, "w");
  EXPECT_EQ(model.lstm.cell.bias_ih.value(), (Array{11, 22, 33, 44, 55, 66, 77, 88}));
}

TEST(WeightsTest, SecondBiasMayBeMissing) {
  Model model(1);
  NamedArrays arrays = export_weights(parameters(model));
  arrays.erase("lstm.bias_hh_l0");
  const Array bias = arrays.at("lstm.bias_ih_l0");
  import_weights(parameters(model), arrays, "w");
  EXPECT_EQ(model.lstm.cell.bias_ih.value(), bias);
}

// The error of importing what `spoil` makes of other weights; the model must stay as it was.
template <class Spoil>
std::string import_error(Spoil&& spoil) {
  Model model(1), other(2);
  NamedArrays arrays = export_weights(parameters(other));
  spoil(arrays);
  const std::vector<Array> before = values(model);
  const std::string error =
      error_of<FileError>([&] { import_weights(parameters(model), arrays, "w.safetensors"); });
  EXPECT_EQ(values(model), before);
  return error;
}

TEST(WeightsTest, MissingWeightIsNamedAndNothingChanges) {
  EXPECT_EQ(import_error([](NamedArrays& a) { a.erase("head.bias"); }),
            "w.safetensors: weight head.bias [1] is missing; this is no file of such a model");
}

TEST(WeightsTest, UnknownWeightIsNamedAndNothingChanges) {
  EXPECT_EQ(import_error([](NamedArrays& a) {
              a["head.scale"] = Array{1, 2};
            }),
            "w.safetensors: weight head.scale [2] belongs to no parameter of the model");
}

TEST(WeightsTest, WrongShapeIsNamedAndNothingChanges) {
  EXPECT_EQ(import_error([](NamedArrays& a) {
              a["head.weight"] = Array{{1, 2, 3}};
            }),
            "w.safetensors: weight head.weight must be [1, 2]; got [1, 3]");
  EXPECT_EQ(import_error([](NamedArrays& a) { a["lstm.bias_hh_l0"] = Array{1}; }),
            "w.safetensors: weight lstm.bias_hh_l0 must be [8]; got [1]");
}

TEST(WeightsTest, ParametersMustHaveDifferentNames) {
  Parameter nameless(Array{1}), twin(Array{1}), other(Array{1});
  twin.name = other.name = "p";
  EXPECT_EQ(error_of([&] { export_weights({&nameless}); }),
            "weights: a parameter has no name; call parameters(model)");
  EXPECT_EQ(error_of([&] {
              export_weights({&twin, &other});
            }),
            "weights: names must differ; got p twice");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
