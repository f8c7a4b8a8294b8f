// One Var per parameter within a tape or a tapeless pass.
#pragma once

#include <reel/autodiff/var.hpp>

#include <unordered_map>

namespace reel::inline REEL_PRECISION {

// While it lives, every mention of a parameter on this thread is the same Var, so that what is
// derived from a weight (its transpose) is made once. Every tape holds one.
class ParameterScope {
 public:
  ParameterScope();
  ~ParameterScope();
  ParameterScope(const ParameterScope&) = delete;
  ParameterScope& operator=(const ParameterScope&) = delete;

  static ParameterScope* current();
  static ParameterScope* exchange_current(ParameterScope* scope);  // returns the one before
  Var find(const Parameter& parameter) const;  // empty if not mentioned yet, or changed since
  void remember(const Parameter& parameter, const Var& var) {
    vars_.insert_or_assign(&parameter, var);
  }

 private:
  ParameterScope* outer_;
  std::unordered_map<const Parameter*, Var, std::hash<const Parameter*>, std::equal_to<>,
                     PoolAllocator<std::pair<const Parameter* const, Var>>>
      vars_;
};

}  // namespace reel::inline REEL_PRECISION
