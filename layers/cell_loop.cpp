#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cell_loop.hpp>

namespace reel::inline REEL_PRECISION::detail {
namespace {

constexpr std::size_t kHoistedRows = 512;  // enough for a hoisted product at full speed

}  // namespace

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

void check_next_part(std::size_t part, const Var& next, const Shape& shape, std::size_t rows) {
  const Shape& made = next.shape();
  const bool fits = part == 0 ? made.size() == 2 && made[0] == rows && made[1] == shape[1]
                              : !made.empty() && made[0] == rows;
  if (fits) [[likely]]
    return;
  check(false,
        "recurrent: a cell's step must return part {} of its state as [{}, {}], as it was given; "
        "got {}",
        part, rows, part == 0 ? std::to_string(shape[1]) : "..", made);
}

void check_next_parts(std::size_t next, std::size_t parts) {
  check(next == parts,
        "recurrent: a cell's step must return a state of {} parts, as it was given; got {}", parts,
        next);
}

ScheduledLoop::ScheduledLoop(std::shared_ptr<const Schedule> schedule, const Vars& state,
                             Wanted wanted, LoopNoise noise)
    : schedule_(std::move(schedule)), noise_(std::move(noise)), wanted_(wanted) {
  for (const Var& part : state) parts_.push_back(part.shape());
}

Shape ScheduledLoop::output_shape(std::size_t output) const {
  const bool kept = output < kept_parts();
  Shape shape = parts_[kept ? output : output - kept_parts()];
  if (kept) shape[0] = wants(output) ? first_kept_row(steps()) : 0;
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
  if (output >= kept_parts()) return {last ? 0 : entering(end), entering(begin)};
  if (!wants(output)) return {};
  const auto [first, past] = kept_steps(begin, end);
  return {first_kept_row(first), first_kept_row(past)};
}

ScheduledLoop::Counts ScheduledLoop::rows_at(std::size_t begin, std::size_t end) const {
  Counts rows(end - begin);
  for (std::size_t t = begin; t < end; ++t) rows[t - begin] = schedule_->rows_at(t);
  return rows;
}

auto ScheduledLoop::pieces(const Var& x, std::size_t begin, std::size_t end) const
    -> std::vector<Piece, PoolAllocator<Piece>> {
  std::vector<Piece, PoolAllocator<Piece>> pieces;
  Counts extents;
  const auto close = [&](std::size_t from, std::size_t to) {
    pieces.push_back({to, Var()});
    extents.push_back((to - from) * schedule_->batch());
  };
  std::size_t from = begin;
  if (!is_worth_replaying(begin, end))
    for (std::size_t t = begin + 1; t < end; ++t)
      if (schedule_->first_row(t) - schedule_->first_row(from) >= kHoistedRows &&
          schedule_->first_row(end) - schedule_->first_row(t) >= kHoistedRows) {
        close(from, t);
        from = t;
      }
  close(from, end);
  if (pieces.size() == 1) {
    pieces[0].x = x;
    return pieces;
  }
  const std::size_t past = x.size(0) - (end - begin) * schedule_->batch();  // the longest row's end
  if (past > 0) extents.push_back(past);
  Vars rows(extents.size());
  split_into(rows, x, extents, 0);
  for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i].x = std::move(rows[i]);
  return pieces;
}

Var ScheduledLoop::packed(const Var& x, std::size_t begin, std::size_t end) const {
  const Var& mask = noise_.input_mask;
  const auto batch = static_cast<std::ptrdiff_t>(schedule_->batch());
  if (schedule_->is_full()) {
    Var rows = apart(x);
    if (!mask) return rows;
    return reshape(reshape(rows, {-1, batch, static_cast<std::ptrdiff_t>(x.size(1))}) * mask,
                   {static_cast<std::ptrdiff_t>(x.size(0)), -1});
  }
  const RowMoves moves = row_moves(*schedule_, begin, end, x.size(0));
  const Var rows = move_rows(x, moves.pack, moves.unpack);
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

LoopOutputs ScheduledLoop::kept_outputs(std::size_t begin, std::size_t end) const {
  const auto [first, past] = kept_steps(begin, end);
  std::size_t wanted = 0;
  if (first < past)
    while (wanted < kept_parts() && wants(wanted)) ++wanted;
  return {*schedule_, pads(), first, past, part_shapes().first(wanted)};
}

Vars ScheduledLoop::results(LoopOutputs& kept, PartLists& done, const Vars& parts,
                            bool last) const {
  Vars results = kept.whole();
  results.resize(kept_parts());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (last) done[i].push_back(parts[i]);
    results.push_back(finished(done[i]));
  }
  return results;
}

bool ScheduledLoop::is_worth_replaying(std::size_t begin, std::size_t end) const {
  constexpr std::size_t kSteps = 128;  // that recording costs several times over
  // Numbers of a state: beyond, arithmetic is most of a step; a part of it is done twice where a
  // tape records.
  constexpr std::size_t kNumbers = 256, kRecordedNumbers = 128;
  if (Recorder::current() || refused_ || !schedule_->is_full() || steps() < kSteps) return false;
  if (noise_.state_mask || !noise_.weights.empty() || !noise_.zoneout_p.empty()) return false;
  const Tape* tape = Tape::current();
  if (tape && (begin > 0 || end < steps() || tape->rehearses() || tape->checks_finite()))
    return false;
  std::size_t numbers = 0;
  for (const Shape& part : parts_) numbers += element_count(part);
  return numbers <= (tape ? kRecordedNumbers : kNumbers);
}

Vars ScheduledLoop::replay(const Vars& inputs, std::unique_ptr<const RecordedStep> step,
                           std::size_t begin, std::size_t end, Vars& parts) const {
  if (!Tape::current()) return replay_unrecorded(inputs, *step, begin, end, parts);
  const Vars made = run_replayed(std::move(step), inputs, parts, schedule_->batch(), steps());
  if (made.empty()) return {};
  const std::size_t count = parts.size();
  std::copy(made.begin() + static_cast<std::ptrdiff_t>(count), made.end(), parts.begin());
  Vars results;
  for (std::size_t i = 0; i < kept_parts(); ++i) results.push_back(wants(i) ? made[i] : Var());
  results.insert(results.end(), parts.begin(), parts.end());
  return results;
}

Vars ScheduledLoop::replay_unrecorded(const Vars& inputs, const RecordedStep& step,
                                      std::size_t begin, std::size_t end, Vars& parts) const {
  const std::size_t rows = schedule_->batch(), first_part = inputs.size();
  PooledVector<View> rows_of;  // of the first step, then of the next one ..
  for (const Var& x : inputs) {
    const View& all = x.node().value.view;
    if (all.shape.size() == 0 || all.shape[0] != (end - begin) * rows) return {};
    rows_of.push_back(all.narrow(0, 0, rows));
  }
  try {
    if (!program_) program_ = record_step(step, inputs, parts, rows);
  } catch (const Error&) {  // op by op it runs, or says what is wrong
    refused_ = true;
    return {};
  }
  const auto state = [&](std::size_t i) -> const View& { return program_->input(first_part + i); };
  for (std::size_t i = 0; i < parts.size(); ++i) copy(parts[i].node().value.view, state(i));

  const bool last = end == steps();
  PooledVector<Value> made(kept_parts());
  for (std::size_t i = 0; i < made.size(); ++i)
    if (Shape shape = output_shape(i); wants(i)) {
      shape[0] = output_rows(i, begin, end).count();
      made[i] = allocate(shape);
    }
  std::size_t filled = 0;
  const auto keep = [&] {
    for (std::size_t i = 0; i < made.size(); ++i)
      if (wants(i)) copy(state(i), made[i].view.narrow(0, filled, rows));
    filled += rows;
  };
  if (begin > 0) keep();
  for (std::size_t t = begin; t < end; ++t) {
    for (std::size_t k = 0; k < rows_of.size(); ++k) {
      copy(rows_of[k], program_->input(k));
      rows_of[k].data += rows_of[k].strides[0] * static_cast<std::ptrdiff_t>(rows);
    }
    program_->run();
    if (last || t + 1 < end) keep();
  }

  Vars results;
  for (std::size_t i = 0; i < made.size(); ++i)
    results.push_back(wants(i) ? unrecorded("loop", std::move(made[i])) : Var());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = unrecorded("loop", dense_copy(state(i)));
    results.push_back(last ? parts[i] : Var());
  }
  return results;
}

Vars run_loop(std::unique_ptr<const Loop> loop, const Var& x, const Vars& state,
              const std::optional<Checkpointing>& checkpoint) {
  const std::size_t rows = loop->input_rows(0, 1).count();
  const Tape* tape = Tape::current();
  if (!tape || tape->rehearses())
    return run_in_blocks(*loop, x, state, (kHoistedRows + rows - 1) / rows);
  if (checkpoint) return run_checkpointed(std::move(loop), x, state, *checkpoint);
  Vars end = state;
  return loop->run(0, loop->steps(), x, end);
}

}  // namespace reel::inline REEL_PRECISION::detail
