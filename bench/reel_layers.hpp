// A reel layer of any cell as a contestant.
#pragma once

#include <fmt/format.h>
#include <reel/layers/recurrent.hpp>
#include <reel/optim/train_step.hpp>

#include <numeric>

#include "count_malloc.hpp"
#include "reel_contestant.hpp"

namespace bench {

reel::Array array_of(const reel::Shape& shape, const Numbers& numbers);
Numbers numbers_of(const auto& array) { return Numbers(array.begin(), array.end()); }
// Gives a parameter the numbers that peers have under this name. A cell whose equations peers do
// not have may have other parameters, which stay as they are.
void start_as_peers(const Problem& problem, std::size_t part, const std::string& name,
                    reel::Parameter& parameter);
// A one-element Var whose gradient puts dy into y's, as Tape::backward(y, dy) does.
reel::Var seeded(const reel::Var& y, const reel::Parameter& dy);
// Elements [.., begin .. end - 1, ..] of the middle one of three axes.
reel::Array rows_of(const reel::Array& from, std::size_t begin, std::size_t end);
void put_rows(const auto& from, std::size_t begin, reel::Array& to) {
  const std::size_t count = from.shape()[1] * from.shape()[2];
  for (std::size_t t = 0; t < to.shape()[0]; ++t)
    std::copy_n(&from(t, 0, 0), count, &to(t, begin, 0));
}

template <class C>
class ReelLayers final : public ReelContestant {
 public:
  explicit ReelLayers(const Problem& problem)
      : what_(problem.what),
        x_(array_of({what_.steps, what_.batch, what_.input}, problem.x)),
        dy_(array_of({what_.steps, what_.batch, what_.width(what_.layers)}, problem.dy)) {
    reel::Random random(1);
    for (std::size_t l = 0; l < what_.parts(); ++l) {
      layers_.emplace_back(C(what_.width(l / what_.directions), what_.hidden, random));
      names_.push_back(what_.part_name(l));
      reel::for_each_parameter(layers_.back().cell,
                               [&](const std::string& name, reel::Parameter& p) {
                                 start_as_peers(problem, l, name, p);
                               });
    }
    if (what_.shards > 1) cut();
  }

  void run(std::size_t steps, std::vector<double>& ms) override {
    time_steps(steps, ms, [&] { step(); });
  }

  Answer answer() override {
    Answer answer;
    if (!what_.train) {
      answer.emplace_back("outputs", numbers_of(forward(x_).value()));
      return answer;
    }
    reel::Array y = reel::empty_array(dy_.shape()), dx = reel::empty_array(x_.shape());
    step(&y);
    for (const Part& part : parts_) put_rows(part.x.grad(), part.begin, dx);
    answer.emplace_back("outputs", numbers_of(y));
    answer.emplace_back("dx", numbers_of(parts_.empty() ? x_.grad() : dx));
    for (std::size_t l = 0; l < layers_.size(); ++l)
      reel::for_each_parameter(
          layers_[l].cell, [&](const std::string& name, const reel::Parameter& p) {
            answer.emplace_back(fmt::format("d{}_{}", name, names_[l]), numbers_of(p.grad()));
          });
    return answer;
  }

  StepCost cost() override {
    std::vector<std::size_t> before(what_.threads), peak(what_.threads);
    const auto on_each_thread = [&](auto&& act) {
      if (step_)
        step_->workers().run(what_.threads, act);
      else
        act(0);
    };
    on_each_thread([&](std::size_t thread) {
      reel::pool::reset_peak();
      before[thread] = reel::pool::stats().in_use;
    });
    start_counting_mallocs();
    step();
    const long mallocs = counted_mallocs();
    on_each_thread([&](std::size_t thread) {
      peak[thread] = reel::pool::stats().peak_in_use - before[thread];
    });
    return {mallocs, std::accumulate(peak.begin(), peak.end(), std::size_t{0})};
  }

 private:
  // A shard's rows.
  struct Part {
    std::size_t begin;
    reel::Parameter x, dy;
  };

  void cut() {
    std::vector<reel::Parameter*> all{&x_};
    for (auto& layer : layers_)
      reel::for_each_parameter(layer.cell, [&](const auto&, auto& p) { all.push_back(&p); });
    optimizer_ = std::make_unique<reel::Sgd>(all);
    step_ = std::make_unique<reel::TrainStep>(
        *optimizer_, reel::TrainStepOptions{.shards = what_.shards, .workers = what_.threads});
    parts_.resize(what_.shards);
    step_->backward(what_.batch, [&](reel::Shard& shard) {
      Part& part = parts_[shard.index];
      part = {shard.begin, reel::Parameter(rows_of(x_.value(), shard.begin, shard.end)),
              reel::Parameter(rows_of(dy_.value(), shard.begin, shard.end))};
      part.dy.trainable = false;
      return sum(reel::Var(part.x));
    });
  }
  reel::Var outputs(std::size_t l, const reel::Var& x) const {
    const reel::Var y = layers_[l](x).outputs;
    if (what_.directions == 1) return y;
    return reel::concat({y, layers_[l + 1](x, {.reversed = true}).outputs}, -1);
  }
  reel::Var forward(const reel::Var& x) const {
    reel::Var y = x;
    for (std::size_t l = 0; l < layers_.size(); l += what_.directions) y = outputs(l, y);
    return y;
  }
  void forget_gradients() {
    x_.zero_grad();
    for (Part& part : parts_) part.x.zero_grad();
    for (auto& layer : layers_)
      reel::for_each_parameter(layer.cell, [](const auto&, auto& p) { p.zero_grad(); });
  }
  // Forward and backward; outputs go to `outputs` if it is not null.
  void step(reel::Array* outputs = nullptr) {
    if (!what_.train) {
      forward(x_);
      return;
    }
    forget_gradients();
    if (step_) {
      step_->backward(what_.batch, [&](reel::Shard& shard) {
        const Part& part = parts_[shard.index];
        shard.weight = 1;
        const reel::Var y = forward(part.x);
        if (outputs) put_rows(y.value(), part.begin, *outputs);
        return seeded(y, part.dy);
      });
    } else {
      reel::Tape tape;
      const reel::Var y = forward(x_);
      if (outputs) *outputs = y.value();
      tape.backward(y, dy_.value());
    }
  }

  Case what_;
  reel::Parameter x_;  // its gradient is wanted, its value is not copied
  reel::Parameter dy_;
  std::vector<reel::Recurrent<C>> layers_;  // or, with two directions, both of each
  std::vector<std::string> names_;
  std::vector<Part> parts_;
  std::unique_ptr<reel::Optimizer> optimizer_;  // which takes no step
  std::unique_ptr<reel::TrainStep> step_;
};

}  // namespace bench
