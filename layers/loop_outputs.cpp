#include <reel/layers/loop_outputs.hpp>

namespace reel::inline REEL_PRECISION::detail {

RowMoves row_moves(const Schedule& schedule, std::size_t begin, std::size_t end, std::size_t rows) {
  const auto shared = [](Indices indices) -> RowIndices {
    return std::allocate_shared<Indices>(PoolAllocator<Indices>(), std::move(indices));
  };
  const RowIndices pack = shared(schedule.pack(begin, end));
  Indices unpack = Indices::from_shape({rows});
  std::fill(unpack.begin(), unpack.end(), std::int64_t{-1});
  for (std::size_t i = 0; i < pack->size(); ++i)
    unpack(static_cast<std::size_t>((*pack)(i))) = static_cast<std::int64_t>(i);
  return {pack, shared(std::move(unpack))};
}

LoopOutputs::LoopOutputs(const Schedule& schedule, bool pads, std::size_t begin, std::size_t end,
                         std::span<const Shape> parts)
    : schedule_(schedule), pads_(pads), begin_(begin), end_(end), closed_(begin) {
  for (Shape shape : parts) {
    Output& output = outputs_.emplace_back();
    shape[0] = schedule.first_row(end) - schedule.first_row(begin);
    output.packed = allocate(shape);
    if (!pads) continue;
    shape[0] = padded_rows(begin, end);
    output.padded = allocate(shape);
  }
}

void LoopOutputs::close(std::size_t end) {
  if (end == closed_ || outputs_.empty()) return;
  const auto place = [](const Value& whole, std::size_t first, std::size_t rows) -> Value {
    return {whole.view.narrow(0, first, rows), whole.storage};
  };
  const std::size_t first = schedule_.first_row(closed_) - schedule_.first_row(begin_);
  const std::size_t rows = schedule_.first_row(end) - schedule_.first_row(closed_);
  const std::size_t padded = pads_ ? padded_rows(closed_, end) : 0;
  const RowMoves moves = pads_ ? row_moves(schedule_, closed_, end, padded) : RowMoves();
  for (Output& output : outputs_) {
    for (const Var& state : output.kept) {
      Shape expected = output.packed.view.shape;
      expected[0] = state.shape()[0];
      check(state.shape() == expected,
            "recurrent: where states of all steps are asked for, they must keep their shape, here "
            "{}; got {}",
            expected, state.shape());
    }
    Var piece = concat_into(output.kept, 0, place(output.packed, first, rows));
    output.kept.clear();
    if (pads_)
      piece = move_rows(piece, moves.unpack, moves.pack,
                        place(output.padded, padded_rows(begin_, closed_), padded));
    output.pieces.push_back(std::move(piece));
  }
  closed_ = end;
}

Vars LoopOutputs::whole() {
  close(end_);
  Vars all;
  for (const Output& output : outputs_)
    all.push_back(output.pieces.size() == 1
                      ? output.pieces[0]
                      : concat_into(output.pieces, 0, pads_ ? output.padded : output.packed));
  return all;
}

}  // namespace reel::inline REEL_PRECISION::detail
