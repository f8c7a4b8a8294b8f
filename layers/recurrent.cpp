#include <reel/layers/recurrent.hpp>

namespace reel::inline REEL_PRECISION {

void check_probability(const char* what, real p) {
  check<Error>(p >= 0 && p < 1, "{}: a probability must lie in [0, 1); got {}", what, p);
}

void RecurrentDropout::check_ranges() const {
  check_probability("dropout on inputs", inputs);
  check_probability("dropout on states", states);
  check_probability("dropout on weights", weights);
  for (const real p : zoneout) check_probability("zoneout", p);
}

namespace detail {

std::vector<Parameter> learned_start(const std::vector<Var*, PoolAllocator<Var*>>& parts) {
  std::vector<Parameter> start;
  start.reserve(parts.size());
  for (const Var* part : parts) start.emplace_back(index(*part, 0, 0).value());
  return start;
}

void check_state_part(std::size_t part, const Var& given, const Shape& shape) {
  check(static_cast<bool>(given), "recurrent: part {} of the initial state is missing", part);
  check<StaleError>(!given.ref()->stale,
                    "recurrent: part {} of the initial state was computed on a tape that has "
                    "ended; carry it from window to window with state = detach(state)",
                    part);
  check(given.shape() == shape, "recurrent: part {} of the initial state must be {}; got {}", part,
        shape, given.shape());
}

void check_zoneout(const RecurrentDropout& dropout, std::size_t parts) {
  const std::size_t count = dropout.zoneout.size();
  check<Error>(count <= 1 || count == parts,
               "zoneout: there must be one probability, or one for each of the {} parts of the "
               "state; got {}",
               parts, count);
}

void check_start(std::size_t learned, const std::vector<Var*, PoolAllocator<Var*>>& parts,
                 std::size_t batch) {
  check<Error>(!parts.empty(), "recurrent: the state of a cell must have a part; got none");
  check<Error>(learned == 0 || learned == parts.size(),
               "recurrent: a learned start must have {} parts, as the state; got {}", parts.size(),
               learned);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Shape& shape = parts[i]->shape();
    check((i == 0 ? shape.size() == 2 : !shape.empty()) && shape[0] == batch,
          "recurrent: part {} of a cell's initial_state({}) must be [{}, {}]; got {}", i, batch,
          batch, i == 0 ? "width" : "..", shape);
  }
}

std::optional<Checkpointing> share(std::optional<Checkpointing> all, std::size_t loops) {
  if (all && all->bytes) *all->bytes /= loops;
  return all;
}

void check_chain(std::size_t layer, std::size_t below, const std::function<void()>& check) {
  try {
    check();
  } catch (const ShapeError& error) {
    throw ShapeError(fmt::format("stack: layer {} must take the {} numbers that layer {} gives; {}",
                                 layer, below, layer - 1, error.what()));
  }
}

Var swap_time(const Var& x) {
  Axes order{1, 0};
  for (std::size_t axis = 2; axis < x.dim(); ++axis)
    order.push_back(static_cast<std::ptrdiff_t>(axis));
  return permute(x, order);
}

LayerCall make_layer_call(const Var& x, std::span<const std::size_t> lengths, bool reversed,
                          bool batch_first) {
  check(x.dim() == 3, "recurrent: x must be {}; got {}", batch_first ? "[B, T, in]" : "[T, B, in]",
        x.shape());
  LayerCall call;
  call.batch_first = batch_first;
  const Var in_time = batch_first ? swap_time(x) : x;
  call.steps = in_time.size(0);
  call.batch = in_time.size(1);
  call.schedule = std::allocate_shared<Schedule>(PoolAllocator<Schedule>(), call.steps, call.batch,
                                                 lengths, reversed);
  call.flat = reshape(in_time, {static_cast<std::ptrdiff_t>(call.steps * call.batch), -1});
  if (reversed && call.schedule->total() > 0)
    call.flat =
        move_rows(call.flat, call.rows(&Schedule::reversal), call.rows(&Schedule::reversal));
  return call;
}

Var LayerCall::in_order(const Var& states) const {
  const Var flat = schedule->is_reversed()
                       ? move_rows(states, rows(&Schedule::unpack), rows(&Schedule::elements))
                       : states;
  Axes shape{static_cast<std::ptrdiff_t>(steps), static_cast<std::ptrdiff_t>(batch)};
  for (std::size_t axis = 1; axis < flat.dim(); ++axis)
    shape.push_back(static_cast<std::ptrdiff_t>(flat.shape()[axis]));
  const Var in_time = reshape(flat, shape);
  return batch_first ? swap_time(in_time) : in_time;
}

Var LayerCall::sorted(const Var& part) const {
  if (schedule->is_full()) return part;
  return move_rows(part, rows(&Schedule::order), rows(&Schedule::inverse));
}
Var LayerCall::unsorted(const Var& part) const {
  if (schedule->is_full()) return part;
  return move_rows(part, rows(&Schedule::inverse), rows(&Schedule::order));
}

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
