#include <reel/optim/optimizer.hpp>

#include <algorithm>
#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

void check_rate(const char* optimiser, const char* name, double x, double below) {
  check<Error>(x >= 0 && x < below, "{}: {} must lie in [0, {}); got {}", optimiser, name, below,
               x);
}
constexpr double kNoLimit = INFINITY;

std::span<const real> span_of(const Array& a) { return {a.data(), a.size()}; }

}  // namespace

Optimizer::Optimizer(std::vector<Parameter*> parameters, double rate) : learning_rate(rate) {
  check_rate("optimizer", "learning_rate", rate, kNoLimit);
  for (Parameter* p : parameters) slots_.push_back({p, {}, 0});
}

std::span<real> Optimizer::state(Slot& slot, std::size_t i) {
  while (slot.state.size() <= i) slot.state.push_back(full_array(slot.parameter->shape(), 0));
  return {slot.state[i].data(), slot.state[i].size()};
}

void Optimizer::step() {
  for (Slot& slot : slots_) {
    Parameter& p = *slot.parameter;
    if (!p.trainable || !p.has_grad()) continue;
    ++slot.steps;
    Array& value = p.mutable_value();
    update({value.data(), value.size()}, span_of(p.grad()), slot);
    p.zero_grad();
  }
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter->zero_grad();
}

Sgd::Sgd(std::vector<Parameter*> parameters, const SgdOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate), options_(options) {
  check_rate("sgd", "momentum", options.momentum, 1);
  check_rate("sgd", "weight_decay", options.weight_decay, kNoLimit);
  check<Error>(!options.nesterov || options.momentum > 0, "sgd: nesterov needs a momentum");
}

void Sgd::update(std::span<real> value, std::span<const real> grad, Slot& slot) {
  const auto rate = static_cast<real>(learning_rate);
  const auto momentum = static_cast<real>(options_.momentum);
  const auto decay = static_cast<real>(options_.weight_decay);
  if (momentum == 0) {
    for (std::size_t i = 0; i < value.size(); ++i) value[i] -= rate * (grad[i] + decay * value[i]);
    return;
  }
  const std::span<real> v = state(slot, 0);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const real g = grad[i] + decay * value[i];
    v[i] = momentum * v[i] + g;
    value[i] -= rate * (options_.nesterov ? g + momentum * v[i] : v[i]);
  }
}

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options)
    : Adam(std::move(parameters), options, false) {}

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(parameters), options.learning_rate),
      options_(options),
      decoupled_(decoupled) {
  const char* name = decoupled ? "adamw" : "adam";
  check_rate(name, "beta1", options.beta1, 1);
  check_rate(name, "beta2", options.beta2, 1);
  check_rate(name, "epsilon", options.epsilon, kNoLimit);
  check_rate(name, "weight_decay", options.weight_decay, kNoLimit);
}

void Adam::update(std::span<real> value, std::span<const real> grad, Slot& slot) {
  const auto steps = static_cast<double>(slot.steps);
  const auto rate = static_cast<real>(learning_rate / (1 - std::pow(options_.beta1, steps)));
  const auto root = static_cast<real>(1 / std::sqrt(1 - std::pow(options_.beta2, steps)));
  const auto b1 = static_cast<real>(options_.beta1), b2 = static_cast<real>(options_.beta2);
  const auto epsilon = static_cast<real>(options_.epsilon);
  const auto l2 = static_cast<real>(decoupled_ ? 0 : options_.weight_decay);
  const auto keep = static_cast<real>(decoupled_ ? 1 - learning_rate * options_.weight_decay : 1);
  const std::span<real> m = state(slot, 0), v = state(slot, 1);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const real g = grad[i] + l2 * value[i];
    m[i] = b1 * m[i] + (1 - b1) * g;
    v[i] = b2 * v[i] + (1 - b2) * g * g;
    value[i] = keep * value[i] - rate * m[i] / (std::sqrt(v[i]) * root + epsilon);
  }
}

double clip_grad_norm(std::span<Parameter* const> parameters, double limit) {
  check<Error>(limit > 0, "clip_grad_norm: the limit must be positive; got {}", limit);
  double squares = 0;
  for (const Parameter* p : parameters)
    if (p->has_grad())
      for (real g : p->grad().storage()) squares += static_cast<double>(g) * static_cast<double>(g);
  const double norm = std::sqrt(squares);
  check<NonFiniteError>(std::isfinite(norm),
                        "clip_grad_norm: the gradient's norm is {}; Tape::check_finite finds where",
                        norm);
  if (norm > limit) {
    const auto scale = static_cast<real>(limit / norm);
    for (Parameter* p : parameters)
      if (p->has_grad())
        for (real& g : p->mutable_grad().storage()) g *= scale;
  }
  return norm;
}

void clip_grad_value(std::span<Parameter* const> parameters, double limit) {
  check<Error>(limit > 0, "clip_grad_value: the limit must be positive; got {}", limit);
  const auto bound = static_cast<real>(limit);
  for (Parameter* p : parameters)
    if (p->has_grad())
      for (real& g : p->mutable_grad().storage()) g = std::clamp(g, -bound, bound);
}

}  // namespace reel::inline REEL_PRECISION
