// What the recurrent layers take and give.
#pragma once

#include <reel/autodiff/checkpoint_plan.hpp>
#include <reel/autodiff/random.hpp>
#include <reel/layers/state.hpp>

#include <optional>
#include <span>

namespace reel::inline REEL_PRECISION {

// How a layer is to run this time.
template <class State>
struct RecurrentOptions {
  std::span<const std::size_t> lengths = {};  // [B]; none: all T
  std::optional<State> state = {};            // initial, parts [B, ..]; none: the layer's own
  bool all_outputs = true;                    // false: only the final state is wanted
  bool all_states = false;                    // true: the state after every step as well
  // The cell runs from each row's own end to its start. Outputs stand where their elements do;
  // the final state is the one after the row's first element.
  bool reversed = false;
  bool batch_first = false;  // x, outputs and states are [B, T, ..] instead of [T, B, ..]
  // For training: what dropout and its kin draw from. None: they do nothing, zoneout takes the
  // mean of what it might do.
  Random* random = nullptr;
  // While a tape records: keep few states, compute the others again in backward. Gradients are
  // the same; the layer, and a Random from which the cell itself draws, must live as long as the
  // tape: what was drawn is drawn again.
  std::optional<Checkpointing> checkpoint = {};
};

template <class State>
struct RecurrentResult {
  Var outputs;                  // [T, B, width]; empty without all_outputs
  State state;                  // final
  std::optional<State> states;  // with all_states, parts [T, B, ..]; zero past a row's end
  Var last_output;

  // The output of the step that each row ends with [B, width].
  const Var& last() const& { return last_output; }
  Var last() && { return std::move(last_output); }
};

// Noise that training adds to one direction of a layer; probabilities in [0, 1).
struct RecurrentDropout {
  // One mask per row for all its steps (Gal & Ghahramani 2016): on x, and on h wherever the cell
  // multiplies it by a weight.
  real inputs = 0, states = 0;
  // DropConnect (Wan et al. 2013): one mask on the weights named weight_hh.. for all rows and
  // steps of a call (Merity et al. 2018).
  real weights = 0;
  // An element of the state keeps its value instead of being updated (Krueger et al. 2017): one
  // probability for each part, or one for all.
  std::vector<real> zoneout = {};

  void check_ranges() const;
};

// Throws unless p is in [0, 1).
void check_probability(const char* what, real p);

}  // namespace reel::inline REEL_PRECISION
