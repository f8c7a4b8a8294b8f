#include "page.hpp"

#include <fmt/format.h>
#include <reel/autodiff/error.hpp>

#include <cmath>

#include "../common/interrupt.hpp"
#include "../common/progress.hpp"
#include "../common/report.hpp"
#include "outcomes.hpp"

namespace memory {
namespace {

using apps::Chart;
using apps::Series;

Series back_in_time(std::string name, const std::vector<double>& norms) {
  Series series{.name = std::move(name)};
  for (std::size_t back = 0; back < norms.size(); ++back) {
    series.x.push_back(static_cast<double>(back));
    series.y.push_back(norms[norms.size() - 1 - back]);
  }
  return series;
}

void gradients_by_radius(apps::Report& report, std::uint64_t seed) {
  report.heading("An RNN's gradient falls or grows geometrically");
  report.paragraph(
      "The gradient of a loss at the end of a sequence reaches the state t steps before it through "
      "t products with the recurrent matrix and with the slopes of tanh. Near the origin, where "
      "tanh is the identity, an orthogonal matrix scaled to the spectral radius r multiplies its "
      "norm by r at each step: it vanishes for r < 1, and explodes for r > 1 (Bengio et al. 1994, "
      "Pascanu et al. 2013). The straight lines of this logarithmic chart are that law, measured "
      "with inputs of deviation 0.001; the table has their slopes.");
  Chart chart{.title = "RNN: norm of dL/dh, relative to the last step's",
              .x_label = "steps back in time",
              .y_label = "norm",
              .log_y = true};
  std::vector<std::vector<std::string>> rows;
  for (const double radius : {0.8, 0.9, 1.0, 1.1, 1.2}) {
    const auto norms = gradient_norms({.cell = "rnn", .radius = radius},
                                      {.steps = 50, .input_scale = 1e-3, .seed = seed});
    chart.series.push_back(back_in_time(fmt::format("r = {}", radius), norms));
    rows.push_back({fmt::format("{}", radius), fmt::format("{:.4f}", factor_per_step(norms))});
    fmt::print("rnn with spectral radius {}: gradient x {:.4f} per step back\n", radius,
               factor_per_step(norms));
  }
  report.chart(chart);
  report.table({"spectral radius", "measured factor per step"}, rows);
}

void gradients_by_cell(apps::Report& report, std::uint64_t seed) {
  report.heading("What is added keeps its gradient");
  report.paragraph(
      "With inputs of deviation 1 the slopes of tanh are below 1, and the gradient of an RNN "
      "vanishes even with an orthogonal matrix. An LSTM's cell adds to what it holds instead of "
      "multiplying it anew: along it the gradient is multiplied by the forget gate alone. A forget "
      "gate that is open at the start (a bias of 3 to 5) lets it pass over hundreds of steps; one "
      "that starts half closed (a bias of 0) loses it as fast as an RNN does. GRU and SRU carry "
      "their state on in the same way, through the gate that keeps.");
  for (const std::size_t steps : {std::size_t{50}, std::size_t{200}, std::size_t{500}}) {
    Chart chart{.title = fmt::format("norm of the state's gradient over {} steps", steps),
                .x_label = "steps back in time",
                .y_label = "norm",
                .log_y = true};
    std::vector<std::pair<std::string, Start>> starts;
    for (const std::string& cell : kCells) starts.emplace_back(cell, Start{.cell = cell});
    starts.emplace_back("lstm, forget bias 0", Start{.cell = "lstm", .forget_bias = 0});
    starts.emplace_back("lstm, forget bias 5", Start{.cell = "lstm", .forget_bias = 5});
    starts.emplace_back("gru, update bias 5", Start{.cell = "gru", .forget_bias = 5});
    for (const auto& [name, start] : starts) {
      const auto norms = gradient_norms(start, {.steps = steps, .seed = seed});
      chart.series.push_back(back_in_time(name, norms));
      fmt::print("{} over {} steps: gradient x {:.4f} per step back\n", name, steps,
                 factor_per_step(norms));
    }
    report.chart(chart);
  }
}

// One network to be trained, and its name on the page.
struct Attempt {
  std::string name;
  Start start;
  LearningOptions options;
};

// Trains them all; false if interrupted.
bool try_all(apps::Report& report, Outcomes& outcomes, const std::string& title,
             const std::string& y_label, const std::vector<Attempt>& attempts,
             std::vector<std::vector<std::string>>& rows) {
  Chart chart{.title = title, .x_label = "updates", .y_label = y_label};
  for (const auto& [name, start, options] : attempts) {
    apps::Progress progress(options.most_steps, "steps");
    const auto watch = [&, &name = name](std::size_t step, double loss) {
      progress.advance(1, fmt::format("{}: step {}  loss {:.4f}", name, step, loss));
    };
    const Outcome outcome =
        outcomes.of(start, options, [&, &s = start, &o = options] { return learn(s, o, watch); });
    progress.clear();
    chart.series.push_back({.name = name, .x = outcome.at, .y = outcome.scores});
    rows.push_back({options.problem, std::to_string(options.length), name,
                    fmt::format("{} after {} updates", verdict(outcome), outcome.steps),
                    fmt::format("{:.4f}", outcome.scores.back())});
    fmt::print("{} {}: {} {} after {} steps, {:.4f}\n", options.problem, options.length, name,
               verdict(outcome), outcome.steps, outcome.scores.back());
    std::fflush(stdout);
    if (outcome.interrupted) break;
  }
  report.chart(chart);
  return !apps::interrupted();
}

// An RNN needs smaller steps.
constexpr double kRnnRate = 1e-3;

// Each cell as it starts best for this length.
std::vector<Attempt> cells_at(const LearningOptions& options) {
  std::vector<Attempt> attempts;
  for (const std::string& cell : kCells) {
    Start start{.cell = cell};
    LearningOptions own = options;
    if (cell == "rnn")
      own.learning_rate = kRnnRate;
    else
      start.chrono = options.length;
    attempts.push_back({cell, start, own});
  }
  return attempts;
}

// One thing changed at a time.
std::vector<Attempt> variations(const LearningOptions& options) {
  LearningOptions unclipped = options;
  unclipped.clip = 0;
  LearningOptions rnn = options, rnn_unclipped = unclipped;
  rnn.learning_rate = rnn_unclipped.learning_rate = kRnnRate;
  return {{"lstm, chrono start", {.cell = "lstm", .chrono = options.length}, options},
          {"the same without clipping", {.cell = "lstm", .chrono = options.length}, unclipped},
          {"forget bias 1", {.cell = "lstm"}, options},
          {"forget bias 0", {.cell = "lstm", .forget_bias = 0}, options},
          {"rnn, orthogonal start", {.cell = "rnn"}, rnn},
          {"rnn, uniform start", {.cell = "rnn", .orthogonal = false}, rnn},
          {"rnn, orthogonal, without clipping", {.cell = "rnn"}, rnn_unclipped}};
}

}  // namespace

const char* verdict(const Outcome& outcome) {
  if (outcome.solved) return "solved";
  if (outcome.diverged) return "diverged";
  return outcome.interrupted ? "interrupted" : "not solved";
}

bool write_page(const PageOptions& options) {
  apps::check_report(options.path);
  Outcomes outcomes(options.path + ".outcomes.json", options.resume);
  const apps::InterruptGuard guard;
  apps::Report report("How far back do recurrent networks remember?");
  gradients_by_radius(report, options.seed);
  gradients_by_cell(report, options.seed);

  std::vector<std::vector<std::string>> rows;
  bool complete = true;
  const auto problem = [&](const char* name, std::size_t length) {
    return LearningOptions{.problem = name,
                           .length = length,
                           .most_steps = options.most_steps,
                           .seed = options.seed,
                           .threads = options.threads};
  };
  report.heading("The adding problem: who learns at which length");
  report.paragraph(
      "Each step brings a number and a mark; after the last one the sum of the two marked numbers "
      "is asked for (Hochreiter & Schmidhuber 1997). Saying 1 always gives a mean squared error of "
      "0.167; below 0.01 it counts as solved. A network that cannot carry the gradient back to "
      "the marks stays at 0.167, however long it is trained. The gated cells start with gates open "
      "for as long as the sequence is (Tallec & Ollivier 2018) and learn at a rate of 0.01, the "
      "RNN, which larger steps throw off, at 0.001.");
  for (const std::size_t length : options.lengths)
    complete =
        complete && try_all(report, outcomes, fmt::format("adding problem, {} steps", length),
                            "mean squared error", cells_at(problem("adding", length)), rows);
  report.heading("The copy problem");
  report.paragraph(fmt::format(
      "{} symbols of {} are shown, then blanks, then a sign to say them again in order. Here it is "
      "not one number that must be kept but several, in their order, and the share of symbols said "
      "right is shown: guessing gives {:.3f}.",
      Copy::kItems, Copy::kSymbols, 1.0 / static_cast<double>(Copy::kSymbols)));
  for (const std::size_t delay : options.delays)
    complete =
        complete && try_all(report, outcomes, fmt::format("copy problem, delay {}", delay),
                            "share of symbols right", cells_at(problem("copy", delay)), rows);
  report.heading("What helps");
  report.paragraph(
      "Clipping bounds the step that an exploding gradient would make; it cannot bring back one "
      "that has vanished. A forget bias decides how long an LSTM's cell keeps what it holds before "
      "it has learned to. An orthogonal start keeps an RNN's gradient for as long as its states "
      "are small. All on the adding problem.");
  if (!options.lengths.empty())
    complete =
        complete &&
        try_all(report, outcomes, fmt::format("variations, {} steps", options.lengths.front()),
                "mean squared error", variations(problem("adding", options.lengths.front())), rows);
  report.heading("All results");
  report.table({"problem", "length", "network", "result", "last score"}, rows);
  report.write(options.path);
  if (complete) outcomes.remove_file();
  fmt::print("page written: {}\n", options.path);
  if (!complete && outcomes.count() == 0) fmt::print("interrupted before a network was done\n");
  if (!complete && outcomes.count() > 0)
    fmt::print("interrupted; the same command with --resume goes on after {} networks\n",
               outcomes.count());
  return complete;
}

}  // namespace memory
