// Kernel: a fused elementwise function, its value and derivatives, behind one interface.
#pragma once

#include <reel/autodiff/functions.hpp>
#include <reel/autodiff/ref.hpp>

#include <tuple>
#include <utility>
#include <vector>

namespace reel::inline REEL_PRECISION::detail {

// Where a gradient goes; null: not wanted.
struct Sink {
  real* to;
  bool accumulate;
};

struct Kernel;
// A kernel that lives for ever, or that `owner` keeps, under the name that messages give it.
struct KernelRef {
  const char* op = nullptr;
  const Kernel* kernel = nullptr;
  Ref<Kernel> owner = {};
};
// Ops in postfix order; null: the next input.
using Steps = std::vector<KernelRef, PoolAllocator<KernelRef>>;

// y_0 .. = f(x_0 ..) on runs of n elements, n a multiple of Simd::kLanes.
struct Kernel : Counted {
  Kernel(std::size_t in, std::size_t out) : inputs(in), outputs(out) {}
  virtual void forward(const real* const* x, real* const* y, std::size_t n) const = 0;
  // dx_i (+)= sum_k dy_k df_k/dx_i
  virtual void backward(const real* const* x, const real* const* dy, const Sink* dx,
                        std::size_t n) const = 0;
  virtual void evaluate(const Jet* x, Jet* y) const = 0;
  // The ops that f is made of; then evaluate is not called. None: f is an op itself.
  virtual Steps steps() const { return {}; }

  std::size_t inputs, outputs;
};

template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

// One result or a tuple of them, as a tuple.
template <class T>
auto as_tuple(T&& results) {
  if constexpr (is_tuple<std::decay_t<T>>)
    return std::forward<T>(results);
  else
    return std::tuple<std::decay_t<T>>(std::forward<T>(results));
}

// A function that is made of ops.
template <class F>
concept Composed = requires {
  requires F::kComposed;
};

// A user's lambda over N numbers: forward on Simd, backward on Dual, higher orders on Jet.
template <class F, std::size_t N>
class Fused final : public Kernel {
  using Index = std::make_index_sequence<N>;
  template <class Get>
  static auto call(const F& f, Get&& get) {
    const auto apply = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return as_tuple(f(get(std::integral_constant<std::size_t, I>{})...));
    };
    return apply(Index{});
  }
  using Results = decltype(call(std::declval<const F&>(), [](auto) { return Simd(); }));

 public:
  static constexpr std::size_t kOutputs = std::tuple_size_v<Results>;

  explicit Fused(F f) : Kernel(N, kOutputs), f_(std::move(f)) {}

  // Flattened: a loop without calls, however large the lambda is.
  [[gnu::flatten]] void forward(const real* const* x, real* const* y,
                                std::size_t n) const override {
    for (std::size_t j = 0; j < n; j += Simd::kLanes) {
      const auto results = call(f_, [&](auto i) { return Simd::load(x[i] + j); });
      each_output([&](auto k) { Simd(std::get<k>(results)).store(y[k] + j); });
    }
  }

  [[gnu::flatten]] void backward(const real* const* x, const real* const* dy, const Sink* dx,
                                 std::size_t n) const override {
    for (std::size_t j = 0; j < n; j += Simd::kLanes) {
      const auto results = call(f_, [&](auto i) {
        return Dual<1u << i>{Simd::load(x[i] + j), {Simd(1)}};
      });
      each_input([&](auto i) {
        if (!dx[i].to) return;
        Simd sum = dx[i].accumulate ? Simd::load(dx[i].to + j) : Simd(0);
        each_output([&](auto k) {
          const auto& result = std::get<k>(results);
          if constexpr (has_partial<std::decay_t<decltype(result)>>(i))
            sum = sum + Simd::load(dy[k] + j) * result.template partial<i>();
        });
        sum.store(dx[i].to + j);
      });
    }
  }

  void evaluate(const Jet* x, Jet* y) const override {
    if constexpr (!Composed<F>) {
      const auto results = call(f_, [&](auto i) { return x[i]; });
      each_output([&](auto k) { y[k] = std::get<k>(results); });
    }
  }
  Steps steps() const override {
    Steps steps;
    if constexpr (Composed<F>) f_.list(steps);
    return steps;
  }

 private:
  template <class T>
  static constexpr bool has_partial(std::size_t i) {
    if constexpr (is_dual<T>)
      return T::has(static_cast<unsigned>(i));
    else
      return false;
  }
  template <class Do, std::size_t... I>
  static void each(std::index_sequence<I...>, Do&& act) {
    (act(std::integral_constant<std::size_t, I>{}), ...);
  }
  template <class Do>
  static void each_input(Do&& act) {
    each(Index{}, act);
  }
  template <class Do>
  static void each_output(Do&& act) {
    each(std::make_index_sequence<kOutputs>{}, act);
  }

  [[no_unique_address]] F f_;
};

// Does a function hold no numbers, so that one kernel serves all its uses?
template <class F>
inline constexpr bool is_stateless = std::is_empty_v<F>;

template <std::size_t N, class F>
KernelRef make_kernel(const char* op, F f) {
  if constexpr (is_stateless<F>) {
    static const Fused<F, N> kernel(f);
    return {op, &kernel};
  } else {
    Ref<Kernel> kernel(new Fused<F, N>(std::move(f)));
    const Kernel* pointer = kernel.get();
    return {op, pointer, std::move(kernel)};
  }
}

}  // namespace reel::inline REEL_PRECISION::detail
