#include <reel/autodiff/tape.hpp>
#include <reel/layers/cell_loop.hpp>

namespace reel::inline REEL_PRECISION::detail {
Vars hoisted_steps(const Var& projected, std::span<const std::size_t> rows_at) {
  // Only if nobody else will read the product: neither its own rule nor another handle or view.
  const Node& n = projected.node();
  const bool sole = n.value_unread && !n.pinned && n.refs == (n.tape ? 2u : 1u) &&
                    n.value.storage && n.value.storage->refs == 1 && n.value.view.is_dense();
  Vars steps(rows_at.size());
  split_into(steps, projected, rows_at, 0);
  for (const Var& step : steps) step.ref()->overwritable = sole;
  return steps;
}

Var drop_finished(const Var& part, std::size_t rows, Vars& finished) {
  const std::size_t alive[] = {rows, part.size(0) - rows};
  std::array<Var, 2> parts;
  split_into(parts, part, alive, 0);
  finished.push_back(parts[1]);
  return parts[0];
}

Var LoopNoise::zone_out(std::size_t part, const Var& previous, const Var& next) const {
  const real p = zoneout_p.size() == 1 ? zoneout_p[0] : zoneout_p[part];
  if (p == 0) return next;
  if (!random) return p * previous + (1 - p) * next;
  return zoneout(previous, next, p, *random);
}

ScheduledLoop::ScheduledLoop(std::shared_ptr<const Schedule> schedule, const Vars& state,
                             Wanted wanted, LoopNoise noise)
    : schedule_(std::move(schedule)), noise_(std::move(noise)), wanted_(wanted) {
  for (const Var& part : state) parts_.push_back(part.shape());
}

Shape ScheduledLoop::output_shape(std::size_t output) const {
  const bool packed = output < packed_parts();
  Shape shape = parts_[packed ? output : output - packed_parts()];
  if (packed) shape[0] = wants(output) ? schedule_->total() : 0;
  return shape;
}

Loop::Rows ScheduledLoop::input_rows(std::size_t begin, std::size_t end) const {
  return {begin * schedule_->batch(), end * schedule_->batch()};
}

Loop::Rows ScheduledLoop::output_rows(std::size_t output, std::size_t begin,
                                      std::size_t end) const {
  const auto entering = [&](std::size_t t) {
    return t == 0 ? schedule_->batch() : schedule_->rows_at(t - 1);
  };
  const bool last = end == steps();
  if (output >= packed_parts()) return {last ? 0 : entering(end), entering(begin)};
  if (!wants(output)) return {};
  return {schedule_->first_row(begin == 0 ? 0 : begin - 1),
          schedule_->first_row(last ? end : end - 1)};
}

ScheduledLoop::Counts ScheduledLoop::rows_at(std::size_t begin, std::size_t end) const {
  Counts rows(end - begin);
  for (std::size_t t = begin; t < end; ++t) rows[t - begin] = schedule_->rows_at(t);
  return rows;
}

Var ScheduledLoop::packed(const Var& x, std::size_t begin, std::size_t end) const {
  const Var& mask = noise_.input_mask;
  const auto batch = static_cast<std::ptrdiff_t>(schedule_->batch());
  if (schedule_->is_full()) {
    if (!mask) return x;
    return reshape(reshape(x, {-1, batch, static_cast<std::ptrdiff_t>(x.size(1))}) * mask,
                   {static_cast<std::ptrdiff_t>(x.size(0)), -1});
  }
  const bool all = begin == 0 && end == steps() && !schedule_->is_reversed() &&
                   x.size(0) == schedule_->unpack().size();
  const Var rows = all ? move_rows(x, RowIndices(schedule_, &schedule_->pack()),
                                   RowIndices(schedule_, &schedule_->unpack()))
                       : gather(x, schedule_->pack(begin, end));
  return mask ? rows * gather(mask, schedule_->sorted_rows(begin, end)) : rows;
}

Var ScheduledLoop::state_mask(std::size_t rows) const {
  return slice(noise_.state_mask, 0, 0, static_cast<std::ptrdiff_t>(rows));
}

Var ScheduledLoop::finished(Vars& parts) const {
  if (parts.empty()) return {};
  if (schedule_->is_full()) return parts[0];
  std::reverse(parts.begin(), parts.end());
  return concat(parts, 0);
}

Vars ScheduledLoop::results(PartLists& made, PartLists& done, const Vars& parts, bool last) const {
  Vars results;
  for (const Vars& steps : made) results.push_back(steps.empty() ? Var() : concat(steps, 0));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (last) done[i].push_back(parts[i]);
    results.push_back(finished(done[i]));
  }
  return results;
}

Vars run_loop(std::unique_ptr<const Loop> loop, const Var& x, const Vars& state,
              const std::optional<Checkpointing>& checkpoint) {
  constexpr std::size_t kRows = 512;  // enough for a hoisted product at full speed
  const std::size_t rows = loop->input_rows(0, 1).count();
  const Tape* tape = Tape::current();
  if (!tape || tape->rehearses()) return run_in_blocks(*loop, x, state, (kRows + rows - 1) / rows);
  if (checkpoint) return run_checkpointed(std::move(loop), x, state, *checkpoint);
  Vars end = state;
  return loop->run(0, loop->steps(), x, end);
}

}  // namespace reel::inline REEL_PRECISION::detail
