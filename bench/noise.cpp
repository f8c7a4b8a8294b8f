// reel-noise: what dropout, zoneout and DropConnect add to a training step.
#include <fmt/format.h>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/stack.hpp>

#include <CLI/CLI.hpp>
#include <iostream>

#include "command.hpp"
#include "duel.hpp"

namespace {

using namespace bench;

struct Noise {
  const char* name;
  reel::StackConfig config;
  std::size_t layers = 1;
};
const Noise kNoises[] = {
    {"inputs", {.recurrent = {.inputs = 0.3f}}},   {"states", {.recurrent = {.states = 0.3f}}},
    {"weights", {.recurrent = {.weights = 0.3f}}}, {"zoneout", {.recurrent = {.zoneout = {0.1f}}}},
    {"between layers", {.dropout = 0.3f}, 2},
};

// A training step, with what a Random brings or without.
template <class C>
class Step final : public Contestant {
 public:
  Step(const Case& what, const Noise& noise, bool noisy)
      : random_(1),
        x_(reel::uniform({what.steps, what.batch, what.input}, -1, 1, random_)),
        dy_(reel::uniform({what.steps, what.batch, what.hidden}, -1, 1, random_)),
        stack_(reel::make_stack<C>(what.input, std::vector<std::size_t>(noise.layers, what.hidden),
                                   random_, noisy ? noise.config : reel::StackConfig())) {}

  void run(std::size_t steps, std::vector<double>& ms) override {
    time_steps(steps, ms, [&] {
      x_.zero_grad();
      reel::for_each_parameter(stack_, [](const auto&, reel::Parameter& p) { p.zero_grad(); });
      reel::Tape tape;
      tape.backward(stack_(x_, {.random = &random_}).outputs, dy_);
    });
  }
  Answer answer() override { return {}; }

 private:
  reel::Random random_;
  reel::Parameter x_;
  reel::Array dy_;
  reel::Stack<reel::Recurrent<C>> stack_;
};

template <class C>
void compare(const Case& what, std::size_t runs) {
  for (const Noise& noise : kNoises) {
    Step<C> noisy(what, noise, true), plain(what, noise, false);
    const DuelResult result = duel({&noisy, &plain}, runs);
    std::cout << fmt::format(
                     "{:<5} {} {:<15} {:.2f} ms, plain {:.2f} ms, ratio {:.3f} ({:.3f}..{:.3f})",
                     what.cell.name, what.shape, noise.name, result.ms[0].median,
                     result.ms[1].median, result.ratio[1].median, result.ratio[1].low,
                     result.ratio[1].high)
              << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times training steps with dropout of every kind beside plain ones.", "reel-noise");
  app.option_defaults()->always_capture_default();
  std::vector<std::string> cells{"lstm", "gru", "rnn"}, shapes{"S1", "S2", "S3", "S4"};
  std::size_t runs = 15;
  app.add_option("--cell", cells, "lstm, gru, rnn")->check(CLI::IsMember({"lstm", "gru", "rnn"}));
  app.add_option("--shape", shapes, "S1 .. S5, or B,T,E,H");
  app.add_option("--runs", runs, "turns of some 20 ms, or one step")->check(CLI::Range(1, 100000));
  return run_command(app, argc, argv, [&] {
    for (const std::string& cell : cells)
      for (const std::string& shape : shapes) {
        const Case what = make_case(cell, shape);
        if (cell == "lstm") compare<reel::Lstm>(what, runs);
        if (cell == "gru") compare<reel::Gru>(what, runs);
        if (cell == "rnn") compare<reel::Rnn>(what, runs);
      }
  });
}
