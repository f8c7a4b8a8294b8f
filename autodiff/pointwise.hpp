// Fused elementwise ops: one lambda over scalars is a whole op, forward and backward.
#pragma once

#include <reel/autodiff/kernel.hpp>
#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION {

namespace detail {
void run_pointwise(const KernelRef& kernel, std::span<const Var> inputs, std::span<Var> outputs);
// dx from x and dy.
void run_gradient(const KernelRef& kernel, std::span<const Var> inputs, std::span<Var> dx);
// The derivative rule of a kernel made of ops: that of the ops.
void pull_steps(const Steps& steps, Pull& p);
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
// variables instead of assigning to old ones. `op` names the op in messages: a literal, or a text
// that outlives the tape. Throws Error for more than 16 inputs or outputs, and so does a derivative
// of higher order: that of a function with n inputs and m outputs has n + m inputs, n outputs.
template <class F, std::convertible_to<Var>... Inputs>
auto pointwise(const char* op, F f, const Inputs&... inputs) {
  using Fused = detail::Fused<F, sizeof...(Inputs)>;
  const std::array<Var, sizeof...(Inputs)> xs{Var(inputs)...};
  std::array<Var, Fused::kOutputs> ys;
  detail::run_pointwise(detail::make_kernel<sizeof...(Inputs)>(op, std::move(f)), xs, ys);
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
