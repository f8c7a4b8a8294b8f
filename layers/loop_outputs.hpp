// The states that a run of steps makes, as rows of a loop's outputs.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/layers/schedule.hpp>

namespace reel::inline REEL_PRECISION::detail {

// How packed rows and padded ones become each other, for move_rows.
struct RowMoves {
  RowIndices pack, unpack;
};
// For the steps begin .. end - 1, whose padded rows are the first of `rows`.
RowMoves row_moves(const Schedule& schedule, std::size_t begin, std::size_t end, std::size_t rows);

// The outputs of one run. Their memory is taken once; every `close` moves the states kept since
// the last into their places, while these are in the cache.
class LoopOutputs {
 public:
  // Of the states after the steps begin .. end - 1 these parts, shaped so in all but their rows;
  // as packed rows, or as padded ones.
  LoopOutputs(const Schedule& schedule, bool pads, std::size_t begin, std::size_t end,
              std::span<const Shape> parts);

  std::size_t size() const { return outputs_.size(); }
  void keep(std::size_t output, const Var& state) { outputs_[output].kept.push_back(state); }
  // Those kept, up to that after step `end` - 1, are a piece. The steps that read them must have
  // been recorded: a state's gradient starts with what the output's adds. Throws unless they are
  // shaped alike but for their rows.
  void close(std::size_t end);
  Vars whole();

 private:
  struct Output {
    Value packed, padded;
    Vars kept, pieces;
  };
  std::size_t padded_rows(std::size_t begin, std::size_t end) const {
    return schedule_.first_padded_row(end) - schedule_.first_padded_row(begin);
  }

  const Schedule& schedule_;
  const bool pads_;
  const std::size_t begin_, end_;
  std::size_t closed_;  // the step that the next piece starts with
  PooledVector<Output> outputs_;
};

}  // namespace reel::inline REEL_PRECISION::detail
