#include <fmt/format.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/kneser_ney.hpp>

#include <algorithm>
#include <cmath>

namespace reel {
namespace {

constexpr std::int64_t kStart = -1;  // stands before the text, order - 1 times

// Which discount a count has.
std::size_t kind(std::uint32_t count) { return std::min(count, 3U) - 1; }

}  // namespace

KneserNey::KneserNey(std::span<const std::int64_t> text, std::size_t vocabulary, std::size_t order)
    : order_(order), vocabulary_(vocabulary) {
  check<Error>(order > 0 && order < 256, "kneser_ney: the order must lie in 1 .. 255; got {}",
               order);
  check<Error>(!text.empty(), "kneser_ney: the text must have a token");
  for (const std::int64_t token : text) check_token("text", token);
  count(text);
}

void KneserNey::check_token(const char* what, std::int64_t token) const {
  check<Error>(token >= 0 && std::cmp_less(token, vocabulary_),
               "kneser_ney: tokens of the {} must lie in 0 .. {}; got {}", what, vocabulary_ - 1,
               token);
}

std::uint32_t KneserNey::next(std::uint32_t node, std::int64_t token) const {
  if (node == kNowhere) return kNowhere;
  const auto found = edges_.find(edge(node, token));
  return found == edges_.end() ? kNowhere : found->second;
}

void KneserNey::count(std::span<const std::int64_t> text) {
  nodes_.resize(1);
  std::vector<std::uint32_t> parents{kRoot};
  std::vector<std::uint8_t> depths{0};
  std::vector<bool> is_text{false};  // does it end in a token, not in the start?
  // ends[k]: the node of the last k tokens.
  std::vector<std::uint32_t> ends(order_ + 1, kNowhere), longer(order_ + 1);
  ends[0] = longer[0] = kRoot;
  const auto read = [&](std::int64_t token) {
    for (std::size_t k = 1; k <= order_; ++k) {
      if (ends[k - 1] == kNowhere) {
        longer[k] = kNowhere;
        continue;
      }
      const auto [at, is_new] = edges_.emplace(edge(ends[k - 1], token), nodes_.size());
      longer[k] = at->second;
      if (is_new) {
        nodes_.emplace_back();
        parents.push_back(ends[k - 1]);
        depths.push_back(static_cast<std::uint8_t>(k));
        is_text.push_back(token != kStart);
        if (k > 1) ++nodes_[longer[k - 1]].count;  // one more token before the shorter one
      }
      if (k == order_) ++nodes_[longer[k]].count;
    }
    std::swap(ends, longer);
  };
  for (std::size_t i = 1; i < order_; ++i) read(kStart);
  for (const std::int64_t token : text) read(token);

  // From here on depth 0 means: no n-gram to count.
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    if (!is_text[n]) depths[n] = 0;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    if (depths[n] == 0) continue;
    Node& context = nodes_[parents[n]];
    context.total += nodes_[n].count;
    ++context.followers[kind(nodes_[n].count)];
  }
  estimate_discounts(depths);
}

void KneserNey::estimate_discounts(const std::vector<std::uint8_t>& depths) {
  std::vector<std::array<double, 4>> with_count(order_);  // how many n-grams have counts 1 .. 4
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    if (depths[n] > 0 && nodes_[n].count <= 4) ++with_count[depths[n] - 1U][nodes_[n].count - 1];
  for (const auto& n : with_count) {
    std::array<double, 3> discounts{};
    bool usable = true;
    const double y = n[0] / (n[0] + 2 * n[1]);
    for (std::size_t c = 1; c <= 3; ++c) {
      const auto count = static_cast<double>(c);
      discounts[c - 1] = count - (count + 1) * y * n[c] / n[c - 1];
      // Without a discount nothing would be left for what was not seen.
      usable = usable && n[c] > 0 && n[c - 1] > 0 && discounts[c - 1] > 1e-6;
    }
    discounts_.push_back(usable ? discounts : std::array{0.5, 1.0, 1.5});
  }
}

double KneserNey::probability_after(std::span<const std::uint32_t> ends, std::int64_t token) const {
  double p = 1 / static_cast<double>(vocabulary_);
  for (std::size_t k = 0; k < order_; ++k) {
    if (ends[k] == kNowhere) break;  // then no longer one was seen either
    const Node& context = nodes_[ends[k]];
    if (context.total == 0) continue;
    const auto& discounts = discounts_[k];
    double left = 0;
    for (std::size_t i = 0; i < 3; ++i) left += discounts[i] * context.followers[i];
    p *= left / context.total;
    if (const std::uint32_t n = next(ends[k], token); n != kNowhere)
      p += (nodes_[n].count - discounts[kind(nodes_[n].count)]) / context.total;
  }
  return p;
}

double KneserNey::probability(std::span<const std::int64_t> context, std::int64_t token) const {
  check_token("question", token);
  std::vector<std::uint32_t> ends(order_, kNowhere);
  for (std::size_t k = 0; k < std::min(order_, context.size() + 1); ++k) {
    ends[k] = kRoot;
    for (const std::int64_t before : context.last(k)) {
      check_token("context", before);
      ends[k] = next(ends[k], before);
    }
  }
  return probability_after(ends, token);
}

double KneserNey::cross_entropy(std::span<const std::int64_t> text) const {
  check<Error>(text.size() > 1, "kneser_ney: a text to measure must have two tokens; got {}",
               text.size());
  std::vector<std::uint32_t> ends(order_ + 1, kNowhere), longer(order_ + 1);
  ends[0] = longer[0] = kRoot;
  double sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    check_token("text", text[i]);
    if (i > 0) sum -= std::log(probability_after(std::span(ends).first(order_), text[i]));
    for (std::size_t k = 1; k <= order_; ++k) longer[k] = next(ends[k - 1], text[i]);
    std::swap(ends, longer);
  }
  return sum / static_cast<double>(text.size() - 1);
}

}  // namespace reel
