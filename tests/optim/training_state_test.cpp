// Training that stops and goes on gives the same bits as training that does not.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/data/file.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/loss.hpp>
#include <reel/optim/training_state.hpp>
#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using test::TempFolder;

struct Learner {
  Random random{3};
  Linear model{4, 2, random};
  Adam optimizer;
  TrainStep step;

  Learner()
      : optimizer(parameters(model), {.learning_rate = 0.1}), step(optimizer, {.shards = 2}) {}
  void learn(int steps) {
    for (int i = 0; i < steps; ++i)
      step(6, [&](Shard& shard) {
        Array x = empty_array({shard.rows(), 4});
        for (real& one : x) one = static_cast<real>(shard.random.normal());
        return mean(square(model(Var(std::move(x)))));
      });
  }
};

TEST(TrainingState, GoesOnToTheSameBits) {
  const TempFolder folder;
  Learner whole, before, after;
  whole.learn(9);
  before.learn(4);
  Safetensors more;
  more.arrays.emplace("carried", full_array({2, 3}, 5));
  more.metadata["epoch"] = "1";
  save_training(folder / "t", before.optimizer, before.step, more);

  const Safetensors back = load_training(folder / "t", after.optimizer, after.step);
  EXPECT_EQ(back.arrays, more.arrays);
  EXPECT_EQ(back.metadata, more.metadata);
  after.learn(5);
  EXPECT_EQ(after.model.weight.value(), whole.model.weight.value());
  EXPECT_EQ(after.model.bias.value(), whole.model.bias.value());
  EXPECT_NE(before.model.bias.value(), whole.model.bias.value());
}

TEST(TrainingState, PutsBackTheRateAndClearsGradients) {
  const TempFolder folder;
  Learner before, after;
  before.optimizer.learning_rate = 0.1 / 3;
  save_training(folder / "t", before.optimizer, before.step);
  after.model.bias.mutable_grad().fill(std::numeric_limits<real>::quiet_NaN());
  load_training(folder / "t", after.optimizer, after.step);
  EXPECT_EQ(after.optimizer.learning_rate, 0.1 / 3);
  EXPECT_FALSE(after.model.bias.has_grad());
}

TEST(TrainingState, RefusesToSaveWhatItCouldNotLoad) {
  const TempFolder folder;
  Learner run;
  const auto refusal = [&](const Safetensors& more) {
    return test::error_of([&] { save_training(folder / "t", run.optimizer, run.step, more); });
  };
  Safetensors array, text;
  array.arrays.emplace("training.best", full_array({1}, 0));
  text.metadata["training.step"] = "mine";
  EXPECT_EQ(refusal(array),
            "training state: a name must not begin with training.; got training.best");
  EXPECT_EQ(refusal(text),
            "training state: a name must not begin with training.; got training.step");
  run.optimizer.learning_rate = -1;
  EXPECT_EQ(refusal({}),
            "training state: the learning rate must be finite and not negative; got -1");
  run.optimizer.learning_rate = 0.1;
  run.model.bias.mutable_grad();
  EXPECT_EQ(refusal({}),
            "training state: gradients are not saved, so they must have been used or cleared; bias "
            "has one");
  EXPECT_TRUE(folder.list().empty());
}

TEST(TrainingState, KeepsWhatHadNoUpdate) {
  const TempFolder folder;
  Learner some, other;
  some.model.bias.trainable = false;
  some.learn(2);
  save_training(folder / "t", some.optimizer, some.step);
  load_training(folder / "t", other.optimizer, other.step);
  EXPECT_EQ(other.optimizer.slots()[0].steps, 2U);
  EXPECT_EQ(other.optimizer.slots()[1].steps, 0U);
  EXPECT_TRUE(other.optimizer.slots()[1].state.empty());
}

std::string refusal(const std::filesystem::path& path) {
  Learner run;
  const Array old = run.model.weight.value();
  try {
    load_training(path, run.optimizer, run.step);
  } catch (const FileError& e) {
    EXPECT_EQ(run.model.weight.value(), old);
    EXPECT_EQ(run.step.step_number, 0U);
    return e.what();
  }
  return "none";
}

TEST(TrainingState, RefusesOtherFilesAndChangesNothing) {
  const TempFolder folder;
  const std::string path = folder / "t";
  Learner run;
  run.learn(1);
  const auto saved = [&] {
    save_training(path, run.optimizer, run.step);
    return load_safetensors(path);
  };
  Safetensors file = saved();
  file.metadata["training.step"] = "soon";
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path + ": training.step must be a number; found soon");

  file = saved();
  file.arrays.erase("training.value.weight");
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path +
                               ": training.value.weight is missing; this is no state of such a "
                               "training");
  file = saved();
  file.arrays["training.state0.bias"] = full_array({7}, 0);
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path + ": training.state0.bias must be [2]; found [7]");

  file = saved();
  file.arrays.erase("training.state1.bias");
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path +
                               ": optimizer: bias must have 2 arrays once it was updated; got 1 "
                               "after 1 updates");
  file = saved();
  file.arrays["training.value.more"] = full_array({1}, 0);
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path + ": training.value.more belongs to no parameter of this training");

  file = saved();
  file.metadata["training.seed"] = "7";
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path + ": training.seed must be this training's 1; found 7");
  file = saved();
  file.metadata["training.shards"] = "3";
  save_safetensors(path, file);
  EXPECT_EQ(refusal(path), path + ": training.shards must be this training's 2; found 3");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
