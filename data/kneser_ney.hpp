// N-gram language models: the baseline that a recurrent one is measured against.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace reel {

// Interpolated modified Kneser-Ney (Chen & Goodman 1999, section 4.1.6), of tokens 0 .. vocabulary
// - 1. With c the count of an n-gram in the text or, below the highest order, the number of
// different tokens seen before it (that the text begins counting as one), for a context h that was
// seen
//
//   p(w | h) = max(0, c(h w) - D(c(h w))) / c(h) + g(h) p(w | h')
//
// where c(h) sums c(h w) over w; h' is h less its first token; g(h) gives to p(w | h') what D took
// away; the lowest order goes over into 1 / vocabulary. D(c) is D1, D2 or, from 3 on, D3, by order,
// estimated from how many n-grams have counts 1 to 4: y = n1 / (n1 + 2 n2), Dc = c - (c + 1) y
// n(c+1) / n(c). In texts so small that one of these numbers is 0 or some Dc not in [0, c], the
// order's discounts are 0.5, 1 and 1.5. Of a context that was not seen, p(w | h) = p(w | h').
class KneserNey {
 public:
  // Throws Error unless order > 0, the text has a token and all tokens are in 0 .. vocabulary - 1.
  KneserNey(std::span<const std::int64_t> text, std::size_t vocabulary, std::size_t order = 5);

  // p(token | context), the context being the tokens before it, of which the last order - 1 count.
  double probability(std::span<const std::int64_t> context, std::int64_t token) const;
  // Mean of -log p of all tokens of a text but the first, each given all that come before it:
  // nats. Throws Error unless there are two tokens.
  double cross_entropy(std::span<const std::int64_t> text) const;

  std::size_t order() const { return order_; }
  std::array<double, 3> discounts(std::size_t order) const { return discounts_.at(order - 1); }

 private:
  // A sequence of tokens that was seen, as an n-gram and as the context of longer ones.
  struct Node {
    std::uint32_t count = 0;  // c of the n-gram
    std::uint32_t total = 0;  // c of the context
    // How many different tokens follow with c = 1, 2, and more.
    std::array<std::uint32_t, 3> followers{};
  };
  static constexpr std::uint32_t kRoot = 0;                     // the empty sequence
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};  // was not seen

  static std::uint64_t edge(std::uint32_t node, std::int64_t token) {
    return std::uint64_t{node} << 32 | static_cast<std::uint32_t>(token);
  }
  std::uint32_t next(std::uint32_t node, std::int64_t token) const;
  void check_token(const char* what, std::int64_t token) const;
  void count(std::span<const std::int64_t> text);
  void estimate_discounts(const std::vector<std::uint8_t>& depths);
  // ends[k]: the sequence of the last k tokens before the one in question.
  double probability_after(std::span<const std::uint32_t> ends, std::int64_t token) const;

  std::size_t order_, vocabulary_;
  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // (sequence, token) -> longer sequence
  std::vector<std::array<double, 3>> discounts_;            // of each order
};

}  // namespace reel
