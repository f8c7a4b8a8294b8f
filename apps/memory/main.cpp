// reel-memory: how far back recurrent networks remember, measured.
#include <fmt/format.h>

#include "../common/interrupt.hpp"
#include "../common/progress.hpp"
#include "../common/run.hpp"
#include "page.hpp"

namespace {

using namespace memory;

void add_start(CLI::App& command, Start& start) {
  apps::add_choice(command, "--cell", start.cell, kCells, "recurrent cell");
  apps::add_size(command, "--hidden", start.hidden_size, "width of the recurrent state");
  apps::add_number(command, "--radius", start.radius, 0.0, 1e3,
                   "spectral radius of an RNN's recurrent matrix");
  auto* bias = command.add_option("--forget-bias", start.forget_bias,
                                  "of the gate that keeps; otherwise 1 in an LSTM, 0 in others");
  command
      .add_option("--chrono", start.chrono,
                  "that bias drawn for sequences of this length (Tallec & Ollivier 2018)")
      ->excludes(bias);
  command.add_flag("!--uniform", start.orthogonal, "start as PyTorch does, not orthogonal");
}

int print_gradients(const Start& start, const GradientOptions& options) {
  const std::vector<double> norms = gradient_norms(start, options);
  fmt::print("steps back\tnorm of the gradient, of the last step's\n");
  for (std::size_t back = 0; back < norms.size(); back += back < 10 ? 1 : norms.size() / 20 + 1)
    fmt::print("{}\t{:.4e}\n", back, norms[norms.size() - 1 - back]);
  fmt::print("factor per step\t{:.4f}\n", factor_per_step(norms));
  return 0;
}

int print_learning(const Start& start, const LearningOptions& options) {
  const apps::InterruptGuard guard;
  apps::Progress progress(options.most_steps, "steps");
  const Outcome outcome = learn(start, options, [&](std::size_t step, double loss) {
    progress.advance(1, fmt::format("step {}  loss {:.4f}", step, loss));
  });
  progress.clear();
  fmt::print("step\t{}\n", options.problem == "adding" ? "mean squared error" : "share right");
  for (std::size_t i = 0; i < outcome.at.size(); ++i)
    fmt::print("{:.0f}\t{:.4f}\n", outcome.at[i], outcome.scores[i]);
  fmt::print("{} after {} steps\n", verdict(outcome), outcome.steps);
  return outcome.interrupted ? apps::kInterrupted : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures vanishing and exploding gradients, and what cells learn to remember.",
               "reel-memory");
  app.require_subcommand(1);
  int result = 0;

  Start start;
  GradientOptions gradients;
  CLI::App* command = app.add_subcommand("gradients", "how the gradient changes back in time");
  add_start(*command, start);
  apps::add_size(*command, "--steps", gradients.steps, "of the sequence", 2);
  apps::add_number(*command, "--inputs", gradients.input_scale, 0.0, 1e9,
                   "standard deviation of the inputs");
  command->add_option("--seed", gradients.seed, "of weights and inputs")->capture_default_str();
  command->callback([&] { result = print_gradients(start, gradients); });

  LearningOptions learning;
  for (const char* problem : {"adding", "copy"}) {
    command = app.add_subcommand(problem, fmt::format("learn the {} problem", problem));
    add_start(*command, start);
    apps::add_size(*command, "--length", learning.length,
                   "steps of the adding problem, delay of the copy problem", 2);
    apps::add_size(*command, "--steps", learning.most_steps, "updates until it is given up");
    apps::add_size(*command, "--batch", learning.batch_size, "sequences in an update");
    apps::add_number(*command, "--rate", learning.learning_rate, 1e-9, 1e9, "Adam's learning rate");
    apps::add_number(*command, "--clip", learning.clip, 0.0, 1e9,
                     "bound of the gradient's norm; 0: none");
    command->add_option("--seed", learning.seed, "of weights and data")->capture_default_str();
    apps::add_number(*command, "--threads", learning.threads, std::size_t{0}, std::size_t{1024},
                     "0: all cores; the result is the same for any number");
    command->callback([&, problem] {
      learning.problem = problem;
      result = print_learning(start, learning);
    });
  }

  PageOptions page;
  command = app.add_subcommand("train", "run all experiments and write the page about them");
  command->add_option("--report", page.path, "page to write")->required();
  command->add_flag("--resume", page.resume, "go on with a page that was interrupted");
  apps::add_size(*command, "--steps", page.most_steps, "updates until a network is given up");
  command->add_option("--lengths", page.lengths, "of the adding problem")->capture_default_str();
  command->add_option("--delays", page.delays, "of the copy problem")->capture_default_str();
  command->add_option("--seed", page.seed, "of weights and data")->capture_default_str();
  apps::add_number(*command, "--threads", page.threads, std::size_t{0}, std::size_t{1024},
                   "0: all cores; the result is the same for any number");
  command->callback([&] { result = write_page(page) ? 0 : apps::kInterrupted; });

  return apps::run(app, argc, argv, result);
}
