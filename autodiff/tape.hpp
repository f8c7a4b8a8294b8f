// The tape: records ops in order, plays them backwards.
#pragma once

#include <reel/autodiff/deferred.hpp>
#include <reel/autodiff/node.hpp>
#include <reel/autodiff/parameter_scope.hpp>

namespace reel::inline REEL_PRECISION {

// While it lives, ops on this thread whose inputs need a gradient are recorded on it; without a
// tape they just compute. Tapes nest: the innermost records. Not shared between threads.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  static Tape* current();  // of this thread; null if none records

  // A value whose gradient is wanted: read it with Var::grad after backward.
  Var leaf(Array value);

  // Adds dLoss/dp to the gradient of every trainable parameter and leaf that loss depends on.
  // loss has one element, unless `seed` gives dLoss/dloss in its shape. If it throws, the
  // gradients of the parameters it had reached are cleared.
  void backward(const Var& loss);
  void backward(const Var& loss, const Array& seed);

  // dy/dx for each x of `wrt`, where y has one element; touches no parameter's gradient.
  // create_graph: the results are recorded themselves, to be differentiated again.
  struct GradientOptions {
    bool create_graph = false;
  };
  std::vector<Var> gradients(const Var& y, const std::vector<Var>& wrt, GradientOptions options);
  std::vector<Var> gradients(const Var& y, const std::vector<Var>& wrt) {
    return gradients(y, wrt, {});
  }

  // From now on an op that makes a NaN or Inf, forward or backward, throws NonFiniteError naming
  // the op and the layer.
  void check_finite(bool on) { check_finite_ = on; }

  std::size_t size() const { return nodes_.size(); }  // recorded nodes

  // For ops.
  void push(const detail::Ref<detail::Node>& node);
  detail::DeferredProducts& deferred() { return deferred_; }
  void require_finite(const detail::Node& node, const View& view, const char* direction) const;
  bool checks_finite() const { return check_finite_; }

 private:
  friend class PauseRecording;
  void play_back(std::size_t from);
  void finish(detail::Node& node);

  Tape* outer_;
  std::vector<detail::Ref<detail::Node>, PoolAllocator<detail::Ref<detail::Node>>> nodes_;
  ParameterScope parameters_;
  detail::DeferredProducts deferred_;
  bool check_finite_ = false;
  std::vector<std::string> scopes_;  // of each node, while check_finite is on
};

// While it lives, nothing is recorded on this thread.
class PauseRecording {
 public:
  PauseRecording();
  ~PauseRecording();
  PauseRecording(const PauseRecording&) = delete;
  PauseRecording& operator=(const PauseRecording&) = delete;

 private:
  Tape* paused_;
};

}  // namespace reel::inline REEL_PRECISION
