// A cell's steps over time as a loop, which a tape records whole or with checkpoints.
#pragma once

#include <reel/autodiff/checkpoint.hpp>
#include <reel/autodiff/parameter_scope.hpp>
#include <reel/autodiff/replay.hpp>
#include <reel/layers/cell.hpp>
#include <reel/layers/loop_outputs.hpp>
#include <reel/layers/recurrent_options.hpp>

namespace reel::inline REEL_PRECISION::detail {

// The rows of a hoisted product, one Var per step, each of which its step may overwrite.
Vars hoisted_steps(const Var& projected, std::span<const std::size_t> rows_at);
// First `rows` rows of a state part; the others are appended to `finished`.
Var drop_finished(const Var& part, std::size_t rows, Vars& finished);

// What a RecurrentDropout comes to in one call of a layer; rows by falling length.
struct LoopNoise {
  Var input_mask;                                    // [B, in], or empty
  Var state_mask;                                    // [B, width], or empty
  Substitutes weights;                               // what DropConnect left of them
  std::vector<real, PoolAllocator<real>> zoneout_p;  // of all parts, or of each, or empty
  mutable std::optional<Random> random;  // for zoneout, as long as the loop may run again

  // The state part `next`, or what zoneout makes of it.
  Var zone_out(std::size_t part, const Var& previous, const Var& next) const;
};

using PartLists = std::vector<Vars, PoolAllocator<Vars>>;

// Throw unless what a cell's step returns for `rows` rows has the parts that it was given, of so
// many rows, the first as wide. Others may grow, if no row ends and not all states are kept.
void check_next_part(std::size_t part, const Var& next, const Shape& shape, std::size_t rows);
void check_next_parts(std::size_t next, std::size_t parts);
template <class State>
void check_next(const State& next, std::span<const Shape> shapes, std::size_t rows) {
  std::size_t count = 0;
  for_each_part(next, [&](const Var& part) {
    if (count < shapes.size()) check_next_part(count, part, shapes[count], rows);
    ++count;
  });
  check_next_parts(count, shapes.size());
}

// A cell's steps as a loop over x [T B, in]. The first outputs are the state after each step, of
// all parts or just the first: rows [T B, ..], or, reversed, packed ones [total, ..]; then come the
// parts of the final state, sorted rows [B, ..].
class ScheduledLoop : public Loop {
 public:
  enum class Wanted { kFinalState, kOutputs, kStates };
  ScheduledLoop(std::shared_ptr<const Schedule> schedule, const Vars& state, Wanted wanted,
                LoopNoise noise);

  std::size_t steps() const override { return schedule_->steps(); }
  std::size_t outputs() const override { return kept_parts() + parts_.size(); }
  Shape output_shape(std::size_t output) const override;
  Rows input_rows(std::size_t begin, std::size_t end) const override;
  Rows output_rows(std::size_t output, std::size_t begin, std::size_t end) const override;
  // How many of the outputs are states after each step.
  std::size_t kept_parts() const { return wanted_ == Wanted::kStates ? parts_.size() : 1; }

 protected:
  using Counts = std::vector<std::size_t, PoolAllocator<std::size_t>>;
  Counts rows_at(std::size_t begin, std::size_t end) const;
  // Steps, up to `end`, whose rows `x` are packed and projected together: enough for a product at
  // full speed, few enough to be in the cache still when their steps read them.
  struct Piece {
    std::size_t end;
    Var x;
  };
  std::vector<Piece, PoolAllocator<Piece>> pieces(const Var& x, std::size_t begin,
                                                  std::size_t end) const;
  Var packed(const Var& x, std::size_t begin, std::size_t end) const;
  Var state_mask(std::size_t rows) const;
  // For the parts of the state that are wanted, what a run keeps of them.
  LoopOutputs kept_outputs(std::size_t begin, std::size_t end) const;
  // The states after each step, then those of ended rows in order, then the current ones.
  Vars results(LoopOutputs& kept, PartLists& done, const Vars& parts, bool last) const;
  std::span<const Shape> part_shapes() const { return parts_; }  // of all rows
  // Where rows are few and narrow, most of a step is what ops cost beside their arithmetic: then
  // it is recorded once and replayed, to the same bits.
  bool is_worth_replaying(std::size_t begin, std::size_t end) const;
  // As run; inputs: of all steps. Empty if the step cannot be replayed.
  Vars replay(const Vars& inputs, std::unique_ptr<const RecordedStep> step, std::size_t begin,
              std::size_t end, Vars& parts) const;
  bool wants(std::size_t part) const {
    return wanted_ == Wanted::kStates || (wanted_ == Wanted::kOutputs && part == 0);
  }

  const std::shared_ptr<const Schedule> schedule_;
  const LoopNoise noise_;

 private:
  // The states after the steps first .. past - 1 are what a run gives out: one belongs to the run
  // that it enters, see Loop::run.
  std::pair<std::size_t, std::size_t> kept_steps(std::size_t begin, std::size_t end) const {
    return {begin == 0 ? 0 : begin - 1, end == steps() ? end : end - 1};
  }
  // Are states after each step given out as padded rows?
  bool pads() const { return !schedule_->is_full() && !schedule_->is_reversed(); }
  // The row of an output that step t starts with.
  std::size_t first_kept_row(std::size_t t) const {
    return pads() ? schedule_->first_padded_row(t) : schedule_->first_row(t);
  }
  // Sorted rows that have ended before a step.
  Var finished(Vars& parts) const;
  Vars replay_unrecorded(const Vars& inputs, const RecordedStep& step, std::size_t begin,
                         std::size_t end, Vars& parts) const;

  std::vector<Shape, PoolAllocator<Shape>> parts_;
  const Wanted wanted_;
  mutable std::optional<Program> program_;  // of a step that is replayed
  mutable bool refused_ = false;            // it cannot be
};

// The step of a cell as a function of parts; `x` and `state`: empty Vars in the right places. The
// cell is referred to, as its parameters are by the tape; one that has none is copied.
template <Cell C>
class CellStep final : public RecordedStep {
 public:
  CellStep(const C& cell, StepInput<C> x, typename C::State state)
      : copy_(has_parameters(cell) ? std::nullopt : std::optional<C>(cell)),
        cell_(copy_ ? *copy_ : cell),
        x_(std::move(x)),
        state_(std::move(state)) {}
  Vars operator()(std::span<const Var> parts) const override {
    StepInput<C> x = x_;
    typename C::State state = state_;
    std::size_t i = 0;
    const auto take = [&](Var& part) { part = parts[i++]; };
    for_each_part(x, take);
    for_each_part(state, take);
    const typename C::State next = step_of(cell_, std::move(x), state);
    Vars results;
    for_each_part(next, [&](const Var& part) { results.push_back(part); });
    return results;
  }

 private:
  static bool has_parameters(const C& cell) {
    bool any = !std::is_copy_constructible_v<C>;
    C::fields(cell, [&](auto&&, auto&) { any = true; });
    return any;
  }

  const std::optional<C> copy_;
  const C& cell_;
  const StepInput<C> x_;
  const typename C::State state_;
};

template <Cell C>
class CellLoop final : public ScheduledLoop {
 public:
  CellLoop(const C& cell, std::shared_ptr<const Schedule> schedule, const Vars& state,
           typename C::State like, Wanted wanted, LoopNoise noise)
      : ScheduledLoop(std::move(schedule), state, wanted, std::move(noise)),
        cell_(cell),
        like_(std::move(like)) {}
  Vars run(std::size_t begin, std::size_t end, const Var& x, Vars& parts) const override;

 private:
  using State = typename C::State;
  State step(StepInput<C>&& x, const State& state, Var& mask) const;

  const C& cell_;
  const State like_;  // empty parts
};

// How a loop is to be run, given what records and what is asked for.
Vars run_loop(std::unique_ptr<const Loop> loop, const Var& x, const Vars& state,
              const std::optional<Checkpointing>& checkpoint);

// The rows of each step from what was projected for all of them.
template <class Input>
auto input_steps(const Input& whole, std::span<const std::size_t> rows_at, bool projected) {
  std::vector<Input, PoolAllocator<Input>> steps(rows_at.size());
  std::size_t part = 0;
  for_each_part(whole, [&](const Var& all) {
    Vars rows(rows_at.size());
    if (projected)
      rows = hoisted_steps(all, rows_at);
    else
      split_into(rows, all, rows_at, 0);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      std::size_t i = 0;
      for_each_part(steps[t], [&](Var& to) {
        if (i++ == part) to = std::move(rows[t]);
      });
    }
    ++part;
  });
  return steps;
}

template <Cell C>
auto CellLoop<C>::step(StepInput<C>&& x, const State& state, Var& mask) const -> State {
  const std::size_t rows = first_part(state).size(0);
  const auto next = [&] {
    if constexpr (TakesRecurrentInput<C>)
      if (mask) {
        if (mask.size(0) != rows) mask = state_mask(rows);
        return cell_.step(std::move(x), state, first_part(state) * mask);
      }
    return step_of(cell_, std::move(x), state);
  };
  State made = next();
  check_next(made, part_shapes(), rows);
  return made;
}

template <Cell C>
Vars CellLoop<C>::run(std::size_t begin, std::size_t end, const Var& x, Vars& parts) const {
  const Substitution substitution(noise_.weights);
  const auto inputs_of = pieces(x, begin, end);
  auto piece = inputs_of.begin();
  const auto project = [&](std::size_t from) -> StepInput<C> {
    if constexpr (Projecting<C>)
      return cell_.project(packed(piece->x, from, piece->end));
    else
      return packed(piece->x, from, piece->end);
  };
  StepInput<C> projected = project(begin);
  if (is_worth_replaying(begin, end)) {
    Vars inputs;
    StepInput<C> like = projected;
    for_each_part(like, [&](Var& part) { inputs.push_back(std::exchange(part, Var())); });
    auto step = std::make_unique<CellStep<C>>(cell_, std::move(like), like_);
    if (Vars results = replay(inputs, std::move(step), begin, end, parts); !results.empty())
      return results;
  }
  std::size_t first = begin;  // of the piece at hand
  const auto steps_of_piece = [&] {
    return input_steps(std::exchange(projected, {}), rows_at(first, piece->end), Projecting<C>);
  };
  auto xs = steps_of_piece();
  State state = like_;
  for (std::size_t i = 0; Var * part : state_parts(state)) *part = std::move(parts[i++]);

  const bool last = end == steps();
  LoopOutputs outputs = kept_outputs(begin, end);
  PartLists done(parts.size());
  const auto keep = [&] {
    for (std::size_t i = 0; const Var* part : state_parts(std::as_const(state))) {
      if (i == outputs.size()) break;
      outputs.keep(i++, *part);
    }
  };
  if (begin > 0) keep();
  Var mask = noise_.state_mask;
  for (std::size_t t = begin; t < end; ++t) {
    if (t == piece->end) {
      first = t;
      ++piece;
      projected = project(t);
      xs = steps_of_piece();
    }
    const std::size_t alive = schedule_->rows_at(t);
    if (alive < first_part(state).size(0))
      for (std::size_t i = 0; Var * part : state_parts(state)) {
        *part = drop_finished(*part, alive, done[i]);
        ++i;
      }
    if (noise_.zoneout_p.empty()) {
      state = step(std::move(xs[t - first]), state, mask);
    } else {
      const State previous = state;
      state = step(std::move(xs[t - first]), previous, mask);
      const auto old = state_parts(previous);
      for (std::size_t i = 0; Var * part : state_parts(state)) {
        *part = noise_.zone_out(i, *old[i], *part);
        ++i;
      }
    }
    if (t == first && t > begin) outputs.close(t);
    if (last || t + 1 < end) keep();
  }
  for (std::size_t i = 0; const Var* part : state_parts(state)) parts[i++] = *part;
  return results(outputs, done, parts, last);
}

}  // namespace reel::inline REEL_PRECISION::detail
