// Var: a handle to a value, recorded on a tape or not.
#pragma once

#include <reel/autodiff/parameter.hpp>
#include <reel/autodiff/view.hpp>

namespace reel::inline REEL_PRECISION {

class Tape;
namespace detail {
struct Node;
}

// What Var::value returns: an xtensor container over the Var's own memory.
using ArrayView =
    xt::xarray_adaptor<xt::xbuffer_adaptor<const real*, xt::no_ownership, std::allocator<real>>,
                       xt::layout_type::dynamic, xt::svector<std::size_t, 4>>;

// A cheap handle, copied like a pointer, that stays on the thread that made it. Made from an
// array or a number it is a constant; ops on Vars return Vars. A handle that outlived its tape, or
// one of a parameter that has changed since, throws StaleError when used.
class Var {
 public:
  Var() = default;
  Var(real value);
  Var(const Array& value);  // copies
  Var(Array&& value);
  Var(const Parameter& parameter);  // refers

  const Shape& shape() const;
  std::size_t dim() const { return shape().size(); }
  std::size_t size() const { return element_count(shape()); }
  std::size_t size(std::ptrdiff_t axis) const;  // negative: from the last

  // The elements; the view is valid as long as this Var and its tape.
  ArrayView value() const&;
  Array value() &&;
  real item() const;  // of a Var with one element

  // After Tape::backward, for a Var made by Tape::leaf: dLoss/dself, zeros if it was not reached.
  Array grad() const;

  bool is_recorded() const;  // does it depend on a leaf or a trainable parameter?
  explicit operator bool() const { return static_cast<bool>(node_); }

  // For ops: the node behind; throws if empty, stale, or of a parameter that has changed.
  inline detail::Node& node(const char* op = "Var") const;
  explicit Var(detail::Ref<detail::Node> node) : node_(std::move(node)) {}
  const detail::Ref<detail::Node>& ref() const { return node_; }

 private:
  void check_usable(const char* op) const;
  detail::Ref<detail::Node> node_;
};

// The same value, off the tape: no gradient flows, and it outlives the tape (state = detach(state)
// between the windows of truncated BPTT).
Var detach(const Var& a);
Array to_array(const View& view);

}  // namespace reel::inline REEL_PRECISION

#include <reel/autodiff/node.hpp>  // for Var::node, which every op calls for every operand
