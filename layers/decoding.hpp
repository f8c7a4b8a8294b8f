// Decoding: sequences from any function that scores what comes next.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/layers/state.hpp>

#include <functional>

namespace reel::inline REEL_PRECISION {

// What decoding runs: any number of rows, each of which is a sequence on its way.
class StepFunction {
 public:
  virtual ~StepFunction() = default;
  // One step: the last token of each row [n] -> scores of the next one [n, V], logits or
  // log-probabilities; -inf for what may not follow.
  virtual Var step(const Indices& tokens) = 0;
  // From now on row i is what row rows[i] was.
  virtual void select(const Indices& rows) = 0;
};

// A StepFunction of `function(tokens, state) -> std::pair{scores, next state}` and the state to
// start with, any tree of Vars [n, ..]:
//
//   StateSteps steps(state, [&](const Indices& tokens, const auto& state) {
//     auto [h, next] = layer.step(embedding(tokens), state);
//     return std::pair{head(h), next};
//   });
//   const Hypothesis text = greedy(steps, {.start = {kStart}, .end = kEnd})[0];
template <class State, class Function>
class StateSteps final : public StepFunction {
 public:
  StateSteps(State start, Function function)
      : state_(std::move(start)), function_(std::move(function)) {}
  Var step(const Indices& tokens) override {
    auto [scores, next] = function_(tokens, std::as_const(state_));
    state_ = std::move(next);
    return scores;
  }
  void select(const Indices& rows) override {
    for_each_part(state_, [&](Var& part) { part = gather(part, rows); });
  }
  const State& state() const { return state_; }

 private:
  State state_;
  Function function_;
};

struct DecodeOptions {
  // The token before the first: one per row, as many as the function's state has rows.
  std::vector<std::int64_t> start;
  std::int64_t end = -1;  // the token that ends a sequence; -1: none does
  // Tokens at most, the end token included: of each row, or one number for all.
  std::vector<std::size_t> limit = {100};
  // Greedy and sampling tell each token but the end at once; false: this row stops here.
  std::function<bool(std::size_t row, std::int64_t token)> on_token = {};
};

struct Hypothesis {
  std::vector<std::int64_t> tokens = {};  // without start and end
  double log_probability = 0;             // sum over the tokens, end included, under the function
  double score = 0;    // the same; of beams, which are ranked by it, normalised by length
  bool ended = false;  // by the end token
};

// All of these record nothing, and throw Error for options that make no sense and scores among
// which there is NaN, +inf, or nothing but -inf.

// The likeliest token at each step (of equal ones the first); a hypothesis for each row.
std::vector<Hypothesis> greedy(StepFunction& function, const DecodeOptions& options);

struct SampleOptions {
  double temperature = 1;  // positive; probabilities are taken to the power of 1 / temperature,
  std::size_t top_k = 0;   // then only the k likeliest tokens stay (Fan et al. 2018; 0: all),
  double top_p = 1;  // then the fewest whose probabilities reach p in sum (Holtzman et al. 2020)
};
// Draws each token. A row depends on the seed that it takes from `random`, one draw per row in
// order, and not on the other rows.
std::vector<Hypothesis> sample(StepFunction& function, const DecodeOptions& options,
                               const SampleOptions& how, Random& random);

// A hypothesis of n tokens, the end included, scores log p / penalty(n).
enum class LengthPenalty {
  kPower,  // n^alpha: 1 is the mean log-probability, 0 no normalisation
  kWu,     // ((5 + n) / 6)^alpha (Wu et al. 2016)
};
struct BeamOptions {
  std::size_t width = 5;   // hypotheses that are followed for each row
  std::size_t n_best = 1;  // hypotheses returned, at most width
  LengthPenalty penalty = LengthPenalty::kPower;
  double alpha = 1;  // not negative
};
// Beam search (Sutskever et al. 2014): a hypothesis that ends keeps its place in the beam. For each
// row the n_best of what ended, best score first, then, where fewer ended, of what reached the
// limit. A row is done when nothing it still follows can beat the n_best that ended.
std::vector<std::vector<Hypothesis>> beam_search(StepFunction& function,
                                                 const DecodeOptions& options,
                                                 const BeamOptions& beam = {});

namespace detail {

// What greedy, sampling and beams share: rows that run, steps, and checks.
class DecodingRun {
 public:
  DecodingRun(const char* op, StepFunction& function, const DecodeOptions& options);

  std::size_t limit(std::size_t row) const {
    return options_.limit[options_.limit.size() == 1 ? 0 : row];
  }
  // Log-probabilities [n, V] after these tokens.
  Array step(const std::vector<std::int64_t>& tokens);
  // Goes on with these of the rows that run.
  void select(const std::vector<std::size_t>& rows, std::size_t running);

 private:
  const char* op_;
  StepFunction& function_;
  const DecodeOptions& options_;
};

}  // namespace detail

}  // namespace reel::inline REEL_PRECISION
