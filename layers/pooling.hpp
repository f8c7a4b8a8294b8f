// One vector per row from its elements in time.
#pragma once

#include <reel/layers/lengths.hpp>
#include <reel/layers/linear.hpp>

namespace reel::inline REEL_PRECISION {

// x [T, B, width] (batch_first: [B, T, width]) -> [B, width]. What lies past a row's end is not
// read, NaN included; no lengths: all are T. A row of length zero gives zeros.
Var last_over_time(const Var& x, std::span<const std::size_t> lengths = {},
                   bool batch_first = false);
Var mean_over_time(const Var& x, std::span<const std::size_t> lengths = {},
                   bool batch_first = false);
// Of equal elements each gets its share of the gradient.
Var max_over_time(const Var& x, std::span<const std::size_t> lengths = {},
                  bool batch_first = false);

// Yang et al. 2016: a mean with weights softmax_t(query' tanh(W x_t + b)).
struct AttentionPooling {
  Linear key;       // [attention, width]
  Parameter query;  // [1, attention]

  AttentionPooling(std::size_t width, std::size_t attention, Random& random)
      : key(width, attention, random), query(glorot(1, attention, random)) {}

  struct Result {
    Var pooled;   // [B, width]
    Var weights;  // [T, B] ([B, T]); of a row they add up to one, or are zeros for length zero
  };
  Result operator()(const Var& x, std::span<const std::size_t> lengths = {},
                    bool batch_first = false) const;
  static void fields(auto& self, auto&& visit) {
    visit("key", self.key);
    visit("query", self.query);
  }
};

}  // namespace reel::inline REEL_PRECISION
