// reel-checkpoint: what checkpoints cost in time and save in memory.
#include <fmt/format.h>
#include <sys/resource.h>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/loss.hpp>
#include <reel/layers/recurrent.hpp>
#include <reel/optim/optimizer.hpp>

#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>

#include "command.hpp"
#include "duel.hpp"

namespace {

using namespace bench;

struct Options {
  std::vector<std::string> cells{"lstm", "gru", "rnn"};
  std::size_t batch = 64, steps = 1000, input = 100, hidden = 128, runs = 9;
  std::optional<std::size_t> states, bytes, block;
  std::string loss = "final", train;

  reel::Checkpointing checkpoint() const { return {states, bytes, block}; }
};

constexpr double kMegabyte = 1e6;

reel::Array random_array(const reel::Shape& shape, std::uint64_t seed) {
  reel::Random random(seed);
  return reel::uniform(shape, -1, 1, random);
}

// A training step, recorded as it is or checkpointed.
template <class C>
class Step final : public Contestant {
 public:
  Step(const Options& o, std::optional<reel::Checkpointing> checkpoint)
      : random_(1),
        x_(random_array({o.steps, o.batch, o.input}, 2)),
        d_last_(random_array({o.batch, o.hidden}, 3)),
        d_outputs_(o.loss == "final" ? reel::Array()
                                     : random_array({o.steps, o.batch, o.hidden}, 4)),
        layer_(C(o.input, o.hidden, random_)),
        final_(o.loss == "final"),
        checkpoint_(checkpoint) {}

  void run(std::size_t steps, std::vector<double>& ms) override {
    time_steps(steps, ms, [&] { step(); });
  }
  Answer answer() override {
    step();
    Answer answer{{"dx", numbers(x_.grad())}};
    for (reel::Parameter* p : reel::parameters(layer_))
      answer.emplace_back(p->name, numbers(p->grad()));
    return answer;
  }
  // Most memory that a step holds beyond parameters, input and their gradients.
  std::size_t bytes() {
    reel::pool::reset_peak();
    const std::size_t before = reel::pool::stats().in_use;
    step();
    return reel::pool::stats().peak_in_use - before;
  }

 private:
  static Numbers numbers(const reel::Array& array) { return Numbers(array.begin(), array.end()); }
  void step() {
    x_.zero_grad();
    for (reel::Parameter* p : reel::parameters(layer_)) p->zero_grad();
    reel::Tape tape;
    const auto result = layer_(x_, {.all_outputs = !final_, .checkpoint = checkpoint_});
    final_ ? tape.backward(result.last(), d_last_) : tape.backward(result.outputs, d_outputs_);
  }

  reel::Random random_;
  reel::Parameter x_;  // its gradient is wanted, its value is not copied
  reel::Array d_last_, d_outputs_;
  reel::Recurrent<C> layer_;
  bool final_;
  std::optional<reel::Checkpointing> checkpoint_;
};

template <class C>
void compare(const std::string& name, const Options& o) {
  Step<C> plain(o, std::nullopt), checkpointed(o, o.checkpoint());
  const Answer expected = plain.answer(), actual = checkpointed.answer();
  const Disagreement difference = disagreement(actual, expected);
  const double most = static_cast<double>(plain.bytes()) / kMegabyte;
  const double least = static_cast<double>(checkpointed.bytes()) / kMegabyte;
  const DuelResult result = duel({&checkpointed, &plain}, o.runs);
  std::cout << fmt::format(
                   "{:<5} B {} T {} E {} H {}: {:.1f} ms, plain {:.1f} ms, ratio {:.3f} ({:.3f} .. "
                   "{:.3f}); {:.2f} MB, plain {:.2f} MB, saved {:.1f} %; gradients {}",
                   name, o.batch, o.steps, o.input, o.hidden, result.ms[0].median,
                   result.ms[1].median, result.ratio[1].median, result.ratio[1].low,
                   result.ratio[1].high, least, most, 100 * (1 - least / most),
                   actual == expected
                       ? "the same bits"
                       : fmt::format("differ by {:.1e} in {}", difference.size, difference.where))
            << std::endl;
}

// Training steps on one long sequence, with a loss on the final state or on every output.
void train(const Options& o) {
  reel::Random random(1);
  reel::Recurrent<reel::Lstm> layer(reel::Lstm(o.input, o.hidden, random));
  reel::Linear readout(o.hidden, 1, random);
  std::vector<reel::Parameter*> all = reel::parameters(layer);
  for (reel::Parameter* p : reel::parameters(readout)) all.push_back(p);
  reel::Adam optimizer(all);
  const reel::Var x(random_array({o.steps, o.batch, o.input}, 2));
  const bool final = o.train == "final";
  const reel::Array target =
      random_array(final ? reel::Shape{o.batch, 1} : reel::Shape{o.steps, o.batch, 1}, 3);
  std::vector<double> ms;
  time_steps(3, ms, [&] {
    reel::Tape tape;
    const auto result = layer(x, {.all_outputs = !final, .checkpoint = o.checkpoint()});
    const reel::Var loss = mse(readout(final ? result.last() : result.outputs), target);
    tape.backward(loss);
    optimizer.step();
    std::cout << fmt::format("loss {:.6f}\n", loss.item());
  });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << fmt::format(
      "lstm B {} T {} E {} H {}, loss on {}: {:.2f} s a step, {:.1f} MB resident at most\n",
      o.batch, o.steps, o.input, o.hidden, final ? "the final state" : "all outputs",
      summary(ms).median / 1000, static_cast<double>(usage.ru_maxrss) * 1024 / kMegabyte);
}

void add_options(CLI::App& app, Options& o) {
  const auto size = [&](const char* name, std::size_t& value) {
    app.add_option(name, value)->check(CLI::Range(1, 100000000));
  };
  app.option_defaults()->always_capture_default();
  app.add_option("--cell", o.cells, "lstm, gru, rnn")->check(CLI::IsMember({"lstm", "gru", "rnn"}));
  size("--batch", o.batch);
  size("--steps", o.steps);
  size("--input", o.input);
  size("--hidden", o.hidden);
  app.add_option("--runs", o.runs, "turns of a step each")->check(CLI::Range(1, 100000));
  app.add_option("--states", o.states, "kept states")->check(CLI::Range(0, 100000000));
  app.add_option("--bytes", o.bytes, "budget")->check(CLI::Range(1L, 1000000000000000L));
  app.add_option("--block", o.block, "steps recorded at a time")->check(CLI::Range(1, 100000000));
  app.add_option("--loss", o.loss)->check(CLI::IsMember({"final", "outputs"}));
  app.add_option("--train", o.train, "only train an LSTM, and say how much memory that took")
      ->check(CLI::IsMember({"final", "outputs"}));
}

void act(const Options& o) {
  if (!o.train.empty()) {
    train(o);
    return;
  }
  for (const std::string& cell : o.cells) {
    if (cell == "lstm") compare<reel::Lstm>(cell, o);
    if (cell == "gru") compare<reel::Gru>(cell, o);
    if (cell == "rnn") compare<reel::Rnn>(cell, o);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Checkpointed training steps beside recorded ones; or long sequences.",
               "reel-checkpoint");
  Options options;
  add_options(app, options);
  return run_command(app, argc, argv, [&] { act(options); });
}
