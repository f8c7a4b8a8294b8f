// The activation of cells that leave it open.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <functional>

namespace reel::inline REEL_PRECISION {

// tanh, relu, or any function of a Var that keeps its shape.
class Activation {
 public:
  enum Kind { kTanh, kRelu };

  Activation(Kind kind) : kind_(kind) {}
  template <std::convertible_to<std::function<Var(const Var&)>> F>
  Activation(F function) : function_(std::move(function)) {}

  Var operator()(Operand auto&& x) const {
    if (function_) return function_(std::forward<decltype(x)>(x));
    if (kind_ == kTanh) return tanh(std::forward<decltype(x)>(x));
    return relu(std::forward<decltype(x)>(x));
  }

 private:
  Kind kind_ = kTanh;
  std::function<Var(const Var&)> function_;
};

}  // namespace reel::inline REEL_PRECISION
