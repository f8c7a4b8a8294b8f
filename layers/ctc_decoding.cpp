#include <reel/layers/ctc.hpp>
#include <reel/layers/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

namespace reel::inline REEL_PRECISION {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
  const double m = std::max(a, b);
  return m == kNever ? m : m + std::log1p(std::exp(std::min(a, b) - m));
}

// The log probabilities of a row's steps.
class Row {
 public:
  Row(const char* op, const Array& logits, std::size_t row, std::size_t length)
      : length_(length), symbols_(logits.shape()[2]), log_p_(length * symbols_) {
    for (std::size_t t = 0; t < length; ++t) {
      const real* x = logits.data() + (t * logits.shape()[1] + row) * symbols_;
      check<Error>(std::none_of(x, x + symbols_, [](real logit) { return std::isnan(logit); }),
                   "{}: a logit must be a number; got nan in step {} of row {}", op, t, row);
      const double top = *std::max_element(x, x + symbols_);
      check<Error>(std::isfinite(top),
                   "{}: the largest logit must be finite; got {} in step {} of row {}", op, top, t,
                   row);
      double mass = 0;
      for (std::size_t k = 0; k < symbols_; ++k) mass += std::exp(x[k] - top);
      for (std::size_t k = 0; k < symbols_; ++k)
        log_p_[t * symbols_ + k] = x[k] - top - std::log(mass);
    }
  }
  std::size_t length() const { return length_; }
  std::span<const double> step(std::size_t t) const {
    return std::span(log_p_).subspan(t * symbols_, symbols_);
  }

 private:
  std::size_t length_, symbols_;
  std::vector<double> log_p_;
};

// act(row) for each row of the batch.
void for_each_row(const char* op, const Array& logits, std::span<const std::size_t> lengths,
                  std::int64_t blank, auto&& act) {
  const Shape shape = shape_of(logits);
  check(shape.size() == 3 && blank >= 0 && static_cast<std::size_t>(blank) < shape[2],
        "{}: logits must be [T, B, K] and the blank one of the K; got {}, blank {}", op, shape,
        blank);
  if (!lengths.empty()) check_lengths(shape[0], shape[1], lengths);
  for (std::size_t b = 0; b < shape[1]; ++b)
    act(Row(op, logits, b, lengths.empty() ? shape[0] : lengths[b]));
}

// Prefixes as a tree, and how likely the paths are that stand for each at a step.
class PrefixBeam {
 public:
  PrefixBeam(const CtcBeamOptions& options) : options_(options) {}

  void step(std::span<const double> log_p) {
    const auto blank = static_cast<std::size_t>(options_.blank);
    std::vector<Candidate> next;
    std::unordered_map<std::size_t, std::size_t> place;  // of a prefix in the beam
    for (std::size_t i = 0; i < beam_.size(); ++i) place[beam_[i].prefix] = i;
    for (const Entry& e : beam_) {
      const std::int64_t last = prefixes_[e.prefix].label;
      double label = kNever;
      if (last >= 0) {
        label = e.label + log_p[static_cast<std::size_t>(last)];
        // Its parent, if that is in the beam too, leads here.
        if (const auto parent = place.find(prefixes_[e.prefix].parent); parent != place.end())
          label = log_add(label, extended(beam_[parent->second], last, log_p));
      }
      next.push_back({{e.prefix, e.total() + log_p[blank], label}, -1});
    }
    for (const Entry& e : beam_)
      for (std::size_t k = 0; k < log_p.size(); ++k) {
        const auto label = static_cast<std::int64_t>(k);
        if (k == blank) continue;
        const auto child = children_.find({e.prefix, label});
        if (child != children_.end() && place.contains(child->second)) continue;  // done above
        next.push_back({{e.prefix, kNever, extended(e, label, log_p)}, label});
      }
    prune(next);
  }

  std::vector<CtcHypothesis> best() const {
    std::vector<CtcHypothesis> hypotheses;
    for (std::size_t i = 0; i < std::min(options_.n_best, beam_.size()); ++i) {
      CtcHypothesis& h = hypotheses.emplace_back(CtcHypothesis{{}, beam_[i].total()});
      for (std::size_t p = beam_[i].prefix; p != 0; p = prefixes_[p].parent)
        h.labels.push_back(prefixes_[p].label);
      std::reverse(h.labels.begin(), h.labels.end());
    }
    return hypotheses;
  }

 private:
  struct Prefix {
    std::size_t parent;
    std::int64_t label;  // its last; -1: the empty prefix
  };
  // Of the paths for a prefix, log probability of those that end in a blank, and in its last label.
  struct Entry {
    std::size_t prefix;
    double blank, label;
    double total() const { return log_add(blank, label); }
  };
  struct Candidate {
    Entry entry;
    std::int64_t extension;  // to be put behind the prefix; -1: none
    double total = entry.total();
  };

  // e and then the label: after the same label a blank must stand between.
  double extended(const Entry& e, std::int64_t label, std::span<const double> log_p) const {
    const double from = label == prefixes_[e.prefix].label ? e.blank : e.total();
    return from + log_p[static_cast<std::size_t>(label)];
  }
  void prune(std::vector<Candidate>& next) {
    std::stable_sort(next.begin(), next.end(),
                     [](const Candidate& a, const Candidate& b) { return a.total > b.total; });
    if (next.size() > options_.beam_width) next.resize(options_.beam_width);
    beam_.clear();
    for (Candidate& c : next) {
      if (c.total == kNever) break;
      if (c.extension >= 0) c.entry.prefix = child(c.entry.prefix, c.extension);
      beam_.push_back(c.entry);
    }
  }
  std::size_t child(std::size_t prefix, std::int64_t label) {
    const auto [at, is_new] = children_.try_emplace({prefix, label}, prefixes_.size());
    if (is_new) prefixes_.push_back({prefix, label});
    return at->second;
  }

  const CtcBeamOptions options_;
  std::vector<Prefix> prefixes_{{0, -1}};
  std::map<std::pair<std::size_t, std::int64_t>, std::size_t> children_;
  std::vector<Entry> beam_{{0, 0, kNever}};  // likeliest first
};

}  // namespace

std::vector<CtcHypothesis> ctc_greedy(const Array& logits, std::span<const std::size_t> lengths,
                                      std::int64_t blank) {
  std::vector<CtcHypothesis> hypotheses;
  for_each_row("ctc_greedy", logits, lengths, blank, [&](const Row& row) {
    CtcHypothesis& h = hypotheses.emplace_back(CtcHypothesis{{}, 0});
    std::int64_t last = blank;
    for (std::size_t t = 0; t < row.length(); ++t) {
      const auto log_p = row.step(t);
      const auto best = std::max_element(log_p.begin(), log_p.end());
      const std::int64_t symbol = best - log_p.begin();
      h.log_probability += *best;
      if (symbol != blank && symbol != last) h.labels.push_back(symbol);
      last = symbol;
    }
  });
  return hypotheses;
}

std::vector<std::vector<CtcHypothesis>> ctc_beam_search(const Array& logits,
                                                        std::span<const std::size_t> lengths,
                                                        const CtcBeamOptions& options) {
  check<Error>(options.beam_width > 0 && options.n_best > 0,
               "ctc_beam_search: beam_width and n_best must be positive; got {} and {}",
               options.beam_width, options.n_best);
  std::vector<std::vector<CtcHypothesis>> all;
  for_each_row("ctc_beam_search", logits, lengths, options.blank, [&](const Row& row) {
    PrefixBeam beam(options);
    for (std::size_t t = 0; t < row.length(); ++t) beam.step(row.step(t));
    all.push_back(beam.best());
  });
  return all;
}

}  // namespace reel::inline REEL_PRECISION
