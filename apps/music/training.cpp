#include "training.hpp"

#include <reel/data/batches.hpp>

#include <array>
#include <cmath>

namespace music {

using namespace reel;

namespace {

constexpr std::size_t kMeasureBatch = 32;

std::size_t count_steps(const std::vector<PianoRoll>& rolls) {
  std::size_t steps = 0;
  for (const PianoRoll& roll : rolls) steps += roll.size();
  return steps;
}

std::vector<std::size_t> lengths_of(const std::vector<PianoRoll>& rolls) {
  std::vector<std::size_t> lengths;
  for (const PianoRoll& roll : rolls) lengths.push_back(roll.size());
  return lengths;
}

std::vector<const PianoRoll*> select(const std::vector<PianoRoll>& rolls,
                                     std::span<const std::size_t> rows) {
  std::vector<const PianoRoll*> some;
  for (const std::size_t row : rows) some.push_back(&rolls[row]);
  return some;
}

PianoRoll move_at_random(const PianoRoll& piece, int most, Random& random) {
  const auto [lowest, highest] = transposition_range(piece);
  const int down = std::max(lowest, -most), up = std::min(highest, most);
  const auto choice = random.below(static_cast<std::uint64_t>(up - down + 1));
  return reel::transpose(piece, down + static_cast<int>(choice));
}

// Of one key: how often it was silent and how often it sounded, after silence and after sound.
struct KeyCounts {
  double count[2][2] = {};  // [before][now]
};

std::array<KeyCounts, kPianoKeys> count_keys(const std::vector<PianoRoll>& rolls) {
  std::array<KeyCounts, kPianoKeys> counts{};
  for (const PianoRoll& roll : rolls) {
    std::array<bool, kPianoKeys> before{};
    for (const auto& step : roll) {
      std::array<bool, kPianoKeys> now{};
      for (const int pitch : step) now[static_cast<std::size_t>(pitch - kLowestPitch)] = true;
      for (std::size_t key = 0; key < kPianoKeys; ++key) ++counts[key].count[before[key]][now[key]];
      before = now;
    }
  }
  return counts;
}

// Nats for what was seen so often, told by how often it had been before (Laplace's estimate).
double nats(double silent, double sounding, double silent_before, double sounding_before) {
  const double all = silent_before + sounding_before + 2;
  return -silent * std::log((silent_before + 1) / all) -
         sounding * std::log((sounding_before + 1) / all);
}

}  // namespace

Score evaluate(const Model& model, const std::vector<PianoRoll>& rolls) {
  double all = 0, first = 0, told = 0, either = 0;
  for (const auto& rows : plan_batches(lengths_of(rolls), kMeasureBatch)) {
    const Batch batch = make_batch(select(rolls, rows));
    const Model::Result result = model(batch, nullptr);
    all += nll(result).item() * static_cast<double>(batch.steps());
    const auto pieces = static_cast<std::ptrdiff_t>(rows.size());  // which all have a first step
    first +=
        nll({slice(result.logits, 0, 0, pieces), slice(Var(result.keys), 0, 0, pieces).value()})
            .item() *
        static_cast<double>(pieces);
    const Array logits = result.logits.value();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const bool guess = logits.data()[i] > 0, truth = result.keys.data()[i] > 0;
      told += guess && truth;
      either += guess || truth;
    }
  }
  const auto steps = static_cast<double>(count_steps(rolls));
  const double later = steps - static_cast<double>(rolls.size());
  return {all / steps, later > 0 ? (all - first) / later : 0, either > 0 ? told / either : 1};
}

Baselines baselines(const std::vector<PianoRoll>& train, const std::vector<PianoRoll>& rolls) {
  const auto known = count_keys(train), seen = count_keys(rolls);
  Baselines sums{};
  for (std::size_t key = 0; key < kPianoKeys; ++key) {
    const auto& [k] = known[key];
    const auto& [s] = seen[key];
    sums.share += nats(s[0][0] + s[1][0], s[0][1] + s[1][1], k[0][0] + k[1][0], k[0][1] + k[1][1]);
    for (int before : {0, 1})
      sums.share_after_last += nats(s[before][0], s[before][1], k[before][0], k[before][1]);
  }
  const auto steps = static_cast<double>(count_steps(rolls));
  return {sums.share / steps, sums.share_after_last / steps};
}

bool train(Model& model, const PianoRolls& rolls, std::size_t transpose,
           const apps::TrainingOptions& options, apps::Report& report) {
  model.start_from(rolls.train, static_cast<int>(transpose));
  Adam optimizer(parameters(model), {.learning_rate = options.learning_rate});
  TrainStep step(optimizer, options.step());
  std::vector<PianoRoll> moved;
  BatchPlan batches;

  apps::TrainingTask task;
  task.unit = "steps";
  task.units = count_steps(rolls.train);
  task.plan = [&](std::uint64_t seed) {
    Random random(seed);
    moved.clear();
    for (const PianoRoll& piece : rolls.train)
      moved.push_back(move_at_random(piece, static_cast<int>(transpose), random));
    batches = plan_batches(lengths_of(moved), options.batch_size, {.seed = random.bits()});
    return batches.size();
  };
  const apps::Rows pieces{.units = lengths_of(rolls.train)};  // no move changes them
  const auto loss = [&](std::span<const std::size_t> some, Random& random) {
    return nll(model(make_batch(select(moved, some)), &random));
  };
  task.step = [&](std::size_t i) { return apps::learn_from(batches[i], pieces, step, loss); };
  task.measure = [&] {
    return std::vector<apps::Measure>{{"valid nll", evaluate(model, rolls.valid).nll}};
  };
  task.best_by = "valid nll";
  return apps::run_training(task, optimizer, step, options, report, describe(model));
}

}  // namespace music
