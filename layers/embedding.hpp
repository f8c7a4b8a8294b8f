// Embedding: a vector for each index.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// Indices of any shape -> [.., width]. The padding index reads as zeros and is never trained.
struct Embedding {
  Parameter weight;           // [count, width]
  std::int64_t padding = -1;  // -1: none

  // Rows drawn from normal(0, deviation).
  Embedding(std::size_t count, std::size_t width, Random& random, double deviation = 1,
            std::int64_t padding_index = -1);
  // Given vectors [count, width], as from a file of word vectors; frozen or trained.
  explicit Embedding(Array vectors, bool frozen, std::int64_t padding_index = -1);

  Var operator()(const Indices& indices) const;
  static void fields(auto& self, auto&& visit) { visit("weight", self.weight); }
};

}  // namespace reel::inline REEL_PRECISION
