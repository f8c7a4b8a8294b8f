#include <reel/optim/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

namespace reel::inline REEL_PRECISION {
namespace {

void check_rate(const char* optimiser, const char* name, double x, double below) {
  check<Error>(x >= 0 && x < below, "{}: {} must lie in [0, {}); got {}", optimiser, name, below,
               x);
}
constexpr double kNoLimit = INFINITY;

// Each once, in the order in which they come first.
std::vector<Parameter*> without_repeats(const std::vector<Parameter*>& parameters) {
  std::unordered_set<const Parameter*> seen;
  std::vector<Parameter*> once;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    check<Error>(parameters[i], "optimizer: a parameter must not be null; got one at {}", i);
    if (seen.insert(parameters[i]).second) once.push_back(parameters[i]);
  }
  return once;
}

bool is_updated(const Parameter& p) { return p.trainable && p.has_grad(); }

void check_state(const Parameter& p, const std::vector<Array>& state) {
  for (const Array& array : state)
    check<Error>(shape_of(array) == p.shape(), "optimizer: the state of {} must be {}; got {}",
                 p.name, p.shape(), shape_of(array));
}

}  // namespace

Optimizer::Optimizer(std::vector<Parameter*> parameters, double rate, std::size_t states)
    : learning_rate(rate),
      parameters_(without_repeats(parameters)),
      states_(states),
      slots_(parameters_.size()) {
  check_rate("optimizer", "learning_rate", rate, kNoLimit);
}

void Optimizer::step() {
  collect_slices();
  for (const Slice& slice : slices_) update(slice);
  finish_step();
}

void Optimizer::step(Workers& workers) {
  collect_slices();
  workers.run(slices_.size(), [&](std::size_t i) { update(slices_[i]); });
  finish_step();
}

void Optimizer::finish_step() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (is_updated(*parameters_[i])) ++slots_[i].steps;
    parameters_[i]->zero_grad();
  }
}

// Their size depends on nothing, so that every number is computed in the same way on any number
// of threads.
void Optimizer::collect_slices() {
  constexpr std::size_t kPiece = 16384;
  for (std::size_t i = 0; i < slots_.size(); ++i) {  // before anything changes
    const Parameter& p = *parameters_[i];
    if (!is_updated(p)) continue;
    check<Error>(shape_of(p.grad()) == p.shape(),
                 "optimizer: the gradient of {} must be {}; got {}", p.name, p.shape(),
                 shape_of(p.grad()));
    check_state(p, slots_[i].state);
  }
  slices_.clear();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Parameter& p = *parameters_[i];
    Slot& slot = slots_[i];
    if (!is_updated(p)) continue;
    while (slot.state.size() < states_) slot.state.push_back(full_array(p.shape(), 0));
    const auto part = [](auto& array, std::size_t begin, std::size_t count) {
      return std::span(array.data() + begin, count);
    };
    Array& value = p.mutable_value();
    for (std::size_t begin = 0; begin < p.size(); begin += kPiece) {
      const std::size_t count = std::min(kPiece, p.size() - begin);
      Slice& slice = slices_.emplace_back(
          Slice{part(value, begin, count), part(p.grad(), begin, count), {}, slot.steps + 1});
      for (std::size_t s = 0; s < states_; ++s) slice.state[s] = part(slot.state[s], begin, count);
    }
  }
}

void Optimizer::set_slots(std::vector<Slot> slots) {
  check<Error>(slots.size() == slots_.size(), "optimizer: there must be {} slots; got {}",
               slots_.size(), slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Parameter& p = *parameters_[i];
    const std::vector<Array>& state = slots[i].state;
    check<Error>(state.size() == (slots[i].steps == 0 ? 0 : states_),
                 "optimizer: {} must have {} arrays once it was updated; got {} after {} updates",
                 p.name, states_, state.size(), slots[i].steps);
    check_state(p, state);
  }
  slots_ = std::move(slots);
}

void Optimizer::zero_grad() {
  for (Parameter* p : parameters_) p->zero_grad();
}

Sgd::Sgd(std::vector<Parameter*> parameters, const SgdOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate, options.momentum == 0 ? 0 : 1),
      options_(options) {
  check_rate("sgd", "momentum", options.momentum, 1);
  check_rate("sgd", "weight_decay", options.weight_decay, kNoLimit);
  check<Error>(!options.nesterov || options.momentum > 0, "sgd: nesterov needs a momentum");
}

void Sgd::update(const Slice& slice) const {
  const auto& [value, grad, states, steps] = slice;
  const auto rate = static_cast<real>(learning_rate);
  const auto momentum = static_cast<real>(options_.momentum);
  const auto decay = static_cast<real>(options_.weight_decay);
  if (momentum == 0) {
    for (std::size_t i = 0; i < value.size(); ++i) value[i] -= rate * (grad[i] + decay * value[i]);
    return;
  }
  const std::span<real> v = states[0];
  for (std::size_t i = 0; i < value.size(); ++i) {
    const real g = grad[i] + decay * value[i];
    v[i] = momentum * v[i] + g;
    value[i] -= rate * (options_.nesterov ? g + momentum * v[i] : v[i]);
  }
}

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options)
    : Adam(std::move(parameters), options, false) {}

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(parameters), options.learning_rate, 2),
      options_(options),
      decoupled_(decoupled) {
  const char* name = decoupled ? "adamw" : "adam";
  check_rate(name, "beta1", options.beta1, 1);
  check_rate(name, "beta2", options.beta2, 1);
  check_rate(name, "epsilon", options.epsilon, kNoLimit);
  check_rate(name, "weight_decay", options.weight_decay, kNoLimit);
}

void Adam::update(const Slice& slice) const {
  const auto steps = static_cast<double>(slice.steps);
  const auto rate = static_cast<real>(learning_rate / (1 - std::pow(options_.beta1, steps)));
  const auto root = static_cast<real>(1 / std::sqrt(1 - std::pow(options_.beta2, steps)));
  const auto b1 = static_cast<real>(options_.beta1), b2 = static_cast<real>(options_.beta2);
  // Of the exact numbers: near 1 the rounded ones have another difference.
  const auto rest1 = static_cast<real>(1 - options_.beta1);
  const auto rest2 = static_cast<real>(1 - options_.beta2);
  const auto epsilon = static_cast<real>(options_.epsilon);
  const auto l2 = static_cast<real>(decoupled_ ? 0 : options_.weight_decay);
  const auto keep = static_cast<real>(decoupled_ ? 1 - learning_rate * options_.weight_decay : 1);
  real *value = slice.value.data(), *m = slice.state[0].data(), *v = slice.state[1].data();
  const real* grad = slice.grad.data();
  for (std::size_t i = 0; i < slice.value.size(); ++i) {
    const real g = grad[i] + l2 * value[i];
    m[i] = b1 * m[i] + rest1 * g;
    v[i] = b2 * v[i] + rest2 * g * g;
    value[i] = keep * value[i] - rate * m[i] / (std::sqrt(v[i]) * root + epsilon);
  }
}

namespace {

// In sixteen sums, which registers take at once.
double sum_of_squares(const real* x, std::size_t count) {
  std::array<double, 16> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= count; i += sums.size())
    for (std::size_t j = 0; j < sums.size(); ++j) {
      const auto element = static_cast<double>(x[i + j]);
      sums[j] += element * element;
    }
  for (; i < count; ++i) sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

double clip_grad_norm(std::span<Parameter* const> parameters, double limit) {
  check<Error>(limit > 0, "clip_grad_norm: the limit must be positive; got {}", limit);
  double squares = 0;
  for (const Parameter* p : parameters)
    if (p->trainable)
      p->gradient().for_each_run(
          [&](const real* run, std::size_t count) { squares += sum_of_squares(run, count); });
  const double norm = std::sqrt(squares);
  check<NonFiniteError>(std::isfinite(norm),
                        "clip_grad_norm: the gradient's norm is {}; Tape::check_finite finds where",
                        norm);
  if (norm > limit) {
    const auto scale = static_cast<real>(limit / norm);
    for (const Parameter* p : parameters)
      if (p->trainable)
        p->gradient().for_each_run([&](real* run, std::size_t count) {
          for (std::size_t i = 0; i < count; ++i) run[i] *= scale;
        });
  }
  return norm;
}

void clip_grad_value(std::span<Parameter* const> parameters, double limit) {
  check<Error>(limit > 0, "clip_grad_value: the limit must be positive; got {}", limit);
  const auto bound = static_cast<real>(limit);
  for (const Parameter* p : parameters)
    if (p->trainable)
      p->gradient().for_each_run([&](real* run, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) run[i] = std::clamp(run[i], -bound, bound);
      });
}

}  // namespace reel::inline REEL_PRECISION
