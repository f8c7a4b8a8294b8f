// What a cell answers to a problem, and how two answers differ: for check_cell.
#pragma once

#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/check_cell.hpp>

namespace reel::inline REEL_PRECISION::detail {

using Lengths = std::vector<std::size_t>;
using Rows = std::vector<std::size_t>;

// A loss sum(outputs * d_outputs) + sum(final state * d_final) over a run on x.
struct CellProblem {
  Array x;                                // [T, B, in]
  Lengths lengths;                        // [B]; empty: all T
  std::vector<Array> state;               // initial, parts [B, ..], or none
  std::vector<Array> d_final, d_outputs;  // the second: one array [T, B, width]

  std::size_t steps() const { return x.shape(0); }
  std::size_t batch() const { return x.shape(1); }
  CellProblem rows(const Rows& rows) const;  // of these rows alone
};

// An array and what it is. The axis of its rows; none for those of parameters.
struct CellAnswer {
  std::string name;
  Array array;
  std::optional<std::size_t> row_axis;
};
using CellAnswers = std::vector<CellAnswer>;

using CellRun = std::function<LayerRun(const Var& x, const Vars& state)>;

// Outputs, final state and all gradients.
CellAnswers answers_of(std::span<const NamedParameter> parameters, const CellProblem& problem,
                       const CellRun& run);
// Outputs and final state, nothing being recorded.
CellAnswers values_of(const CellProblem& problem, const CellRun& run);
CellAnswers rows_of(const CellAnswers& answers, const Rows& rows);
// Derivatives of outputs and final state with respect to x, the initial state and the parameters
// that train, against finite differences. What curves sharply or has a kink within a step (relu,
// max, ..) is compared at two more points, in shorter steps, and must be right at both: a wrong
// rule is wrong at most points. `problem` makes a new point each time.
GradcheckResult check_derivatives(std::span<const NamedParameter> parameters, int orders,
                                  const std::function<CellProblem()>& problem,
                                  const std::function<CellRun(const CellProblem&)>& run);
// Only outputs and final state.
CellAnswers values_of(const CellAnswers& answers);

// The elements of rows along an axis, in this order.
Array rows_of(const Array& array, std::size_t axis, const Rows& rows);
// Each row's elements in time [T, B, ..] from its end to its start; past the end they stay.
Array from_the_end(const Array& array, const Lengths& lengths);

// Where two answers differ most, relative to the largest number of the array.
struct CellDifference {
  double size = 0;  // infinite for NaN or other shapes
  std::string text;
};
CellDifference difference(const CellAnswers& got, const CellAnswers& expected);

}  // namespace reel::inline REEL_PRECISION::detail
