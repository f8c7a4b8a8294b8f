#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

namespace reel::inline REEL_PRECISION {

namespace detail {

template <class Single>
KernelRef op_kernel(const Single& f) {
  return make_kernel<Single::kInputs>(Single::kName, f);
}

#define REEL_KERNEL(...) template KernelRef op_kernel(const Call<ops::__VA_ARGS__>&);
#define REEL_UNARY_KERNEL(Op) REEL_KERNEL(Op, Input)
#define REEL_BINARY_KERNELS(Op)    \
  REEL_KERNEL(Op, Input, Input)    \
  REEL_KERNEL(Op, Input, Constant) \
  REEL_KERNEL(Op, Constant, Input)

REEL_BINARY_KERNELS(Add)
REEL_BINARY_KERNELS(Subtract)
REEL_BINARY_KERNELS(Multiply)
REEL_BINARY_KERNELS(Divide)
REEL_UNARY_KERNEL(Negate)
REEL_UNARY_KERNEL(Abs)
REEL_UNARY_KERNEL(Sign)
REEL_UNARY_KERNEL(Exp)
REEL_UNARY_KERNEL(Log)
REEL_UNARY_KERNEL(Log1p)
REEL_UNARY_KERNEL(Expm1)
REEL_UNARY_KERNEL(Sqrt)
REEL_UNARY_KERNEL(Square)
REEL_UNARY_KERNEL(Reciprocal)
REEL_UNARY_KERNEL(Sin)
REEL_UNARY_KERNEL(Cos)
REEL_BINARY_KERNELS(Pow)
REEL_UNARY_KERNEL(Sigmoid)
REEL_UNARY_KERNEL(Tanh)
REEL_UNARY_KERNEL(Relu)
REEL_UNARY_KERNEL(Gelu)
REEL_UNARY_KERNEL(Softplus)
REEL_UNARY_KERNEL(Silu)
REEL_BINARY_KERNELS(Max)
REEL_BINARY_KERNELS(Min)
REEL_UNARY_KERNEL(LeakyRelu)
REEL_UNARY_KERNEL(Elu)
REEL_UNARY_KERNEL(Clamp)
REEL_KERNEL(Where, Input, Input, Input)
REEL_KERNEL(Where, Input, Input, Constant)
REEL_KERNEL(Where, Input, Constant, Input)
REEL_KERNEL(Where, Input, Constant, Constant)

}  // namespace detail

Var zeros(const Shape& shape) { return Var(full_array(shape, 0)); }

}  // namespace reel::inline REEL_PRECISION
