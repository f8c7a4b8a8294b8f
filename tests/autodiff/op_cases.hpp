// The one table of ops that the tests derive from. Adding an op adds a row.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tensor.hpp"

namespace reel::testing {

struct OpCase {
  std::string name;      // of the tests made from the row
  std::string declared;  // in the header
  std::function<Var(std::span<const Var>)> function;
  // The same by another way, in double.
  std::function<Tensor(const std::vector<Tensor>&)> reference = {};
  // Shapes of the inputs: usual ones, ones with an extent of 0, ones with extents of 1 (none
  // where the op has no meaning there).
  std::vector<Shape> shapes = {}, empty = {}, ones = {};
  double low = -2, high = 2;                   // the domain of the inputs
  std::vector<double> kinks = {};              // points of it to stay away from
  std::vector<double> extremes = {-300, 300};  // inputs at which the value and slopes are finite
  double terms = 0;          // how large terms are at the extremes whose sum may be small
  bool distinct = false;     // no two elements of the inputs may be close
  bool elementwise = false;  // takes inputs of any shapes that broadcast
};

std::vector<OpCase> elementwise_cases();
std::vector<OpCase> product_cases();
std::vector<OpCase> shaping_cases();
std::vector<OpCase> reduction_cases();
std::vector<OpCase> loss_cases();
std::vector<OpCase> op_cases();  // all of the above

// Inputs of these shapes within the domain of the row.
std::vector<Array> draw_inputs(const OpCase& op, const std::vector<Shape>& shapes,
                               std::uint64_t seed = 1);

}  // namespace reel::testing
