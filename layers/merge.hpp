// How the outputs of two directions become one.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <functional>

namespace reel::inline REEL_PRECISION {

// merge(forward, backward), each [.., width]; rows of the result depend on the same rows alone.
class Merge {
 public:
  enum Kind { kConcat, kSum, kMean, kProduct };  // concat: forward first
  using Function = std::function<Var(const Var& forward, const Var& backward)>;

  Merge(Kind kind = kConcat);
  Merge(Function function);

  // Throws ShapeError if the widths do not fit, or if the result is not [.., any].
  Var operator()(const Var& forward, const Var& backward) const;
  bool keeps_zeros() const { return keeps_zeros_; }  // are zeros merged to zeros for certain?

 private:
  Function function_;
  bool same_width_ = false, keeps_zeros_ = true;
};

}  // namespace reel::inline REEL_PRECISION
