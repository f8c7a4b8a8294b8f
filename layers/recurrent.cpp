#include <reel/autodiff/node.hpp>
#include <reel/layers/recurrent.hpp>

namespace reel::inline REEL_PRECISION::detail {

std::vector<Var> hoisted_steps(const Var& projected, std::span<const std::size_t> rows_at) {
  // Only if nobody else will read the product: neither its own rule nor another handle or view.
  const Node& n = projected.node();
  const bool sole = n.value_unread && !n.pinned && n.refs == (n.tape ? 2u : 1u) &&
                    n.value.storage && n.value.storage->refs == 1 && n.value.view.is_dense();
  std::vector<Var> steps = split(projected, rows_at, 0);
  for (const Var& step : steps) step.ref()->overwritable = sole;
  return steps;
}

Var drop_finished(const Var& part, std::size_t rows, std::vector<Var>& finished) {
  const std::size_t alive[] = {rows, part.size(0) - rows};
  std::vector<Var> parts = split(part, alive, 0);
  finished.push_back(parts[1]);
  return parts[0];
}

}  // namespace reel::inline REEL_PRECISION::detail
