// Expression: elementwise ops on Vars that are still to be computed, together, as one op.
#pragma once

#include <reel/autodiff/formula.hpp>

#include <string_view>

namespace reel::inline REEL_PRECISION {

namespace detail {
struct Fuse;
template <class T>
constexpr std::string_view type_name() {
  return __PRETTY_FUNCTION__;
}
}  // namespace detail

// What elementwise ops take: anything that converts to Var, if one operand is more than a number
// (C++ has ops for those) or an Array (xtensor has).
template <class T>
concept Operand = std::convertible_to<T, Var>;
template <class T>
concept Term = std::is_class_v<std::remove_cvref_t<T>> && Operand<T> &&
    !std::same_as<std::remove_cvref_t<T>, Array>;
template <class... T>
concept Terms = (Operand<T> && ...) && (Term<T> || ...);

// What the elementwise ops return: a Var that is computed when it is first needed. The ops of one
// statement thereby become one, with a single loop forward and one backward:
//
//   const Var c = sigmoid(f) * s.c + sigmoid(i) * tanh(g);
//
// `auto` in place of Var is safe, as operands are held by value; the op runs once, where the
// variable is first used. Shapes, and empty or stale handles, are checked at once, op by op.
// An op runs by itself where fusing would repeat work or hide it: if it broadcasts the result of
// another op, if both its operands are broadcast, and while check_finite is on.
template <class Formula>
class Expression {
 public:
  // Gives `condition ? tanh(x) : relu(x)` a type: of two different expressions one converts to
  // the other, by being computed.
  template <class Other>
  requires(detail::type_name<Formula>() < detail::type_name<Other>())
      Expression(const Expression<Other>& other)
      : result_(other.var()) {}

  // An `auto` variable takes any other value too.
  Expression& operator=(Var value) {
    result_ = std::move(value);
    inputs_ = {};
    return *this;
  }
  template <class Other>
  requires(!std::same_as<Other, Formula>) Expression& operator=(const Expression<Other>& other) {
    return *this = other.var();
  }

  operator Var() const& { return var(); }
  operator Var() && {
    static_cast<void>(var());
    return std::move(result_);
  }

  // As those of Var.
  const Shape& shape() const { return like().shape(); }
  std::size_t dim() const { return like().dim(); }
  std::size_t size() const { return like().size(); }
  std::size_t size(std::ptrdiff_t axis) const { return like().size(axis); }
  ArrayView value() const& { return var().value(); }
  Array value() && { return Var(std::move(*this)).value(); }
  real item() const { return var().item(); }
  Array grad() const { return var().grad(); }
  bool is_recorded() const { return var().is_recorded(); }
  detail::Node& node(const char* op = "Var") const { return var().node(op); }
  const detail::Ref<detail::Node>& ref() const& { return var().ref(); }

 private:
  template <class>
  friend class Expression;
  friend struct detail::Fuse;

  Expression() = default;
  const Var& var() const;
  const Var& like() const { return result_ ? result_ : inputs_[like_]; }

  Formula formula_;
  mutable std::array<Var, Formula::kInputs> inputs_;  // until computed
  mutable Var result_;                                // when computed
  std::size_t like_ = 0;                              // the input that has the result's shape
};

namespace detail {

template <class T>
inline constexpr bool is_expression = false;
template <class Formula>
inline constexpr bool is_expression<Expression<Formula>> = true;

// An operand on its way into an expression. Input: `input` has its shape; nested: it is an op.
struct FuseOperand {
  const Var* like = nullptr;  // null: a constant
  bool nested = false;
  bool computed = false;
};
// Which operand has the shape of the result of an op; -1: the op must run by itself. Throws what
// the op would.
int like_operand(const char* op, std::span<const FuseOperand> operands);
Var run_kernel(const KernelRef& kernel, std::span<const Var> inputs);

// Puts expressions together.
struct Fuse {
  static constexpr std::size_t kMaxInputs = 8;

  // op(terms...) as an expression.
  template <class Op, class... Terms>
  static auto call(const Op& op, Terms&&... terms) {
    if constexpr ((std::is_class_v<std::remove_cvref_t<Terms>> || ...))
      return call_parts(op, part(std::forward<Terms>(terms))...);
    else
      return call(op, Var(terms)...);
  }

 private:
  // Operands become constants, Vars (variables too, which are computed once), or stay temporary
  // expressions.
  template <class T>
  static decltype(auto) part(T&& term) {
    using Bare = std::remove_cvref_t<T>;
    if constexpr (!std::is_class_v<Bare>)
      return Constant{static_cast<real>(term)};
    else if constexpr (is_expression<T>)
      return std::forward<T>(term);
    else
      return Var(std::forward<T>(term));
  }

  static Input formula(const Var&) { return {}; }
  static Constant formula(Constant constant) { return constant; }
  template <class Formula>
  static const Formula& formula(const Expression<Formula>& x) {
    return x.formula_;
  }
  template <class Part>
  using FormulaOf = std::decay_t<decltype(formula(std::declval<const Part&>()))>;

  template <class Op, class... Parts>
  static auto call_parts(const Op& op, Parts&&... parts) {
    using Formula = Call<Op, FormulaOf<Parts>...>;
    if constexpr (Formula::kInputs > kMaxInputs) {
      constexpr std::size_t kMost = std::max({FormulaOf<Parts>::kInputs...});
      return call_parts(op, computed_from<kMost>(std::move(parts))...);
    } else {
      Expression<Formula> y;
      y.formula_ = {op, formula(parts)...};
      const std::array<FuseOperand, sizeof...(Parts)> operands{operand(parts)...};
      int like = like_operand(Op::kName, operands);
      if (like < 0) {
        std::array<Var, Formula::Single::kInputs> xs;
        Var* end = xs.data();
        (take_computed(std::move(parts), end), ...);
        y.result_ = run_kernel(op_kernel(y.formula_.single()), xs);
      } else {
        Var* end = y.inputs_.data();
        const Var* shaped = nullptr;
        ((shaped = like-- == 0 ? end + like_of(parts) : shaped, take(std::move(parts), end)), ...);
        y.like_ = static_cast<std::size_t>(shaped - y.inputs_.data());
      }
      return y;
    }
  }

  // Computes an expression of this many inputs or more.
  template <std::size_t Inputs, class Part>
  static decltype(auto) computed_from(Part&& part) {
    if constexpr (is_expression<Part>) {
      if constexpr (FormulaOf<Part>::kInputs >= Inputs)
        return Var(std::forward<Part>(part));
      else
        return std::forward<Part>(part);
    } else {
      return Part(std::forward<Part>(part));
    }
  }

  static FuseOperand operand(const Constant&) { return {}; }
  static FuseOperand operand(const Var& x) { return {&x}; }
  template <class Formula>
  static FuseOperand operand(const Expression<Formula>& x) {
    return {&x.like(), true, static_cast<bool>(x.result_)};
  }

  // Put the inputs of a part, or its value, at end.
  static void take(Constant&&, Var*&) {}
  static void take(Var&& x, Var*& end) { *end++ = std::move(x); }
  template <class Formula>
  static void take(Expression<Formula>&& x, Var*& end) {
    end = std::move(x.inputs_.begin(), x.inputs_.end(), end);
  }
  static void take_computed(Constant&&, Var*&) {}
  static void take_computed(Var&& x, Var*& end) { *end++ = std::move(x); }

  static std::size_t like_of(const Constant&) { return 0; }
  static std::size_t like_of(const Var&) { return 0; }
  template <class Formula>
  static std::size_t like_of(const Expression<Formula>& x) {
    return x.like_;
  }
};

}  // namespace detail

template <class Formula>
const Var& Expression<Formula>::var() const {
  if (!result_) {
    result_ = detail::run_kernel(detail::formula_kernel(formula_), inputs_);
    inputs_ = {};
  }
  return result_;
}

}  // namespace reel::inline REEL_PRECISION
