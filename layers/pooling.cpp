#include <reel/layers/pooling.hpp>
#include <reel/layers/schedule.hpp>

#include <limits>

namespace reel::inline REEL_PRECISION {
namespace {

struct Time {
  std::size_t steps, batch;
  std::ptrdiff_t axis;
  std::span<const std::size_t> lengths;

  Time(const char* op, const Var& x, std::span<const std::size_t> l, bool batch_first)
      : axis(batch_first ? 1 : 0), lengths(l) {
    check(x.dim() == 3, "{}: x must be {}; got {}", op,
          batch_first ? "[B, T, width]" : "[T, B, width]", x.shape());
    steps = x.size(axis);
    batch = x.size(1 - axis);
    if (!lengths.empty()) check_lengths(steps, batch, lengths);
  }
  std::size_t length(std::size_t row) const { return lengths.empty() ? steps : lengths[row]; }
  // A number for each row [B, 1].
  Var per_row(auto&& number) const {
    Array numbers = empty_array({batch, 1});
    for (std::size_t row = 0; row < batch; ++row) numbers(row, 0) = number(length(row));
    return Var(std::move(numbers));
  }
  // 0 for an element that counts, -infinity past a row's end; all count in a row of length zero.
  Var bar() const {
    Array bars = empty_array({axis == 0 ? steps : batch, axis == 0 ? batch : steps, 1});
    for (std::size_t t = 0; t < steps; ++t)
      for (std::size_t row = 0; row < batch; ++row)
        bars.data()[axis == 0 ? t * batch + row : row * steps + t] =
            t < length(row) || length(row) == 0 ? 0 : -std::numeric_limits<real>::infinity();
    return Var(std::move(bars));
  }
};

}  // namespace

Var last_over_time(const Var& x, std::span<const std::size_t> lengths, bool batch_first) {
  const Time time("last_over_time", x, lengths, batch_first);
  Indices last = Indices::from_shape({time.batch});
  for (std::size_t row = 0; row < time.batch; ++row) {
    const std::size_t t = time.length(row) - 1;
    const std::size_t at = batch_first ? row * time.steps + t : t * time.batch + row;
    last(row) = time.length(row) == 0 ? -1 : static_cast<std::int64_t>(at);
  }
  const auto rows = static_cast<std::ptrdiff_t>(time.steps * time.batch);
  return gather(reshape(x, {rows, static_cast<std::ptrdiff_t>(x.size(2))}), last);
}

Var mean_over_time(const Var& x, std::span<const std::size_t> lengths, bool batch_first) {
  const Time time("mean_over_time", x, lengths, batch_first);
  const Var share = time.per_row(
      [](std::size_t length) { return length == 0 ? real(0) : 1 / static_cast<real>(length); });
  return sum(zero_past_end(x, lengths, batch_first), {time.axis}) * share;
}

Var max_over_time(const Var& x, std::span<const std::size_t> lengths, bool batch_first) {
  const Time time("max_over_time", x, lengths, batch_first);
  const Var inside = zero_past_end(x, lengths, batch_first);
  const Var some = time.per_row([](std::size_t length) { return length == 0 ? real(0) : real(1); });
  if (time.steps == 0) return sum(inside, {time.axis});
  return max(lengths.empty() ? inside : Var(inside + time.bar()), {time.axis}) * some;
}

auto AttentionPooling::operator()(const Var& x, std::span<const std::size_t> lengths,
                                  bool batch_first) const -> Result {
  const Time time("attention pooling", x, lengths, batch_first);
  const Var inside = zero_past_end(x, lengths, batch_first);
  const Var scores = affine(tanh(key(inside)), query);
  const Var weights =
      zero_past_end(softmax(lengths.empty() ? scores : Var(scores + time.bar()), time.axis),
                    lengths, batch_first);
  const Var pooled = sum(weights * inside, {time.axis});
  return {pooled, reshape(weights, {static_cast<std::ptrdiff_t>(x.size(0)),
                                    static_cast<std::ptrdiff_t>(x.size(1))})};
}

}  // namespace reel::inline REEL_PRECISION
