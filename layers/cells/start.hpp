// How the parameters of recurrent cells start.
#pragma once

#include <reel/autodiff/parameter.hpp>
#include <reel/layers/init.hpp>

namespace reel::inline REEL_PRECISION::detail {

// Throws Error at 0.
void check_sizes(std::size_t input, std::size_t hidden);

// Draws the parameters of a cell, each of `blocks` blocks of `hidden` rows, one per gate.
class CellStart {
 public:
  CellStart(std::size_t input, std::size_t hidden, Random& random, Init init);

  Parameter weight_ih(std::size_t blocks);  // [blocks hidden, input]
  // [blocks hidden, columns]: the first columns, at most hidden, of orthogonal matrices.
  Parameter weight_hh(std::size_t blocks, std::size_t columns);
  Parameter weight_hh(std::size_t blocks) { return weight_hh(blocks, hidden_); }
  // [blocks hidden]; with Init::kOrthogonal zeros, but 1 in the block `ones`.
  Parameter bias(std::size_t blocks, std::size_t ones = -1);
  Parameter weight_hr(std::size_t width);    // [width, hidden]
  Parameter ones(std::size_t blocks) const;  // [blocks hidden]: gains
  Parameter uniform_row();                   // [hidden], uniform in +-1/sqrt(hidden)

 private:
  Parameter as_pytorch(const Shape& shape);

  std::size_t input_, hidden_;
  Random& random_;
  Init init_;
};

}  // namespace reel::inline REEL_PRECISION::detail
