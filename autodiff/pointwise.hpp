// Fused elementwise ops: one lambda over scalars is a whole op, forward and backward.
#pragma once

#include <reel/autodiff/kernel.hpp>
#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION {

namespace detail {
// A kernel that lives for ever, or that `owner` keeps.
struct KernelRef {
  const Kernel* kernel;
  Ref<Kernel> owner = {};
  explicit KernelRef(const Kernel& eternal) : kernel(&eternal) {}
  explicit KernelRef(Ref<Kernel> kept) : kernel(kept.get()), owner(std::move(kept)) {}
};
void run_pointwise(const char* op, const KernelRef& kernel, std::span<const Var> inputs,
                   std::span<Var> outputs);
}  // namespace detail

// y = f(x_0, x_1, ...) element by element, with the inputs broadcast as in NumPy. f is a generic
// lambda over numbers (functions.hpp has what it may call); it returns one number, or a std::tuple
// of them for several outputs, which pointwise returns as a tuple of Vars.
//
//   auto [h, c] = pointwise([](auto i, auto f, auto g, auto o, auto c) {
//     auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
//     return std::tuple{sigmoid(o) * tanh(next), next};
//   }, i, f, g, o, state.c);
//
// Each `auto` variable has a type of its own (it knows which inputs it depends on), so write new
// variables instead of assigning to old ones. `op` names the op in messages.
template <class F, std::convertible_to<Var>... Inputs>
auto pointwise(const char* op, F f, const Inputs&... inputs) {
  using Fused = detail::Fused<F, sizeof...(Inputs)>;
  const std::array<Var, sizeof...(Inputs)> xs{Var(inputs)...};
  std::array<Var, Fused::kOutputs> ys;
  if constexpr (std::is_empty_v<F>) {
    static const Fused kernel(f);
    detail::run_pointwise(op, detail::KernelRef(kernel), xs, ys);
  } else {
    const detail::Ref<detail::Kernel> kernel(new Fused(std::move(f)));
    detail::run_pointwise(op, detail::KernelRef(kernel), xs, ys);
  }
  if constexpr (Fused::kOutputs == 1)
    return std::move(ys[0]);
  else
    return std::tuple_cat(std::move(ys));
}
template <class F, std::convertible_to<Var>... Inputs>
requires(!std::convertible_to<F, const char*>) auto pointwise(F f, const Inputs&... inputs) {
  return pointwise("pointwise", std::move(f), inputs...);
}

}  // namespace reel::inline REEL_PRECISION
