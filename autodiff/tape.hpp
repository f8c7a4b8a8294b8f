// The tape: records ops in order, plays them backwards.
#pragma once

#include <reel/autodiff/deferred.hpp>
#include <reel/autodiff/node.hpp>
#include <reel/autodiff/parameter_scope.hpp>

namespace reel::inline REEL_PRECISION {

class Rehearsal;
namespace detail {
class Recorder;
}

// While it lives, ops on this thread whose inputs need a gradient are recorded on it; without a
// tape they just compute. Tapes nest: the innermost records. Not shared between threads.
class Tape {
 public:
  Tape();
  explicit Tape(detail::Recorder&);  // within a recording, to note gradients too
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  static Tape* current();  // of this thread; null if none records

  // A value whose gradient is wanted: read it with Var::grad after backward.
  Var leaf(Array value);

  // Adds dLoss/dp to the gradient of every trainable parameter and leaf that loss depends on.
  // loss has one element, unless `seed` gives dLoss/dloss in its shape: an array that backward does
  // not change, so not one of these gradients. If it throws, the gradients of the parameters it had
  // reached, and those of all leaves, are cleared.
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

  // For checkpoints: backward over the nodes from .. down_to alone, in memory or in ops, and an
  // end of the tape that is forgotten.
  void play_back(std::size_t from, std::size_t down_to = 0);
  void pull_back(detail::Vars& grads, std::size_t from, std::size_t down_to = 0);
  void drop(std::size_t from);
  // While a Rehearsal lives. The second, for an op that is to be recorded, takes note of that.
  bool rehearses() const { return rehearsal_; }
  bool rehearses(std::span<const Var> inputs);
  bool replays() const { return replays_ > 0; }
  std::uint64_t backwards() const { return backwards_; }  // begun so far

 private:
  friend class PauseRecording;
  friend class ResumeRecording;
  friend class Rehearsal;
  void finish(detail::Node& node);

  Tape* outer_;
  std::vector<detail::Ref<detail::Node>, PoolAllocator<detail::Ref<detail::Node>>> nodes_;
  ParameterScope parameters_;
  detail::DeferredProducts deferred_;
  bool check_finite_ = false;
  Rehearsal* rehearsal_ = nullptr;
  int replays_ = 0;
  std::uint64_t backwards_ = 0;
  std::vector<std::string> scopes_;  // of each node, while check_finite is on
};

// While it lives, nothing is recorded on this thread. The tape that it interrupts must outlive it.
class PauseRecording {
 public:
  PauseRecording();
  ~PauseRecording();
  PauseRecording(const PauseRecording&) = delete;
  PauseRecording& operator=(const PauseRecording&) = delete;

 private:
  Tape* paused_;
};

// While it lives, this thread records on `tape` again, whatever records now: for replays.
class ResumeRecording {
 public:
  explicit ResumeRecording(Tape& tape);
  ~ResumeRecording();
  ResumeRecording(const ResumeRecording&) = delete;
  ResumeRecording& operator=(const ResumeRecording&) = delete;

 private:
  Tape& tape_;
  Tape* paused_;
  ParameterScope* parameters_;
};

// While it lives, ops whose turn to be recorded comes later, in a replay, just compute. Parameters
// that they mention are put on the tape.
class Rehearsal {
 public:
  explicit Rehearsal(Tape& tape);
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  bool met_recorded() const { return met_recorded_; }  // would an op have been recorded?

 private:
  friend class Tape;
  Tape& tape_;
  Rehearsal* outer_;
  bool met_recorded_ = false;
};

}  // namespace reel::inline REEL_PRECISION
