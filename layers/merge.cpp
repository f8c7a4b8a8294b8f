#include <reel/layers/merge.hpp>

namespace reel::inline REEL_PRECISION {

Merge::Merge(Kind kind) {
  switch (kind) {
    case kConcat:
      function_ = [](const Var& a, const Var& b) { return concat({a, b}, -1); };
      return;
    case kSum:
      function_ = [](const Var& a, const Var& b) -> Var { return a + b; };
      break;
    case kMean:
      function_ = [](const Var& a, const Var& b) -> Var { return (a + b) / 2; };
      break;
    case kProduct:
      function_ = [](const Var& a, const Var& b) -> Var { return a * b; };
      break;
  }
  same_width_ = true;
}

Merge::Merge(Function function) : function_(std::move(function)), keeps_zeros_(false) {
  check<Error>(static_cast<bool>(function_), "merge: the function must not be empty");
}

Var Merge::operator()(const Var& forward, const Var& backward) const {
  check(!same_width_ || forward.shape() == backward.shape(),
        "merge: both directions must be equally wide; got forward {}, backward {}", forward.shape(),
        backward.shape());
  Var merged = function_(forward, backward);
  Shape expected = forward.shape();
  if (merged.dim() > 0) expected.back() = merged.size(-1);
  check(merged.shape() == expected,
        "merge: the result must differ in the last axis alone; got {} from {} and {}",
        merged.shape(), forward.shape(), backward.shape());
  return merged;
}

}  // namespace reel::inline REEL_PRECISION
