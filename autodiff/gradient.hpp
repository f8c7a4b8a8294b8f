// Where gradients lie in memory, so that each number is written once, where it is needed.
#pragma once

#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION::detail {

// Where to put a contribution to n's gradient: add to it if `accumulate`, else overwrite.
struct Target {
  const View& view;
  bool accumulate;
};
inline Target grad_target(Node& n);
void put(const View& contribution, const Target& to);
// Does now what grad_target might do to other gradients: for rules that take several targets
// before they write.
inline void prepare_grad(Node& n);
void add_grad(Node& n, const Var& contribution);
// Gives all of `from`'s gradient memory to n, to which nothing else contributes any more.
void hand_down(const Value& from, Node& n);
// Gives y's gradient, which is that of its term c too (Node::sum_input), to c.
void pass_on_sum_gradient(Node& y, Node& c);

// Finds a place for n's gradient, without writing to it.
void locate_grad(Node& n);
// Lets what still reads n's gradient be done with it, before it changes; copies what is lent.
void unfreeze_grad(Node& n);

inline void prepare_grad(Node& n) {
  if (!n.grad) locate_grad(n);
  if (n.grad_written && n.grad->storage && n.grad->storage->frozen) unfreeze_grad(n);
}

inline Target grad_target(Node& n) {
  prepare_grad(n);
  const bool accumulate = n.grad_written;
  n.grad_written = true;
  return {n.grad->view, accumulate};
}

}  // namespace reel::inline REEL_PRECISION::detail
