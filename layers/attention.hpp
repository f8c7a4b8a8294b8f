// Attention over the outputs of an encoder, whose rows may have different lengths.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/module.hpp>

#include <span>

namespace reel::inline REEL_PRECISION {

// What is attended to, made once per sequence; a state (see state.hpp), whose rows are gathered
// for beams. Past a row's end values are zeros.
struct AttentionMemory {
  Var values;  // [B, T, F]
  Var keys;    // [B, T, K], what queries are compared with
  Var inside;  // [B, T], 1 up to the row's end, then 0
};

// How a query q is compared with a value v.
enum class AttentionScore {
  kAdditive,  // w' tanh(W q + U v) (Bahdanau et al. 2015)
  kDot,       // q' v (Luong et al. 2015), both of one width
  kGeneral,   // q' W v (Luong et al. 2015)
};

// Weights softmax_t(score(q, v_t)) over each row's own values, and the mean of these with those
// weights. Past a row's end weights and gradients are 0 and nothing is read, NaN included; a row
// of length 0 has the weights 0 and the context 0.
struct Attention {
  struct Options {
    AttentionScore score = AttentionScore::kGeneral;
    std::size_t query_size = 0, value_size = 0;
    std::size_t hidden_size = 0;  // of an additive score; 0: query_size
  };
  struct Result {
    Var context;  // [B, F]
    Var weights;  // [B, T]
  };

  AttentionScore score;
  Parameter weight_query;  // W [hidden, Q], additive
  Parameter weight_key;    // U [hidden, F], additive; W [Q, F], general
  Parameter weight_score;  // w [hidden], additive

  Attention(const Options& options, Random& random);

  // outputs [T, B, F], or [B, T, F] with batch_first; no lengths: all are T. Throws ShapeError
  // unless each row has a length of at most T.
  AttentionMemory memory(const Var& outputs, std::span<const std::size_t> lengths = {},
                         bool batch_first = false) const;
  // query [B, Q]
  Result operator()(const Var& query, const AttentionMemory& memory) const;

  static void fields(auto& self, auto&& visit) {
    if (self.score == AttentionScore::kAdditive) visit("weight_query", self.weight_query);
    if (self.score != AttentionScore::kDot) visit("weight_key", self.weight_key);
    if (self.score == AttentionScore::kAdditive) visit("weight_score", self.weight_score);
  }
};

}  // namespace reel::inline REEL_PRECISION
