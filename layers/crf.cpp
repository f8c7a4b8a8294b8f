#include <reel/layers/crf.hpp>
#include <reel/layers/lengths.hpp>
#include <reel/layers/recurrent.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

// The forward algorithm as a recurrent cell, so that time and lengths belong to the layer:
// alpha'_j = x_j + log sum_i exp(alpha_i + transition_ij).
struct CrfForward {
  struct State {
    Var alpha;  // [B, K]
  };
  Var transitions;  // [1, K, K]

  State initial_state(std::size_t batch) const { return {zeros({batch, transitions.size(1)})}; }
  State step(const Var& x, const State& s) const {
    const auto rows = static_cast<std::ptrdiff_t>(x.size(0));
    return {x + logsumexp(reshape(s.alpha, {rows, -1, 1}) + transitions, {1})};
  }
  static void fields(auto&, auto&&) {}
};

// The sizes of emissions, and lengths where none were given.
struct Rows {
  std::size_t steps, batch, tags;
  std::vector<std::size_t> lengths;

  Rows(const Shape& shape, std::size_t tag_count, std::span<const std::size_t> given)
      : tags(tag_count), lengths(given.begin(), given.end()) {
    check(shape.size() == 3 && shape[2] == tags, "crf: emissions must be [T, B, {}]; got {}", tags,
          shape);
    steps = shape[0];
    batch = shape[1];
    if (given.empty()) lengths.assign(batch, steps);
    check_lengths(steps, batch, lengths);
  }
};

Indices filled(std::initializer_list<std::size_t> shape, std::int64_t value) {
  return Indices(Indices::shape_type(shape), value);
}

}  // namespace

Crf::Crf(std::size_t tags)
    : transitions(full_array({tags, tags}, 0)),
      start_transitions(full_array({tags}, 0)),
      end_transitions(full_array({tags}, 0)) {
  check<Error>(tags > 0, "crf: there must be at least one tag");
}

Var Crf::negative_log_likelihood(const Var& emissions, const Indices& tags,
                                 std::span<const std::size_t> lengths) const {
  return log_partition(emissions, lengths) - score(emissions, tags, lengths);
}

Var Crf::log_partition(const Var& emissions, std::span<const std::size_t> lengths) const {
  const Rows rows(emissions.shape(), transitions.shape()[0], lengths);
  if (rows.steps == 0) return zeros({rows.batch});
  std::vector<std::size_t> first, rest;
  Array any = empty_array({rows.batch});  // 0 for a row of length zero
  for (std::size_t b = 0; b < rows.batch; ++b) {
    first.push_back(std::min<std::size_t>(rows.lengths[b], 1));
    rest.push_back(rows.lengths[b] - first[b]);
    any(b) = static_cast<real>(first[b]);
  }
  const auto tags = static_cast<std::ptrdiff_t>(rows.tags);
  Var alpha =
      start_transitions + reshape(zero_past_end(slice(emissions, 0, 0, 1), first), {-1, tags});
  if (rows.steps > 1) {
    const Recurrent forward(CrfForward{reshape(transitions, {1, tags, tags})});
    alpha = forward(slice(emissions, 0, 1, static_cast<std::ptrdiff_t>(rows.steps)),
                    {.lengths = rest, .state = CrfForward::State{alpha}, .all_outputs = false})
                .last();
  }
  return where(Var(std::move(any)), logsumexp(alpha + end_transitions, {1}), 0);
}

Var Crf::score(const Var& emissions, const Indices& tags,
               std::span<const std::size_t> lengths) const {
  const Rows rows(emissions.shape(), transitions.shape()[0], lengths);
  check(shape_of(tags) == Shape{rows.steps, rows.batch},
        "crf: tags must be [{}, {}], as the emissions; got {}", rows.steps, rows.batch,
        shape_of(tags));
  if (rows.steps == 0) return zeros({rows.batch});
  const auto count = static_cast<std::int64_t>(rows.tags);
  // -1, which reads as 0, where nothing is to be added.
  Indices emitted = filled({rows.steps, rows.batch}, -1), moved = emitted;
  Indices first = filled({rows.batch}, -1), last = first;
  for (std::size_t b = 0; b < rows.batch; ++b)
    for (std::size_t t = 0; t < rows.lengths[b]; ++t) {
      const std::int64_t tag = tags(t, b);
      check(tag >= 0 && tag < count, "crf: a tag must lie in 0 .. {}; got {}", count - 1, tag);
      emitted(t, b) = tag;
      if (t == 0)
        first(b) = tag;
      else
        moved(t, b) = last(b) * count + tag;
      last(b) = tag;
    }
  const Var steps = pick(emissions, emitted) + gather(reshape(transitions, {-1}), moved);
  return sum(steps, {0}) + gather(start_transitions, first) + gather(end_transitions, last);
}

auto Crf::decode(const Array& emissions, std::span<const std::size_t> lengths) const
    -> std::vector<Path> {
  const Rows rows(shape_of(emissions), transitions.shape()[0], lengths);
  const std::size_t tags = rows.tags;
  for (const Parameter* p : {&transitions, &start_transitions, &end_transitions})
    for (const real score : p->value())
      check<Error>(!std::isnan(score), "crf: a transition must be a number; got nan");
  const real* move = transitions.value().data();
  std::vector<Path> paths(rows.batch, Path{{}, 0});
  for (std::size_t b = 0; b < rows.batch; ++b) {
    const std::size_t length = rows.lengths[b];
    if (length == 0) continue;
    std::vector<real> best(start_transitions.value().begin(), start_transitions.value().end());
    std::vector<real> next(tags);
    std::vector<std::size_t> from(length * tags);  // the tag before, on the best path to each tag
    for (std::size_t t = 0; t < length; ++t) {
      const real* x = emissions.data() + (t * rows.batch + b) * tags;
      for (std::size_t j = 0; j < tags; ++j) {
        std::size_t i = j;
        real score = best[j];
        if (t > 0) {
          i = 0;
          score = best[0] + move[j];
          for (std::size_t k = 1; k < tags; ++k)
            if (const real other = best[k] + move[k * tags + j]; other > score)
              i = k, score = other;
        }
        from[t * tags + j] = i;
        check<Error>(!std::isnan(x[j]),
                     "crf: an emission must be a number; got nan in step {} of row {}", t, b);
        next[j] = score + x[j];
      }
      best.swap(next);
    }
    for (std::size_t j = 0; j < tags; ++j) best[j] += end_transitions.value().data()[j];
    auto tag = static_cast<std::size_t>(std::max_element(best.begin(), best.end()) - best.begin());
    Path& path = paths[b];
    path.score = best[tag];
    path.tags.resize(length);
    for (std::size_t t = length; t-- > 0; tag = from[t * tags + tag])
      path.tags[t] = static_cast<std::int64_t>(tag);
  }
  return paths;
}

}  // namespace reel::inline REEL_PRECISION
