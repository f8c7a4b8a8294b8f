#include "training.hpp"

#include <fmt/format.h>
#include <reel/data/batches.hpp>
#include <reel/data/file.hpp>
#include <reel/data/text.hpp>
#include <reel/optim/training_state.hpp>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "interrupt.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "run.hpp"

namespace apps {
namespace {

constexpr const char* kBest = "best.";
constexpr const char* kCarried = "carried.";
constexpr const char* kProgress = "progress";

// JSON has no numbers that are not finite: these are written as text.
nlohmann::json to_json(double number) {
  if (std::isfinite(number)) return number;
  return std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
}
double to_number(const nlohmann::json& json) {
  return json.is_string() ? std::strtod(json.get<std::string>().c_str(), nullptr)
                          : json.get<double>();
}

nlohmann::json to_json(const Epoch& epoch) {
  nlohmann::json measures = nlohmann::json::array();
  for (const Measure& m : epoch.measures) measures.push_back({m.name, to_json(m.value)});
  return {{"number", epoch.number},
          {"loss", to_json(epoch.loss)},
          {"measures", measures},
          {"rate", to_json(epoch.rate)}};
}

Epoch to_epoch(const nlohmann::json& json) {
  Epoch epoch{json.at("number"), to_number(json.at("loss")), {}, to_number(json.at("rate"))};
  for (const auto& m : json.at("measures")) epoch.measures.push_back({m.at(0), to_number(m.at(1))});
  return epoch;
}

double value_of(const std::vector<Measure>& measures, const std::string& name) {
  for (const Measure& m : measures)
    if (m.name == name) return m.value;
  throw reel::Error("training: nothing measured is called " + name);
}

}  // namespace

void TrainingOptions::add_options(CLI::App& command) {
  command.add_option("--model", folder, "folder to save the model in")->required();
  command.add_option("--report", report, "page to write: curves, settings, examples");
  command.add_flag("--resume", resume, "go on with a training that was interrupted");
  add_size(command, "--epochs", epochs, "passes over the data");
  add_size(command, "--batch", batch_size, "examples in a step");
  add_number(command, "--rate", learning_rate, 1e-9, 1e9, "learning rate at first");
  add_choice(command, "--schedule", schedule, {"linear", "cosine", "constant"},
             "how the learning rate falls");
  add_number(command, "--clip", clip, 1e-9, 1e9, "bound of the gradient's norm");
  add_size(command, "--patience", patience, "epochs without a better score until it ends; 0: never",
           0);
  command.add_option("--seed", seed, "of the weights, the order and the dropout")
      ->capture_default_str();
  add_number(command, "--threads", threads, std::size_t{0}, std::size_t{1024},
             "0: all cores; the result is the same for any number");
}

void TrainingOptions::prepare(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (name == "--help" || name == "--resume" || name == "--report" || name == "--threads" ||
        name == "--model")
      continue;
    std::string value;
    for (const std::string& one : option->results()) value += (value.empty() ? "" : " ") + one;
    if (option->count() == 0) value = option->get_default_str();
    reel::check_utf8<reel::Error>(value, name);
    if (!value.empty()) given[name] = value;
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  reel::check<reel::FileError>(!error, "--model: {} must be a folder or the name of a new one; {}",
                               folder.string(), error.message());
  reel::check_writable(state());
  check_report(report);  // which may be in the folder
}

void TrainingOptions::model_saved(bool complete) const {
  if (complete) remove_state();
  fmt::print("model saved in {}\n", folder.string());
}

void TrainingOptions::set_state_aside() const {
  if (!std::filesystem::exists(state())) return;
  const std::filesystem::path aside = folder / "training.old.safetensors";
  std::filesystem::rename(state(), aside);
  fmt::print("an interrupted training was there, which --resume would have gone on with; now {}\n",
             aside.string());
}

TrainingTask::Done learn_from(std::span<const std::size_t> some, const Rows& rows,
                              reel::TrainStep& step, const RowsLoss& loss) {
  std::size_t units = 0;
  for (const std::size_t row : some) units += rows.units[row];
  const auto weight_of = [&](std::span<const std::size_t> part) {
    double weight = 0;
    for (const std::size_t row : part)
      weight += rows.weights.empty() ? static_cast<double>(rows.units[row]) : rows.weights[row];
    return weight;
  };
  const std::vector<std::size_t> dealt = reel::deal(some, step.shards());
  const double weight = weight_of(dealt);
  const double mean = step(dealt.size(), [&](reel::Shard& shard) {
    const auto part = std::span(dealt).subspan(shard.begin, shard.rows());
    shard.weight = weight_of(part) / weight;
    return loss(part, shard.random);
  });
  return {mean, weight, units};
}

void learn_rows(TrainingTask& task, Rows rows, std::size_t batch_size, reel::TrainStep& step,
                RowsLoss loss) {
  task.units = std::accumulate(rows.units.begin(), rows.units.end(), std::size_t{0});
  if (rows.lengths.empty()) rows.lengths = rows.units;
  const auto batches = std::make_shared<reel::BatchPlan>();
  task.plan = [batches, batch_size, lengths = std::move(rows.lengths)](std::uint64_t seed) {
    *batches = reel::plan_batches(lengths, batch_size, {.seed = seed});
    return batches->size();
  };
  task.step = [batches, &step, rows = std::move(rows), loss = std::move(loss)](std::size_t i) {
    return learn_from((*batches)[i], rows, step, loss);
  };
}

Training::Training(reel::Optimizer& optimizer, reel::TrainStep& step,
                   const TrainingOptions& options)
    : optimizer_(optimizer), step_(step), options_(options) {}

double Training::rate_at(double share) const {
  const double left = 1 - std::min(share, 1.0);
  if (options_.schedule == "linear") return options_.learning_rate * left;
  if (options_.schedule == "cosine")
    return options_.learning_rate * (1 - std::cos(std::numbers::pi * left)) / 2;
  return options_.learning_rate;
}

void Training::save(const TrainingTask& task, const Position& at) const {
  reel::Safetensors more;
  for (const auto& [name, array] : best_weights_) more.arrays.emplace(kBest + name, array);
  for (const auto& [name, array] : task.carried)
    if (at.minibatch > 0 && array->size() > 0) more.arrays.emplace(kCarried + name, *array);
  nlohmann::json progress = {
      {"given", options_.given},   {"epoch", at.epoch},      {"minibatch", at.minibatch},
      {"loss", to_json(at.loss)},  {"count", at.count},      {"units", at.units},
      {"best_epoch", best_epoch_}, {"best", to_json(best_)}, {"seconds", seconds_}};
  for (const Epoch& epoch : history_) progress["history"].push_back(to_json(epoch));
  more.metadata[kProgress] = progress.dump();
  save_training(options_.state(), optimizer_, step_, std::move(more));
}

auto Training::load(const TrainingTask& task) -> Position {
  const std::string source = options_.state();
  reel::check<reel::FileError>(std::filesystem::exists(source),
                               "{}: not there, so there is nothing to go on with", source);
  reel::Safetensors more;
  Position at;
  try {
    const auto progress = nlohmann::json::parse(reel::load_safetensors(source).metadata[kProgress]);
    std::map<std::string, std::string> given = progress.at("given");
    for (const auto& [name, value] : options_.given) given.try_emplace(name);
    for (const auto& [name, value] : given) {
      const auto now = options_.given.find(name);
      const std::string chosen = now == options_.given.end() ? "" : now->second;
      reel::check<reel::FileError>(value == chosen, "{}: was begun with {} '{}', which is '{}' now",
                                   source, name, value, chosen);
    }
    more = load_training(source, optimizer_, step_);
    at = {progress.at("epoch"), progress.at("minibatch"), to_number(progress.at("loss")),
          progress.at("count"), progress.at("units")};
    best_epoch_ = progress.at("best_epoch");
    best_ = to_number(progress.at("best"));
    seconds_ = progress.at("seconds");
    if (progress.contains("history"))
      for (const auto& epoch : progress["history"]) history_.push_back(to_epoch(epoch));
  } catch (const nlohmann::json::exception& e) {
    throw reel::FileError(source + ": this is no state of such a training; " + e.what());
  }
  for (auto& [name, array] : more.arrays) {
    if (name.starts_with(kBest)) {
      best_weights_[name.substr(5)] = std::move(array);
    } else if (name.starts_with(kCarried)) {
      reel::check<reel::FileError>(task.carried.contains(name.substr(8)), "{}: {} is not known",
                                   source, name);
      waiting_[name.substr(8)] = std::move(array);
    }
  }
  return at;
}

bool Training::complete(const Position& at) const {
  const bool in_vain = best_epoch_ > 0 && options_.patience > 0;
  return at.epoch > options_.epochs || (in_vain && at.epoch > best_epoch_ + options_.patience);
}

void Training::end_epoch(const TrainingTask& task, const Position& at, double rate,
                         const std::string& left) {
  Epoch& epoch =
      history_.emplace_back(Epoch{at.epoch, at.count > 0 ? at.loss / at.count : 0, {}, rate});
  std::string line =
      fmt::format("epoch {}/{}  loss {:.6f}", epoch.number, options_.epochs, epoch.loss);
  if (task.measure) epoch.measures = task.measure();
  for (const Measure& m : epoch.measures) line += fmt::format("  {} {:.4f}", m.name, m.value);
  bool better = false;
  if (!task.best_by.empty() && !epoch.measures.empty()) {
    const double now = value_of(epoch.measures, task.best_by);
    better =
        best_epoch_ == 0 || std::isnan(best_) || (task.lower_is_better ? now < best_ : now > best_);
    if (better) {
      best_ = now;
      best_epoch_ = at.epoch;
      best_weights_ = reel::export_weights(optimizer_.parameters());
    }
  }
  fmt::print("{}{}  {:.0f} {}/s  left {}\n", line, better ? " *" : "", rate, task.unit, left);
  std::fflush(stdout);
}

bool Training::run(const TrainingTask& task) {
  Position at;
  if (options_.resume)
    at = load(task);
  else
    options_.set_state_aside();
  const InterruptGuard guard;
  Progress progress(options_.epochs * task.units, task.unit);
  progress.start_at(at.units);
  const double before = seconds_;
  reel::Random random(options_.seed);
  for (std::size_t epoch = 1; epoch < at.epoch; ++epoch) random.bits();

  while (!complete(at) && !interrupted()) {
    const std::size_t steps = task.plan(random.bits());
    for (auto& [name, array] : std::exchange(waiting_, {}))
      *task.carried.at(name) = std::move(array);
    for (; at.minibatch < steps && !interrupted(); ++at.minibatch) {
      optimizer_.learning_rate = rate_at(progress.share());
      const TrainingTask::Done done = task.step(at.minibatch);
      at.loss += done.loss * done.count;
      at.count += done.count;
      at.units += done.units;
      progress.advance(done.units, fmt::format("epoch {}/{}  loss {:.4f}", at.epoch,
                                               options_.epochs, at.loss / at.count));
    }
    progress.clear();
    if (at.minibatch < steps) break;
    end_epoch(task, at, progress.rate(), progress.left());
    seconds_ = before + progress.seconds();
    at = {at.epoch + 1, 0, 0, 0, at.units};
    save(task, at);
  }
  seconds_ = before + progress.seconds();
  const bool done = complete(at);
  if (!done) save(task, at);
  if (!best_weights_.empty()) {
    reel::import_weights(optimizer_.parameters(), best_weights_, "best epoch");
    fmt::print("best epoch: {}\n", best_epoch_);
  }
  if (!done)
    fmt::print("interrupted; the same command with --resume goes on from epoch {}, step {}\n",
               at.epoch, at.minibatch + 1);
  return done;
}

bool run_training(const TrainingTask& task, reel::Optimizer& optimizer, reel::TrainStep& step,
                  const TrainingOptions& options, Report& report, const std::string& model) {
  Training training(optimizer, step, options);
  const bool complete = training.run(task);
  report.training(options, training, task.unit, model);
  return complete;
}

}  // namespace apps
