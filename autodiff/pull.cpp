#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

Node& Pull::output(std::size_t k) const {
  return node_.outputs().empty() ? node_ : *node_.outputs()[k];
}
Var Pull::y(std::size_t k) const { return Var(Ref<Node>(&output(k))); }

Var Pull::dy(std::size_t k) const {
  Node& y = output(k);
  if (recorded_) {
    const Var& grad = (*recorded_)[y.index];
    return grad ? grad : Var(full_array(y.shape(), 0));
  }
  if (!y.grad_written) return Var(full_array(y.shape(), 0));
  return unrecorded(y.op, y.grad->storage ? *y.grad : adopt(to_array(y.grad->view)));
}

bool Pull::wants(std::size_t i) const { return node_.inputs()[i].ref()->needs_grad; }

void Pull::add(std::size_t i, const Var& contribution) const {
  Node& input = *node_.inputs()[i].ref();
  check(contribution.shape() == input.shape(),
        "{}: a gradient must have the shape of its value; got gradient {}, value {}", node_.op,
        contribution.shape(), input.shape());
  if (!recorded_) return add_grad(input, contribution);
  Var& sum = (*recorded_)[input.index];
  sum = sum ? sum + contribution : contribution;
}

}  // namespace reel::inline REEL_PRECISION
