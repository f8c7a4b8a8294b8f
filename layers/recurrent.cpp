#include <reel/autodiff/tape.hpp>
#include <reel/layers/recurrent.hpp>

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

ScheduledLoop::ScheduledLoop(std::shared_ptr<const Schedule> schedule, const Vars& state,
                             bool all_outputs)
    : schedule_(std::move(schedule)), all_outputs_(all_outputs) {
  for (const Var& part : state) widths_.push_back(part.size(1));
}

Shape ScheduledLoop::output_shape(std::size_t output) const {
  if (output == 0) return {all_outputs_ ? schedule_->total() : 0, widths_[0]};
  return {schedule_->batch(), widths_[output - 1]};
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
  if (output > 0) return {last ? 0 : entering(end), entering(begin)};
  if (!all_outputs_) return {};
  return {schedule_->first_row(begin == 0 ? 0 : begin - 1),
          schedule_->first_row(last ? end : end - 1)};
}

ScheduledLoop::Counts ScheduledLoop::rows_at(std::size_t begin, std::size_t end) const {
  Counts rows(end - begin);
  for (std::size_t t = begin; t < end; ++t) rows[t - begin] = schedule_->rows_at(t);
  return rows;
}

Var ScheduledLoop::packed(const Var& x, std::size_t begin, std::size_t end) const {
  return schedule_->is_full() ? x : gather(x, schedule_->pack(begin, end));
}

Var ScheduledLoop::finished(Vars& parts) const {
  if (parts.empty()) return {};
  if (schedule_->is_full()) return parts[0];
  std::reverse(parts.begin(), parts.end());
  return concat(parts, 0);
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
