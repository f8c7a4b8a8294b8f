#include <reel/autodiff/expression.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/pull.hpp>
#include <reel/autodiff/record.hpp>

namespace reel::inline REEL_PRECISION::detail {

int like_operand(const char* op, std::span<const FuseOperand> operands) {
  const Tape* tape = Tape::current();
  bool alone = tape && tape->checks_finite(), equal = true;
  const Shape* first = nullptr;
  for (const FuseOperand& x : operands) {
    if (!x.like) continue;
    must_record(op, {x.like, 1});
    alone |= x.computed;
    const Shape& shape = x.like->ref()->shape();
    if (!first) first = &shape;
    equal = equal && shape == *first;
  }
  Shape common = *first;
  if (!equal)
    for (const FuseOperand& x : operands)
      if (x.like) common = broadcast_shapes(op, common, x.like->ref()->shape());
  int like = -1;
  for (std::size_t k = operands.size(); k-- > 0;) {
    const FuseOperand& x = operands[k];
    if (!x.like) continue;
    if (equal || x.like->ref()->shape() == common)
      like = static_cast<int>(k);
    else
      alone |= x.nested;
  }
  return alone ? -1 : like;
}

Var run_kernel(const KernelRef& kernel, std::span<const Var> inputs) {
  Var y;
  run_pointwise(kernel, inputs, {&y, 1});
  return y;
}

// Runs the ops one by one, then their derivatives in reverse, on a stack each.
void pull_steps(const Steps& steps, Pull& p) {
  std::vector<Vars, PoolAllocator<Vars>> operands(steps.size());
  Vars stack;
  std::size_t inputs = 0;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (!steps[s].kernel) {
      stack.push_back(p.x(inputs++));
      continue;
    }
    const auto first = stack.end() - static_cast<std::ptrdiff_t>(steps[s].kernel->inputs);
    operands[s].assign(first, stack.end());
    stack.erase(first, stack.end());
    stack.push_back(run_kernel(steps[s], operands[s]));
  }
  stack = {p.dy()};
  for (std::size_t s = steps.size(); s-- > 0;) {
    Var dy = std::move(stack.back());
    stack.pop_back();
    if (!steps[s].kernel) {
      p.give(--inputs, [&] { return dy; });
      continue;
    }
    Vars xs = operands[s], dx(xs.size());
    xs.push_back(std::move(dy));
    run_gradient(steps[s], xs, dx);
    for (std::size_t i = 0; i < dx.size(); ++i)
      stack.push_back(sum_to(dx[i], operands[s][i].shape()));
  }
}

}  // namespace reel::inline REEL_PRECISION::detail
