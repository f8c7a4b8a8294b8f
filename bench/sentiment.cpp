// reel-bench-sentiment: training of the sentiment app's model on the bundled reviews, beside the
// same model, batches and optimiser in PyTorch.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

#include "../apps/sentiment/training.hpp"
#include "command.hpp"
#include "duel.hpp"
#include "subprocess.hpp"

namespace {

using namespace sentiment;
constexpr double kRate = 1e-3;

// Trains on `count` batches from number `first` on, which wraps, and says how long it took.
struct Racer {
  std::string name;
  bool peer;
  std::function<double(std::size_t first, std::size_t count)> run;
  std::vector<double> seconds;  // of each turn
};

struct Data {
  Task task;
  reel::BatchPlan plan;
  TrainOptions options;

  std::size_t tokens(std::size_t first, std::size_t count) const {
    std::size_t tokens = 0;
    for (std::size_t i = first; i < first + count; ++i)
      for (std::size_t row : plan[i % plan.size()]) tokens += task.train.sequences[row].size();
    return tokens;
  }
};

Data read_data() {
  const std::string folder = REEL_BENCH_DIR "/../apps/sentiment/mr/rt-polarity.";
  const reel::Corpus corpus = reel::read_class_files({folder + "neg", folder + "pos"});
  const reel::Split split = reel::stratified_split(reel::labels_of(corpus), 0.1, 1);
  Data data{prepare(corpus, split, {}, {.dev_share = 0}, 1), {}, {}};
  std::vector<std::size_t> lengths;
  for (const auto& sequence : data.task.train.sequences) lengths.push_back(sequence.size());
  data.plan = reel::plan_batches(lengths, data.options.batch_size, {.seed = 1});
  return data;
}

double first_loss(const Data& data) {
  const reel::Batch batch = reel::make_batch(data.task.train.sequences, data.plan[0]);
  return loss_of(data.task.classifier.model(batch, nullptr), batch, data.task.train).item();
}

Racer reel_racer(const Data& data, std::size_t threads) {
  auto classifier = std::make_shared<Classifier>(data.task.classifier);
  TrainOptions options = data.options;
  options.threads = threads;
  options.learning_rate = kRate;
  auto trainer = std::make_shared<Trainer>(*classifier, data.task.train, options);
  return {fmt::format("reel, {} thread{}", threads, threads == 1 ? "" : "s"),
          false,
          [&data, classifier, trainer](std::size_t first, std::size_t count) {
            const auto start = std::chrono::steady_clock::now();
            for (std::size_t i = first; i < first + count; ++i)
              trainer->step(data.plan[i % data.plan.size()]);
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
          },
          {}};
}

void send_batches(bench::Subprocess& process, const Data& data) {
  const auto send = [&](const auto& numbers) {
    process.write(numbers.data(), numbers.size() * sizeof(*numbers.data()));
  };
  send(std::vector<std::int64_t>{static_cast<std::int64_t>(data.plan.size())});
  for (const auto& rows : data.plan) {
    const reel::Batch batch = reel::make_batch(data.task.train.sequences, rows);
    send(std::vector<std::int64_t>(batch.tokens.shape().begin(), batch.tokens.shape().end()));
    send(std::vector<std::int64_t>(batch.lengths.begin(), batch.lengths.end()));
    send(batch.tokens);
    send(targets(batch, data.task.train));
  }
  Classifier classifier = data.task.classifier;
  for (const reel::Parameter* p : reel::parameters(classifier.model)) {
    send(p->value());
    if (p->merged_bias) send(reel::full_array(p->shape(), 0));
  }
}

Racer torch_racer(const Data& data, const std::string& python, const std::string& form,
                  const std::string& adam, std::size_t threads) {
  const Settings& s = data.task.classifier.settings;
  auto process = std::make_shared<bench::Subprocess>(std::vector<std::string>{
      python, REEL_BENCH_DIR "/sentiment_torch.py", form, adam, std::to_string(threads),
      std::to_string(data.task.classifier.vocabulary.size()), std::to_string(s.embedding_size),
      std::to_string(s.hidden_size), std::to_string(s.dropout),
      std::to_string(data.options.word_dropout), std::to_string(data.options.clip)});
  if (const std::string said = process->read_line(); said != "ready")
    throw std::runtime_error(said);
  send_batches(*process, data);
  process->write_line("loss");
  const double theirs = std::stod(process->read_line()), ours = first_loss(data);
  if (!(std::abs(theirs - ours) < 1e-5))
    throw std::runtime_error(
        fmt::format("PyTorch computes something else: loss {} instead of {}", theirs, ours));
  return {fmt::format("PyTorch, {}, {} Adam, {} thread{}", form, adam, threads,
                      threads == 1 ? "" : "s"),
          true,
          [process](std::size_t first, std::size_t count) {
            process->write_line(fmt::format("step {} {} {}", first, count, kRate));
            return std::stod(process->read_line());
          },
          {}};
}

// One line for each, and how the last reel compares with the best PyTorch.
void report(const Data& data, const std::vector<Racer>& racers, std::size_t batches,
            const std::vector<std::size_t>& tokens) {
  const Racer *ours = nullptr, *best = nullptr;
  double best_seconds = 0;
  for (const Racer& racer : racers) {
    const bench::Sample s = bench::summary(racer.seconds);
    std::vector<double> rates;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      rates.push_back(static_cast<double>(tokens[i]) / racer.seconds[i]);
    fmt::print("{:<40} {:7.2f} ms/step ({:.2f}..{:.2f}) {:6.0f} texts/s {:7.0f} tokens/s\n",
               racer.name, 1e3 * s.median / static_cast<double>(batches),
               1e3 * s.low / static_cast<double>(batches),
               1e3 * s.high / static_cast<double>(batches),
               static_cast<double>(batches * data.options.batch_size) / s.median,
               bench::summary(rates).median);
    if (!racer.peer) ours = &racer;
    if (racer.peer && (!best || s.median < best_seconds)) best = &racer, best_seconds = s.median;
  }
  if (!ours || !best) return;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    ratios.push_back(best->seconds[i] / ours->seconds[i]);
  const bench::Sample ratio = bench::summary(ratios);
  fmt::print("{} is {:.2f} ({:.2f}..{:.2f}) times as fast as {}\n", ours->name, ratio.median,
             ratio.low, ratio.high, best->name);
}

void run(std::size_t threads, std::size_t turns, std::size_t batches, const std::string& python) {
  const Data data = read_data();
  std::vector<std::size_t> counts{1};
  if (threads > 1) counts.push_back(threads);
  std::vector<Racer> racers;
  for (std::size_t count : counts) {
    for (const char* form : {"packed", "padded"})
      for (const char* adam : {"loop", "foreach"})
        racers.push_back(torch_racer(data, python, form, adam, count));
    racers.push_back(reel_racer(data, count));
  }
  for (Racer& racer : racers) racer.run(0, 5);
  std::vector<std::size_t> tokens;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (Racer& racer : racers) {
      // Until the threads of the one before have stopped spinning.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      racer.seconds.push_back(racer.run(turn * batches, batches));
    }
    tokens.push_back(data.tokens(turn * batches, batches));
  }
  report(data, racers, batches, tokens);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the sentiment model in reel and in PyTorch, in turns.",
               "reel-bench-sentiment");
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency()), turns = 15, batches = 20;
  std::string python = "/usr/bin/python3";
  app.add_option("--threads", threads, "most threads; one is measured too")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--turns", turns, "of each")->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--batches", batches, "steps in a turn")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--python", python, "the Python that has PyTorch")->capture_default_str();
  return bench::run_command(app, argc, argv, [&] { run(threads, turns, batches, python); });
}
