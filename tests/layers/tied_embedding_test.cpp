// The tied embedding: PyTorch's golden, derivatives, files.
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/loss.hpp>
#include <reel/layers/tied_embedding.hpp>
#include <reel/optim/weights.hpp>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;
using reel::test::TempFolder;

constexpr double kTolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;

void expect_near(const Array& actual, const Array& expected) {
  ASSERT_EQ(shape_of(actual), shape_of(expected));
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual.data()[i], expected.data()[i], kTolerance) << i;
}

Indices to_indices(const Array& array) {
  Indices indices(Indices::shape_type{array.size()});
  for (std::size_t i = 0; i < array.size(); ++i)
    indices.data()[i] = static_cast<std::int64_t>(array.data()[i]);
  return indices;
}

TEST(TiedEmbeddingTest, IsPyTorchsAndBothGradientsAddUp) {
  NamedArrays golden =
      load_safetensors(REEL_SOURCE_DIR "/tests/goldens/tied_embedding.safetensors").arrays;
  Random random(1);
  TiedEmbedding words(17, 6, random);
  NamedArrays weights;
  for (const char* name : {"encoder.weight", "decoder.weight", "decoder.bias"})
    weights[name] = golden.at(name);
  import_weights(parameters(words), weights, "golden", TiedEmbedding::kTied);

  Tape tape;
  const Var logits = words.logits(tanh(words(to_indices(golden["inputs"]))));
  const Var loss = cross_entropy(logits, to_indices(golden["targets"]));
  expect_near(logits.value(), golden["logits"]);
  EXPECT_NEAR(loss.item(), golden["loss"](), kTolerance);
  tape.backward(loss);
  expect_near(words.encoder.weight.grad(), golden["grad.encoder.weight"]);
  expect_near(words.bias.grad(), golden["grad.decoder.bias"]);
}

TEST(TiedEmbeddingTest, HasRightDerivatives) {
  Random random(1);
  TiedEmbedding words(7, 4, random, 1);
  const auto f = [&](std::span<const Var> x) {
    return words.logits(x[0] * words(Indices{{1, 6, 1}, {0, 2, 6}}));
  };
  const GradcheckResult result =
      gradcheck(f, {uniform({2, 3, 4}, -1, 1, random)}, parameters(words));
  EXPECT_TRUE(result) << result.message;
}

struct Model {
  TiedEmbedding words;
  static void fields(auto& self, auto&& visit) { visit("lm", self.words); }
};

TEST(TiedEmbeddingTest, FilesHaveItUnderBothNamesAndNeedOne) {
  Random random(1);
  Model model{TiedEmbedding(5, 3, random)}, other{TiedEmbedding(5, 3, random)};
  const std::vector<Parameter*> all = parameters(model), others = parameters(other);
  EXPECT_EQ(all.size(), 2u);
  const NamedArrays both = export_weights(all, TiedEmbedding::kTied);
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both.at("lm.decoder.weight"), both.at("lm.encoder.weight"));

  for (const char* missing : {"", "lm.decoder.weight", "lm.encoder.weight"}) {
    NamedArrays arrays = both;
    arrays.erase(missing);
    other.words.encoder.weight.mutable_value().fill(0);
    import_weights(others, arrays, "file", TiedEmbedding::kTied);
    EXPECT_EQ(other.words.encoder.weight.value(), model.words.encoder.weight.value()) << missing;
  }
  const TempFolder folder;
  save_weights(folder / "w.safetensors", all, TiedEmbedding::kTied);
  EXPECT_EQ(load_safetensors(folder / "w.safetensors").arrays, both);
  other.words.encoder.weight.mutable_value().fill(0);
  load_weights(folder / "w.safetensors", others, TiedEmbedding::kTied);
  EXPECT_EQ(other.words.encoder.weight.value(), model.words.encoder.weight.value());

  NamedArrays differ = both;
  differ["lm.decoder.weight"](0, 0) += 1;
  EXPECT_EQ(
      error_of<FileError>([&] { import_weights(others, differ, "file", TiedEmbedding::kTied); }),
      "file: weights lm.encoder.weight and lm.decoder.weight must be equal");
  EXPECT_EQ(error_of<FileError>([&] { import_weights(others, both, "file"); }),
            "file: weight lm.decoder.weight [5, 3] belongs to no parameter of the model");
}

TEST(TiedEmbeddingTest, WrongWidthIsNamed) {
  Random random(1);
  const TiedEmbedding words(5, 3, random);
  const std::string error = error_of<ShapeError>([&] { words.logits(zeros({2, 4})); });
  EXPECT_TRUE(error.starts_with("decoder: affine: ")) << error;
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
