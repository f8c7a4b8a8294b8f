// Where training stood, in one file, so that it goes on to the same bits as if it had not stopped.
#pragma once

#include <reel/data/safetensors.hpp>
#include <reel/optim/train_step.hpp>

#include <filesystem>

namespace reel::inline REEL_PRECISION {

// Saves the values of the optimiser's parameters, which must have names, what it keeps for them,
// its learning rate, and the step's number, seed and shards, with arrays and metadata of the
// caller's, whose names do not begin with "training.". The file is replaced whole. Throws Error if
// a name is missing, there twice or not allowed, or if a parameter has a gradient, which would be
// lost; FileError.
void save_training(const std::filesystem::path& path, const Optimizer& optimizer,
                   const TrainStep& step, Safetensors more = {});

// Puts all this back, clears the gradients, and returns the caller's part. Throws FileError,
// changing nothing, if the file is none of save_training's, or one of other parameters or of a step
// with another seed or number of shards.
Safetensors load_training(const std::filesystem::path& path, Optimizer& optimizer, TrainStep& step);

}  // namespace reel::inline REEL_PRECISION
