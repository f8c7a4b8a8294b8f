#include "reel_contestant.hpp"

#include <fmt/format.h>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/gru.hpp>
#include <reel/layers/lstm.hpp>
#include <reel/layers/recurrent.hpp>
#include <reel/layers/rnn.hpp>

#include <algorithm>

#include "cells.hpp"
#include "count_malloc.hpp"

namespace bench {
namespace {

reel::Array array(const reel::Shape& shape, const Numbers& numbers) {
  reel::Array result = reel::empty_array(shape);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}

Numbers numbers(const auto& array) { return Numbers(array.begin(), array.end()); }

const Numbers& named(const Problem::Layer& layer, const std::string& name) {
  if (name == "weight_ih") return layer.weight_ih;
  if (name == "weight_hh") return layer.weight_hh;
  if (name == "bias_ih") return layer.bias_ih;
  if (name == "bias_hh") return layer.bias_hh;
  throw std::logic_error("a measured cell must not have a parameter " + name);
}

template <class C>
class Stack final : public ReelContestant {
 public:
  explicit Stack(const Problem& problem)
      : train_(problem.what.train),
        directions_(problem.what.directions),
        x_(array({problem.what.steps, problem.what.batch, problem.what.input}, problem.x)),
        dy_(array({problem.what.steps, problem.what.batch, problem.what.width(problem.what.layers)},
                  problem.dy)) {
    reel::Random random(1);
    for (std::size_t l = 0; l < problem.what.parts(); ++l) {
      layers_.emplace_back(C(problem.what.width(l / directions_), problem.what.hidden, random));
      names_.push_back(problem.what.part_name(l));
      reel::for_each_parameter(layers_.back().cell,
                               [&](const std::string& name, reel::Parameter& p) {
                                 const Numbers& start = named(problem.layers[l], name);
                                 std::copy(start.begin(), start.end(), p.mutable_value().data());
                               });
    }
  }

  void run(std::size_t steps, std::vector<double>& ms) override {
    time_steps(steps, ms, [&] { step(); });
  }

  Answer answer() override {
    Answer answer;
    reel::Tape tape;
    const reel::Var y = forward();
    answer.emplace_back("outputs", numbers(y.value()));
    if (!train_) return answer;
    forget_gradients();
    tape.backward(y, dy_);
    answer.emplace_back("dx", numbers(x_.grad()));
    for (std::size_t l = 0; l < layers_.size(); ++l)
      reel::for_each_parameter(
          layers_[l].cell, [&](const std::string& name, const reel::Parameter& p) {
            answer.emplace_back(fmt::format("d{}_{}", name, names_[l]), numbers(p.grad()));
          });
    return answer;
  }

  StepCost cost() override {
    reel::pool::reset_peak();
    const std::size_t before = reel::pool::stats().in_use;
    start_counting_mallocs();
    step();
    const long mallocs = counted_mallocs();
    return {mallocs, reel::pool::stats().peak_in_use - before};
  }

 private:
  reel::Var outputs(std::size_t l, const reel::Var& x) const {
    const reel::Var y = layers_[l](x).outputs;
    if (directions_ == 1) return y;
    return reel::concat({y, layers_[l + 1](x, {.reversed = true}).outputs}, -1);
  }
  reel::Var forward() {
    reel::Var y = x_;
    for (std::size_t l = 0; l < layers_.size(); l += directions_) y = outputs(l, y);
    return y;
  }
  void forget_gradients() {
    x_.zero_grad();
    for (auto& layer : layers_)
      reel::for_each_parameter(layer.cell,
                               [](const std::string&, reel::Parameter& p) { p.zero_grad(); });
  }
  void step() {
    if (!train_) {
      forward();
      return;
    }
    forget_gradients();
    reel::Tape tape;
    tape.backward(forward(), dy_);
  }

  bool train_;
  std::size_t directions_;
  reel::Parameter x_;  // its gradient is wanted, its value is not copied
  reel::Array dy_;
  std::vector<reel::Recurrent<C>> layers_;  // or, with two directions, both of each
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<ReelContestant> make_reel(const Problem& problem, const std::string& cell) {
  if (cell == "lstm") return std::make_unique<Stack<reel::Lstm>>(problem);
  if (cell == "gru") return std::make_unique<Stack<reel::Gru>>(problem);
  if (cell == "rnn") return std::make_unique<Stack<reel::Rnn>>(problem);
  if (cell == "custom-lstm") return std::make_unique<Stack<CustomLstm>>(problem);
  if (cell == "plain-lstm") return std::make_unique<Stack<PlainLstm>>(problem);
  if (cell == "two-reset-gru") return std::make_unique<Stack<TwoResetGru>>(problem);
  throw std::invalid_argument("unknown cell " + cell);
}

}  // namespace bench
