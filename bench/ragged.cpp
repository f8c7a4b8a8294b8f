// reel-ragged: does a batch of different lengths cost what its steps cost?
#include <fmt/format.h>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/recurrent.hpp>

#include <CLI/CLI.hpp>
#include <iostream>
#include <numeric>

#include "command.hpp"
#include "duel.hpp"

namespace {

using namespace bench;
using Lengths = std::vector<std::size_t>;

// A training step on rows of these lengths.
template <class C>
class Step final : public Contestant {
 public:
  Step(const Case& what, const Lengths& lengths)
      : random_(1),
        x_(reel::uniform({what.steps, what.batch, what.input}, -1, 1, random_)),
        dy_(reel::uniform({what.steps, what.batch, what.hidden}, -1, 1, random_)),
        layer_(C(what.input, what.hidden, random_)),
        lengths_(lengths) {}

  void run(std::size_t steps, std::vector<double>& ms) override {
    time_steps(steps, ms, [&] {
      x_.zero_grad();
      for (reel::Parameter* p : reel::parameters(layer_)) p->zero_grad();
      reel::Tape tape;
      tape.backward(layer_(x_, {.lengths = lengths_}).outputs, dy_);
    });
  }
  Answer answer() override { return {}; }

 private:
  reel::Random random_;
  reel::Parameter x_;
  reel::Array dy_;
  reel::Recurrent<C> layer_;
  Lengths lengths_;
};

template <class C>
void compare(const Case& what, std::size_t runs) {
  reel::Random random(7);
  Lengths ragged(what.batch);
  for (std::size_t& length : ragged) length = 1 + random.below(what.steps);
  const double share = static_cast<double>(std::accumulate(ragged.begin(), ragged.end(), 0.0)) /
                       static_cast<double>(what.batch * what.steps);
  Step<C> some(what, ragged), all(what, Lengths(what.batch, what.steps));
  const DuelResult result = duel({&some, &all}, runs);
  const double ratio = result.ratio[1].median;
  std::cout << fmt::format(
                   "{:<5} {}: lengths 1 .. T {:.2f} ms, all T {:.2f} ms, ratio {:.3f}; sum of "
                   "lengths {:.3f}; quotient {:.3f}",
                   what.cell.name, what.shape, result.ms[0].median, result.ms[1].median, ratio,
                   share, ratio / share)
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Times training steps on rows of lengths drawn from 1 .. T beside rows of length T; the\n"
      "quotient of their times' ratio and their lengths' is 1 if padding costs nothing.",
      "reel-ragged");
  app.option_defaults()->always_capture_default();
  std::vector<std::string> cells{"lstm", "gru", "rnn"}, shapes{"S1", "S2", "S4", "S5"};
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
