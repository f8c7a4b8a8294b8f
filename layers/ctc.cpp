#include <reel/layers/ctc.hpp>
#include <reel/layers/lengths.hpp>
#include <reel/layers/recurrent.hpp>

#include <limits>

namespace reel::inline REEL_PRECISION {
namespace {

// log 0: far below any logarithm of a probability, and yet a number.
constexpr real kNever = real(-1e30);

// The forward algorithm as a recurrent cell, so that time and lengths belong to the layer. State s
// of S = 2 L + 1 stands before, in or after a label: blank, l_1, blank, .., l_L, blank.
// alpha'_s = x_s + log(exp alpha_s + exp alpha_s-1 + exp(alpha_s-2 + skip_s))
struct CtcForward {
  struct State {
    Var alpha;  // [B, 2 + S]: two that are never reached, so that s - 2 is there
    Var skip;   // [B, S]: 0 where a blank may be left out, else log 0
  };
  std::size_t states;  // S

  // Before the first step alpha is in s = -1, from where state 0 is next and 1 after a skip.
  State initial_state(std::size_t batch) const {
    Array alpha = full_array({batch, 2 + states}, kNever);
    for (std::size_t b = 0; b < batch; ++b) alpha(b, 1) = 0;
    return {Var(std::move(alpha)), zeros({batch, states})};
  }
  State step(const Var& x, const State& s) const {
    const auto width = static_cast<std::ptrdiff_t>(states);
    const auto add = [](auto stay, auto next, auto after, auto skip, auto x) {
      const auto over = after + skip;
      const auto m = max(stay, max(next, over));
      return x + m + log(exp(stay - m) + exp(next - m) + exp(over - m));
    };
    const Var alpha =
        pointwise("ctc", add, slice(s.alpha, 1, 2, 2 + width), slice(s.alpha, 1, 1, 1 + width),
                  slice(s.alpha, 1, 0, width), s.skip, x);
    return {concat({Var(full_array({x.size(0), 2}, kNever)), alpha}, 1), s.skip};
  }
  static void fields(auto&, auto&&) {}
};

// What the targets of a batch say, for the cell and for what is read at its end.
struct CtcGraph {
  std::size_t steps, batch, symbols;
  std::vector<std::size_t> lengths;
  std::size_t states = 1;  // of the longest target
  Array skip, feasible;    // [B, S], [B]

  CtcGraph(const Shape& shape, std::span<const std::size_t> given, std::span<const Labels> targets,
           std::int64_t blank)
      : lengths(given.begin(), given.end()) {
    check(shape.size() == 3, "ctc_loss: logits must be [T, B, K]; got {}", shape);
    steps = shape[0];
    batch = shape[1];
    symbols = shape[2];
    if (given.empty()) lengths.assign(batch, steps);
    check_lengths(steps, batch, lengths);
    check(targets.size() == batch, "ctc_loss: there must be a target for each of {} rows; got {}",
          batch, targets.size());
    for (const Labels& target : targets) {
      states = std::max(states, 2 * target.size() + 1);
      for (const std::int64_t label : target)
        check(label >= 0 && label < static_cast<std::int64_t>(symbols) && label != blank,
              "ctc_loss: a label must lie in 0 .. {} and not be the blank, {}; got {}", symbols - 1,
              blank, label);
    }
    skip = full_array({batch, states}, kNever);
    feasible = empty_array({batch});
    for (std::size_t b = 0; b < batch; ++b) {
      const Labels& target = targets[b];
      std::size_t needed = target.size();
      for (std::size_t l = 0; l < target.size(); ++l) {
        const bool repeats = l > 0 && target[l] == target[l - 1];
        needed += repeats;
        if (!repeats) skip(b, 2 * l + 1) = 0;
      }
      feasible(b) = needed <= lengths[b];
    }
  }

  // For each step, row and state its logit's place among all; -1: none.
  Indices places(std::span<const Labels> targets, std::int64_t blank) const {
    Indices places(Indices::shape_type{steps, batch, states}, -1);
    for (std::size_t b = 0; b < batch; ++b)
      for (std::size_t t = 0; t < lengths[b]; ++t)
        for (std::size_t s = 0; s < 2 * targets[b].size() + 1; ++s) {
          const std::int64_t symbol = s % 2 == 0 ? blank : targets[b][s / 2];
          places(t, b, s) = static_cast<std::int64_t>((t * batch + b) * symbols) + symbol;
        }
    return places;
  }
};

}  // namespace

Var ctc_loss(const Var& logits, std::span<const std::size_t> lengths,
             std::span<const Labels> targets, const CtcOptions& options) {
  const CtcGraph graph(logits.shape(), lengths, targets, options.blank);
  check(options.blank >= 0 && options.blank < static_cast<std::int64_t>(graph.symbols),
        "ctc_loss: the blank must lie in 0 .. {}; got {}", graph.symbols - 1, options.blank);
  const Var log_p = log_softmax(zero_past_end(logits, graph.lengths));
  const Var x = max(gather(reshape(log_p, {-1}), graph.places(targets, options.blank)), kNever);

  const Recurrent forward(CtcForward{graph.states});
  CtcForward::State start = forward.initial_state(graph.batch);
  start.skip = Var(graph.skip);
  const Var alpha =
      forward(x, {.lengths = graph.lengths, .state = start, .all_outputs = false}).last();
  // A path ends in the last label or the blank after it.
  Indices label = Indices::from_shape({graph.batch}), blank = label;
  for (std::size_t b = 0; b < graph.batch; ++b) {
    blank(b) = static_cast<std::int64_t>(2 * targets[b].size() + 2);
    label(b) = blank(b) - 1;
  }
  const real impossible = options.zero_infinity ? 0 : std::numeric_limits<real>::infinity();
  const auto loss = [impossible](auto a, auto b, auto feasible) {
    const auto m = max(a, b);
    const auto some = -(m + log(exp(a - m) + exp(b - m)));
    return where(feasible == 0, impossible, where(m <= kNever / 2, impossible, some));
  };
  return pointwise("ctc", loss, pick(alpha, label), pick(alpha, blank), Var(graph.feasible));
}

}  // namespace reel::inline REEL_PRECISION
