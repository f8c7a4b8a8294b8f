#include <reel/autodiff/parameter_scope.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/decoding.hpp>

#include <algorithm>
#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

// A sequence as its last token and the sequence before it, an index into all of them.
struct Link {
  std::int64_t token;
  std::size_t before;
};
constexpr std::size_t kNothing = static_cast<std::size_t>(-1);

struct Live {
  std::size_t sequence;  // index of its Link
  double log_p;
};
struct Candidate {
  std::size_t row;  // of those that run
  std::int64_t token;
  double log_p;
};

// The `count` best of all rows' candidates, in falling order; of equal ones the first.
class Best {
 public:
  explicit Best(std::size_t count) : count_(count) {}
  void add(std::size_t row, double before, const real* log_p, std::size_t tokens) {
    for (std::size_t i = 0; i < tokens; ++i) {
      const double sum = before + static_cast<double>(log_p[i]);
      if (sum > least_) insert({row, static_cast<std::int64_t>(i), sum});
    }
  }
  const std::vector<Candidate>& all() const { return best_; }

 private:
  void insert(const Candidate& candidate) {
    const auto worse = [&](const Candidate& other) { return other.log_p < candidate.log_p; };
    best_.insert(std::find_if(best_.begin(), best_.end(), worse), candidate);
    if (best_.size() > count_) best_.pop_back();
    if (best_.size() == count_) least_ = best_.back().log_p;
  }
  std::size_t count_;
  double least_ = -std::numeric_limits<double>::infinity();
  std::vector<Candidate> best_;
};

class Beams {
 public:
  Beams(StepFunction& function, const DecodeOptions& options, const BeamOptions& beam)
      : run_("beam_search", function, options), options_(options), beam_(beam) {
    check<Error>(beam.width > 0, "beam_search: the width must be positive; got 0");
    check<Error>(beam.n_best > 0 && beam.n_best <= beam.width,
                 "beam_search: n_best must lie in 1 .. {}, the width; got {}", beam.width,
                 beam.n_best);
    check<Error>(beam.alpha >= 0 && std::isfinite(beam.alpha),
                 "beam_search: alpha must not be negative; got {}", beam.alpha);
    live_.resize(options.start.size(), {{kNothing, 0}});
    done_.resize(options.start.size());
  }

  std::vector<std::vector<Hypothesis>> search() {
    std::vector<std::int64_t> last = options_.start;
    for (steps_ = 1; !last.empty(); ++steps_) {
      const Array log_p = run_.step(last);
      const std::size_t running = last.size();
      std::vector<std::size_t> from;
      last.clear();
      for (std::size_t source = 0, row = 0; source < live_.size(); ++source)
        row += advance(source, row, log_p, from, last);
      if (!last.empty()) run_.select(from, running);
    }
    return std::move(done_);
  }

 private:
  double penalty(std::size_t length) const {
    const auto n = static_cast<double>(length);
    return std::pow(beam_.penalty == LengthPenalty::kWu ? (5 + n) / 6 : n, beam_.alpha);
  }
  static bool better(const Hypothesis& a, const Hypothesis& b) {
    return a.ended != b.ended ? a.ended : a.score > b.score;
  }

  // One step of one source, whose live rows begin at `first`; returns how many they were.
  std::size_t advance(std::size_t source, std::size_t first, const Array& log_p,
                      std::vector<std::size_t>& from, std::vector<std::int64_t>& last) {
    std::vector<Live>& live = live_[source];
    const std::size_t rows = live.size();
    if (rows == 0) return 0;
    Best best(beam_.width - done_[source].size());
    for (std::size_t i = 0; i < rows; ++i)
      best.add(i, live[i].log_p, log_p.data() + (first + i) * log_p.shape(1), log_p.shape(1));

    std::vector<Live> next;
    std::vector<Candidate> chosen;
    for (const Candidate& c : best.all()) {
      const std::size_t before = live[c.row].sequence;
      if (c.token == options_.end) {
        finish(source, before, c.log_p, true);
        continue;
      }
      links_.push_back({c.token, before});
      next.push_back({links_.size() - 1, c.log_p});
      chosen.push_back(c);
    }
    live = std::move(next);
    if (is_done(source)) {
      live.clear();
      std::stable_sort(done_[source].begin(), done_[source].end(), better);
      if (done_[source].size() > beam_.n_best) done_[source].resize(beam_.n_best);
      return rows;
    }
    for (const Candidate& c : chosen) {
      from.push_back(first + c.row);
      last.push_back(c.token);
    }
    return rows;
  }

  void finish(std::size_t source, std::size_t sequence, double log_p, bool ended) {
    Hypothesis h{.log_probability = log_p, .score = log_p / penalty(steps_), .ended = ended};
    for (; sequence != kNothing; sequence = links_[sequence].before)
      h.tokens.push_back(links_[sequence].token);
    std::reverse(h.tokens.begin(), h.tokens.end());
    done_[source].push_back(std::move(h));
  }

  bool is_done(std::size_t source) {
    const std::vector<Live>& live = live_[source];
    if (live.empty()) return true;
    if (steps_ == run_.limit(source)) {
      for (const Live& l : live) finish(source, l.sequence, l.log_p, false);
      return true;
    }
    std::vector<double> ended;
    for (const Hypothesis& h : done_[source]) ended.push_back(h.score);
    if (ended.size() < beam_.n_best) return false;
    const auto last_kept = ended.begin() + static_cast<std::ptrdiff_t>(beam_.n_best) - 1;
    std::nth_element(ended.begin(), last_kept, ended.end(), std::greater<>());
    // log p only falls, and the penalty grows up to the limit; live ones are in falling order.
    return *last_kept >= live.front().log_p / penalty(run_.limit(source));
  }

  detail::DecodingRun run_;
  const DecodeOptions& options_;
  BeamOptions beam_;
  std::size_t steps_ = 0;
  std::vector<Link> links_;
  std::vector<std::vector<Live>> live_;        // of each source
  std::vector<std::vector<Hypothesis>> done_;  // of each source
};

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(StepFunction& function,
                                                 const DecodeOptions& options,
                                                 const BeamOptions& beam) {
  const PauseRecording pause;
  const ParameterScope parameters;
  return Beams(function, options, beam).search();
}

}  // namespace reel::inline REEL_PRECISION
