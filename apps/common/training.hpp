// The training loop of the apps: epochs of minibatches, the best of them, Ctrl-C and going on.
#pragma once

#include <reel/optim/train_step.hpp>
#include <reel/optim/weights.hpp>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace apps {

// What the command line says about training; an app changes the defaults before add_options.
struct TrainingOptions {
  std::size_t epochs = 10;
  std::size_t batch_size = 32;
  double learning_rate = 1e-3;      // at first
  std::string schedule = "linear";  // of the learning rate: linear or cosine, to 0; constant
  double clip = 5;                  // bound of the gradient's norm
  std::size_t patience = 0;         // epochs without a better score until it ends; 0: never
  std::uint64_t seed = 1;
  std::size_t shards = 2;   // into which a minibatch is cut; results depend on it
  std::size_t threads = 0;  // 0: as many as there are cores, at most the shards
  bool resume = false;
  std::filesystem::path folder;  // of the model
  std::string report;            // page to write; empty: none
  std::map<std::string, std::string>
      given;  // all options of the command that the result depends on

  // --model, --report, --resume, --epochs .. on a command, in groups of --help.
  void add_options(CLI::App& command);
  // Makes the folder, so that a bad one fails before the training, and takes down what was given.
  // Throws reel::Error unless all of it is UTF-8, reel::FileError unless model and page can be
  // written.
  void prepare(const CLI::App& command);
  std::filesystem::path state() const { return folder / "training.safetensors"; }
  // To be called when the model is saved, which it tells: a complete training needs no state.
  void model_saved(bool complete) const;
  void remove_state() const { std::filesystem::remove(state()); }
  // Keeps a state that is not gone on with under the name training.old.safetensors, and says so.
  void set_state_aside() const;
  reel::TrainStepOptions step() const {
    return {.shards = shards, .workers = threads, .clip_norm = clip, .seed = seed};
  }
};

struct Measure {
  std::string name;
  double value;
};
// An epoch, as it is printed, saved and plotted.
struct Epoch {
  std::size_t number;  // from 1
  double loss;         // mean while learning
  std::vector<Measure> measures;
  double rate;  // units per second, of the training so far
};

// What one app learns. A minibatch is a number below steps(epoch).
struct TrainingTask {
  std::string unit = "tokens";  // of work, for the rate and the time left
  std::size_t units = 0;        // in one epoch
  // Plans an epoch: the seed is its own. Returns the number of minibatches.
  std::function<std::size_t(std::uint64_t seed)> plan;
  struct Done {
    double loss;        // mean over
    double count;       // this many things
    std::size_t units;  // of work
  };
  // Learns from minibatch i of the epoch planned last.
  std::function<Done(std::size_t i)> step;
  // On what is kept for it, after each epoch; or null.
  std::function<std::vector<Measure>()> measure;
  // Which of the measures decides on the best epoch; empty: the last epoch is taken.
  std::string best_by;
  bool lower_is_better = true;
  // Arrays that go from minibatch to minibatch, such as a carried state; saved by name. `plan`
  // puts them back to the start.
  std::map<std::string, reel::Array*> carried;
};

// Examples that minibatches have as rows.
struct Rows {
  std::vector<std::size_t> units;         // of work in each
  std::vector<std::size_t> lengths = {};  // minibatches have similar ones; none: units
  std::vector<double> weights = {};       // in mean losses; none: units
};
// The mean loss of some rows, computed on several threads at once, each with its own `random`.
using RowsLoss = std::function<reel::Var(std::span<const std::size_t> some, reel::Random& random)>;

// Learns from some rows, dealt to the shards.
TrainingTask::Done learn_from(std::span<const std::size_t> some, const Rows& rows,
                              reel::TrainStep& step, const RowsLoss& loss);
// Lets a task learn from all of them: sets its units, plan and step. The step must outlive it.
void learn_rows(TrainingTask& task, Rows rows, std::size_t batch_size, reel::TrainStep& step,
                RowsLoss loss);

// Runs the epochs, printing a line after each. At its end the parameters are those of the best
// epoch. The state of all, from which --resume goes on to the same result as if nothing had
// happened, is in FOLDER/training.safetensors after each epoch and after Ctrl-C, which ends a
// training early. It stays until the model is saved (TrainingOptions::model_saved). The learning
// rate follows the share of the work that is done.
class Training {
 public:
  // All of these must outlive it; the parameters need names.
  Training(reel::Optimizer& optimizer, reel::TrainStep& step, const TrainingOptions& options);

  // False if it was interrupted. Throws reel::FileError if there is nothing to go on with, or it
  // was begun with other options. Without --resume, a state that is there is set aside.
  bool run(const TrainingTask& task);

  const std::vector<Epoch>& history() const { return history_; }
  std::size_t best_epoch() const { return best_epoch_; }  // 0: none was measured
  double seconds() const { return seconds_; }             // of learning, measuring included

 private:
  struct Position {
    std::size_t epoch = 1, minibatch = 0;
    double loss = 0, count = 0;  // sums of this epoch
    std::size_t units = 0;       // of the whole training
  };
  void save(const TrainingTask& task, const Position& at) const;
  Position load(const TrainingTask& task);
  double rate_at(double share) const;
  // Have all epochs been run before `at`, or `patience` of them in vain?
  bool complete(const Position& at) const;
  void end_epoch(const TrainingTask& task, const Position& at, double rate,
                 const std::string& left);

  reel::Optimizer& optimizer_;
  reel::TrainStep& step_;
  const TrainingOptions& options_;
  std::vector<Epoch> history_;
  std::size_t best_epoch_ = 0;
  double best_ = 0, seconds_ = 0;
  reel::NamedArrays best_weights_;
  std::map<std::string, reel::Array> waiting_;  // carried arrays, until the epoch is planned
};

class Report;
// Runs the task as Training does and adds it to the report; `model` describes what learns.
bool run_training(const TrainingTask& task, reel::Optimizer& optimizer, reel::TrainStep& step,
                  const TrainingOptions& options, Report& report, const std::string& model);

}  // namespace apps
