#include <reel/autodiff/row_products.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/attention.hpp>
#include <reel/layers/lengths.hpp>

namespace reel::inline REEL_PRECISION {

Attention::Attention(const Options& options, Random& random) : score(options.score) {
  const std::size_t q = options.query_size, f = options.value_size;
  check<Error>(q > 0 && f > 0, "attention: sizes must be positive; got query {}, value {}", q, f);
  check<Error>(score != AttentionScore::kDot || q == f,
               "attention: a dot product needs queries and values of one width; got {} and {}", q,
               f);
  if (score == AttentionScore::kDot) return;
  if (score == AttentionScore::kGeneral) {
    weight_key = Parameter(glorot(q, f, random));
    return;
  }
  const std::size_t hidden = options.hidden_size > 0 ? options.hidden_size : q;
  weight_query = Parameter(glorot(hidden, q, random));
  weight_key = Parameter(glorot(hidden, f, random));
  Array row = glorot(1, hidden, random);
  row.reshape({hidden});
  weight_score = Parameter(std::move(row));
}

AttentionMemory Attention::memory(const Var& outputs, std::span<const std::size_t> lengths,
                                  bool batch_first) const {
  const Scope scope("attention");
  check(outputs.dim() == 3, "attention: the outputs must be {}; got {}",
        batch_first ? "[B, T, F]" : "[T, B, F]", outputs.shape());
  const Var values = zero_past_end(outputs, lengths, batch_first);
  const std::size_t steps = values.size(batch_first ? 1 : 0),
                    batch = values.size(batch_first ? 0 : 1);
  Array inside = full_array({batch, steps}, 1);
  for (std::size_t row = 0; row < lengths.size(); ++row)
    for (std::size_t t = lengths[row]; t < steps; ++t) inside(row, t) = 0;
  const auto by_row = [&](const Var& x) { return batch_first ? x : permute(x, {1, 0, 2}); };
  const Var keys = score == AttentionScore::kDot ? values : affine(values, weight_key);
  return {by_row(values), by_row(keys), std::move(inside)};
}

auto Attention::operator()(const Var& query, const AttentionMemory& memory) const -> Result {
  const Scope scope("attention");
  check(query.dim() == 2 && query.size(0) == memory.values.size(0),
        "attention: the query must be [{}, Q], a row for each of the memory; got {}",
        memory.values.size(0), query.shape());
  Var scores;
  if (score == AttentionScore::kAdditive) {
    const Var q = affine(query, weight_query);
    const auto batch = static_cast<std::ptrdiff_t>(q.size(0));
    const Var row = reshape(q, {batch, 1, -1});
    scores = row_dots(tanh(memory.keys + row), expand(Var(weight_score), q.shape()));
  } else {
    scores = row_dots(memory.keys, query);
  }
  const Var weights = row_softmax(scores, memory.inside);
  return {row_mix(weights, memory.values), weights};
}

}  // namespace reel::inline REEL_PRECISION
