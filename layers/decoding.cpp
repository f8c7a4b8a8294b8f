#include <reel/autodiff/parameter_scope.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/decoding.hpp>

#include <algorithm>
#include <numeric>

namespace reel::inline REEL_PRECISION {

namespace detail {

DecodingRun::DecodingRun(const char* op, StepFunction& function, const DecodeOptions& options)
    : op_(op), function_(function), options_(options) {
  check<Error>(!options.start.empty(), "{}: start must have a token for each row; got none", op);
  check<Error>(options.limit.size() == 1 || options.limit.size() == options.start.size(),
               "{}: limit must be one number or one per row; got {} for {} rows", op,
               options.limit.size(), options.start.size());
  for (const std::size_t limit : options.limit)
    check<Error>(limit > 0, "{}: limit must allow a token; got 0", op);
  check<Error>(options.end >= -1, "{}: end must be a token, or -1 for none; got {}", op,
               options.end);
}

Array DecodingRun::step(const std::vector<std::int64_t>& tokens) {
  Indices last = Indices::from_shape({tokens.size()});
  std::copy(tokens.begin(), tokens.end(), last.begin());
  const Var scores = function_.step(last);
  check(scores.dim() == 2 && scores.size(0) == tokens.size() && scores.size(1) > 0,
        "{}: the step's scores must be [{}, tokens]; got {}", op_, tokens.size(), scores.shape());
  check<Error>(options_.end < static_cast<std::int64_t>(scores.size(1)),
               "{}: end must be one of the {} tokens that have scores; got {}", op_, scores.size(1),
               options_.end);
  Array log_p = log_softmax(scores).value();
  const auto is_nan = [](real x) { return x != x; };
  const real* const nan = std::find_if(log_p.data(), log_p.data() + log_p.size(), is_nan);
  check<Error>(nan == log_p.data() + log_p.size(),
               "{}: the scores of a row must be numbers or -inf, one at least a number; got others "
               "in row {}",
               op_, (nan - log_p.data()) / static_cast<std::ptrdiff_t>(scores.size(1)));
  return log_p;
}

void DecodingRun::select(const std::vector<std::size_t>& rows, std::size_t running) {
  bool all = rows.size() == running;
  for (std::size_t i = 0; i < rows.size() && all; ++i) all = rows[i] == i;
  if (all) return;
  Indices indices = Indices::from_shape({rows.size()});
  std::copy(rows.begin(), rows.end(), indices.begin());
  function_.select(indices);
}

}  // namespace detail

namespace {

// choose(row, log_p of V tokens, V) -> token, for each row until it ends.
template <class Choose>
std::vector<Hypothesis> decode(const char* op, StepFunction& function, const DecodeOptions& options,
                               Choose&& choose) {
  const PauseRecording pause;
  const ParameterScope parameters;
  detail::DecodingRun run(op, function, options);
  std::vector<Hypothesis> all(options.start.size());
  std::vector<std::size_t> rows(all.size());  // that run
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::vector<std::int64_t> last = options.start;
  for (std::size_t steps = 1; !rows.empty(); ++steps) {
    const Array log_p = run.step(last);
    std::vector<std::size_t> stay, still;
    last.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t row = rows[i];
      const real* const scores = log_p.data() + i * log_p.shape(1);
      const std::int64_t token = choose(row, scores, log_p.shape(1));
      Hypothesis& h = all[row];
      h.score = h.log_probability += static_cast<double>(scores[token]);
      h.ended = token == options.end;
      if (h.ended) continue;
      h.tokens.push_back(token);
      const bool go_on = !options.on_token || options.on_token(row, token);
      if (!go_on || steps == run.limit(row)) continue;
      stay.push_back(i);
      still.push_back(row);
      last.push_back(token);
    }
    if (!stay.empty()) run.select(stay, rows.size());
    rows = std::move(still);
  }
  return all;
}

// One token of those that SampleOptions leave.
class Sampler {
 public:
  explicit Sampler(const SampleOptions& how) : how_(how) {
    check<Error>(how.temperature > 0 && std::isfinite(how.temperature),
                 "sample: the temperature must be positive; got {}", how.temperature);
    check<Error>(how.top_p > 0 && how.top_p <= 1, "sample: top_p must lie in (0, 1]; got {}",
                 how.top_p);
  }

  std::int64_t operator()(const real* log_p, std::size_t count, Random& random) {
    tokens_.clear();
    for (std::size_t i = 0; i < count; ++i)
      if (log_p[i] > -std::numeric_limits<real>::infinity())
        tokens_.push_back(static_cast<std::int64_t>(i));
    const auto likelier = [&](std::int64_t a, std::int64_t b) {
      return log_p[a] != log_p[b] ? log_p[a] > log_p[b] : a < b;
    };
    if (how_.top_k > 0 && how_.top_k < tokens_.size()) {
      const auto end = tokens_.begin() + static_cast<std::ptrdiff_t>(how_.top_k);
      std::nth_element(tokens_.begin(), end, tokens_.end(), likelier);
      tokens_.resize(how_.top_k);
    }
    if (how_.top_k > 0 || how_.top_p < 1) std::sort(tokens_.begin(), tokens_.end(), likelier);
    const real most = log_p[*std::min_element(tokens_.begin(), tokens_.end(), likelier)];
    double total = 0;
    sums_.clear();  // of probabilities, up to and with each token
    for (const std::int64_t token : tokens_)
      sums_.push_back(total +=
                      std::exp(static_cast<double>(log_p[token] - most) / how_.temperature));
    if (how_.top_p < 1) {
      const auto reaches = std::lower_bound(sums_.begin(), sums_.end(), how_.top_p * total);
      sums_.erase(std::next(reaches), sums_.end());
    }
    const auto drawn =
        std::upper_bound(sums_.begin(), sums_.end(), random.uniform() * sums_.back());
    const auto at = std::min<std::ptrdiff_t>(drawn - sums_.begin(),
                                             static_cast<std::ptrdiff_t>(sums_.size()) - 1);
    return tokens_[static_cast<std::size_t>(at)];
  }

 private:
  SampleOptions how_;
  std::vector<std::int64_t> tokens_;
  std::vector<double> sums_;
};

}  // namespace

std::vector<Hypothesis> greedy(StepFunction& function, const DecodeOptions& options) {
  return decode("greedy", function, options, [](std::size_t, const real* log_p, std::size_t count) {
    return std::max_element(log_p, log_p + count) - log_p;
  });
}

std::vector<Hypothesis> sample(StepFunction& function, const DecodeOptions& options,
                               const SampleOptions& how, Random& random) {
  Sampler sampler(how);
  std::vector<Random> of_row;
  for (std::size_t row = 0; row < options.start.size(); ++row) of_row.emplace_back(random.bits());
  return decode("sample", function, options,
                [&](std::size_t row, const real* log_p, std::size_t count) {
                  return sampler(log_p, count, of_row[row]);
                });
}

}  // namespace reel::inline REEL_PRECISION
