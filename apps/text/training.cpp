#include "training.hpp"

#include <cmath>

#include "../common/progress.hpp"

namespace text {

using namespace reel;

namespace {

constexpr std::size_t kMeasuredLanes = 32;

std::string unit_of(const LanguageModel& lm) {
  return lm.settings.level == "word" ? "words" : "characters";
}

// A state as arrays, which may go from thread to thread and into files.
using Carried = std::vector<Array>;
Model::State to_state(const Carried& arrays) { return {arrays.begin(), arrays.end()}; }
void put(const Model::State& state, Carried& arrays) {
  for (std::size_t i = 0; i < state.size(); ++i) arrays[i] = state[i].value();
}

}  // namespace

std::vector<std::string> read_tokens(const std::filesystem::path& path, const Settings& settings) {
  const std::string bytes = read_file(path), source = path.string();
  if (const std::size_t at = find_invalid_utf8(bytes); at != bytes.npos)
    throw FileError(
        fmt::format("{}:{}: text must be UTF-8; found byte {:#04x}", source,
                    1 + std::count(bytes.begin(), bytes.begin() + std::ptrdiff_t(at), '\n'),
                    static_cast<unsigned char>(bytes[at])));
  std::vector<std::string> tokens = split_text(bytes, settings);
  check<FileError>(tokens.size() > 1, "{}: there must be two tokens; found {}", source,
                   tokens.size());
  return tokens;
}

Parts cut(std::vector<std::string> tokens, const SplitOptions& options, const std::string& source) {
  const auto share = [&](double part) {
    return static_cast<std::ptrdiff_t>(part * static_cast<double>(tokens.size()));
  };
  const auto test = tokens.end() - share(options.held_out), dev = test - share(options.dev_share);
  Parts parts{{tokens.begin(), dev}, {dev, test}, {test, tokens.end()}};
  check<FileError>(parts.train.size() > 1 && (parts.dev.size() > 1 || options.dev_share == 0) &&
                       (parts.held_out.size() > 1 || options.held_out == 0),
                   "{}: each part of the text must have two tokens; found {} in all", source,
                   tokens.size());
  return parts;
}

double measure(const LanguageModel& lm, const std::vector<std::int64_t>& tokens,
               std::size_t lane_count) {
  const Lanes lanes(tokens, std::clamp<std::size_t>(lane_count, 1, tokens.size() - 1), 64);
  Model::State state;
  double sum = 0;
  for (std::size_t i = 0; i < lanes.windows(); ++i) {
    const Lanes::Window window = lanes.window(i);
    const Var h = lm.model(window.inputs, state, nullptr);
    sum += lm.model.loss(h, window.targets).item() * static_cast<double>(window.count);
  }
  return sum / static_cast<double>(lanes.targets());
}

double measure_adapting(LanguageModel& lm, const std::vector<std::int64_t>& tokens,
                        const Adapting& options) {
  const Lanes lanes(tokens, 1, options.window);
  Adam optimizer(parameters(lm.model), {.learning_rate = options.rate});
  Model::State state;
  double sum = 0;
  apps::Progress progress(lanes.targets(), unit_of(lm));
  for (std::size_t i = 0; i < lanes.windows(); ++i) {
    Tape tape;
    const Lanes::Window window = lanes.window(i);
    const Var loss = lm.model.loss(lm.model(window.inputs, state, nullptr), window.targets);
    sum += loss.item() * static_cast<double>(window.count);
    tape.backward(loss);
    optimizer.step();
    for (Var& part : state) part = detach(part);
    progress.advance(window.count, "");
  }
  progress.clear();
  return sum / static_cast<double>(lanes.targets());
}

std::vector<std::pair<std::string, double>> surprises(const LanguageModel& lm,
                                                      const std::vector<std::int64_t>& tokens) {
  const Lanes lanes(tokens, 1, tokens.size());
  const Lanes::Window window = lanes.window(0);
  Model::State state;
  const Var h = lm.model(window.inputs, state, nullptr);
  const Array log_p = pick(lm.model.log_probabilities(h), window.targets).value();
  const double average = measure(lm, tokens, 1);
  std::vector<std::pair<std::string, double>> all;
  for (std::size_t i = 0; i < log_p.size(); ++i) {
    const double share = -static_cast<double>(log_p.data()[i]) / average;
    const std::string& token = lm.vocabulary.token(window.targets.data()[i]);
    all.emplace_back(token == "\n" ? "\u21b5" : token, std::clamp(1 - share, -1.0, 1.0));
  }
  return all;
}

bool train(LanguageModel& lm, const std::vector<std::int64_t>& tokens,
           const std::vector<std::int64_t>& dev, const TrainOptions& options,
           apps::Report& report) {
  const Lanes lanes(tokens, std::min(options.batch_size, tokens.size() - 1), options.window);
  Adam optimizer(parameters(lm.model), {.learning_rate = options.learning_rate});
  TrainStep step(optimizer, options.step());
  Model::State example;
  lm.model(lanes.window(0, 0, 1).inputs, example, nullptr);
  std::vector<Carried> states(options.shards, Carried(example.size()));  // of each shard

  apps::TrainingTask task;
  task.unit = unit_of(lm);
  task.units = lanes.targets();
  for (std::size_t s = 0; s < options.shards; ++s)
    for (std::size_t i = 0; i < example.size(); ++i)
      task.carried[fmt::format("{}.{}", s, i)] = &states[s][i];
  task.plan = [&](std::uint64_t) { return lanes.windows(); };
  task.step = [&](std::size_t i) -> apps::TrainingTask::Done {
    const std::size_t all = lanes.window(i).count;
    const double loss = step(lanes.lanes(), [&](Shard& shard) {
      const Lanes::Window window = lanes.window(i, shard.begin, shard.end);
      Model::State state = i == 0 ? Model::State() : to_state(states[shard.index]);
      const Var h = lm.model(window.inputs, state, &shard.random);
      put(state, states[shard.index]);
      shard.weight = static_cast<double>(window.count) / static_cast<double>(all);
      return lm.model.loss(h, window.targets);
    });
    return {loss, static_cast<double>(all), all};
  };
  if (!dev.empty()) {
    task.measure = [&]() -> std::vector<apps::Measure> {
      const double nats = measure(lm, dev, kMeasuredLanes);
      return {{"dev loss", nats}, {"dev perplexity", std::exp(nats)}};
    };
    task.best_by = "dev loss";
  }
  return apps::run_training(task, optimizer, step, options, report, describe(lm.model));
}

}  // namespace text
