// Where gradients lie in memory, so that each number is written once, where it is needed.
#pragma once

#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION::detail {

// Where to put a contribution to n's gradient: add to it if `accumulate`, else overwrite.
struct Target {
  const View& view;
  bool accumulate;
};
Target grad_target(Node& n);
// Does now what grad_target might do to other gradients: for rules that take several targets
// before they write.
void prepare_grad(Node& n);
void add_grad(Node& n, const Var& contribution);
// Gives all of `from`'s gradient memory to n, to which nothing else contributes any more.
void hand_down(const Value& from, Node& n);

}  // namespace reel::inline REEL_PRECISION::detail
