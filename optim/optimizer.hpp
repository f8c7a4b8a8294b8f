// Optimisers: how parameters follow their gradients.
#pragma once

#include <reel/autodiff/parameter.hpp>
#include <reel/optim/workers.hpp>

#include <array>
#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

// Updates parameters in place; they must outlive it. Those that are frozen, or got no gradient,
// stay as they are; one that is listed twice counts once.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update by the gradients, which are cleared; on several threads to the same bits.
  void step();
  void step(Workers& workers);
  void zero_grad();
  const std::vector<Parameter*>& parameters() const { return parameters_; }

  // What it keeps for a parameter besides its value.
  struct Slot {
    std::vector<Array> state;  // shaped as the parameter; none before its first update
    std::size_t steps = 0;     // updates so far
  };
  const std::vector<Slot>& slots() const { return slots_; }  // of each parameter
  // Throws Error, changing nothing, unless there is a slot as above for each parameter.
  void set_slots(std::vector<Slot> slots);

  double learning_rate;

 protected:
  static constexpr std::size_t kMostStates = 2;
  // A piece of a parameter; all spans have one length.
  struct Slice {
    std::span<real> value;
    std::span<const real> grad;
    std::array<std::span<real>, kMostStates> state;  // the optimiser's own, zero at first
    std::size_t steps;                               // updates so far, this one included
  };
  // With `states` numbers kept for each number of a parameter. Throws Error for a null parameter.
  Optimizer(std::vector<Parameter*> parameters, double rate, std::size_t states);
  // value -= ..., on any thread.
  virtual void update(const Slice& slice) const = 0;

 private:
  void collect_slices();
  void finish_step();

  std::vector<Parameter*> parameters_;
  std::size_t states_;
  std::vector<Slot> slots_;
  std::vector<Slice> slices_;
};

struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;    // Nesterov 1983, as in Sutskever et al. 2013
  double weight_decay = 0;  // L2: adds weight_decay * value to the gradient
};
// v = momentum v + g; value -= rate v (Nesterov: rate (g + momentum v)).
class Sgd : public Optimizer {
 public:
  Sgd(std::vector<Parameter*> parameters, const SgdOptions& options = {});

 private:
  void update(const Slice& slice) const override;
  SgdOptions options_;
};

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  // L2: adds weight_decay * value to the gradient
};
// Kingma & Ba 2015: value -= rate m^ / (sqrt(v^) + epsilon), m^ and v^ the bias-corrected running
// means of g and g^2.
class Adam : public Optimizer {
 public:
  Adam(std::vector<Parameter*> parameters, const AdamOptions& options = {});

 protected:
  Adam(std::vector<Parameter*> parameters, const AdamOptions& options, bool decoupled);

 private:
  void update(const Slice& slice) const override;
  AdamOptions options_;
  bool decoupled_ = false;
};
struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
};
// Adam with decoupled weight decay (Loshchilov & Hutter 2019): the value shrinks by itself, by
// rate * weight_decay of it in a step.
class AdamW : public Adam {
 public:
  AdamW(std::vector<Parameter*> parameters, const AdamWOptions& options = {})
      : Adam(std::move(parameters),
             {options.learning_rate, options.beta1, options.beta2, options.epsilon,
              options.weight_decay},
             true) {}
};

// Both leave out frozen parameters; each of the others must be listed once.
// Scales all gradients so that their joint L2 norm is at most `limit`; returns the norm before.
// Throws NonFiniteError if the norm is not finite, and leaves the gradients as they are.
double clip_grad_norm(std::span<Parameter* const> parameters, double limit);
// Cuts every gradient element to [-limit, limit].
void clip_grad_value(std::span<Parameter* const> parameters, double limit);

}  // namespace reel::inline REEL_PRECISION
