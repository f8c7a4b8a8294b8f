// One Var per parameter within a tape or a tapeless pass.
#pragma once

#include <reel/autodiff/var.hpp>

#include <unordered_map>
#include <utility>
#include <vector>

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
  // act(parameter) for those that were mentioned.
  void for_each(auto&& act) const {
    for (const auto& [parameter, var] : vars_) act(*parameter);
  }
  void remember(const Parameter& parameter, const Var& var) {
    vars_.insert_or_assign(&parameter, var);
  }

 private:
  ParameterScope* outer_;
  std::unordered_map<const Parameter*, Var, std::hash<const Parameter*>, std::equal_to<>,
                     PoolAllocator<std::pair<const Parameter* const, Var>>>
      vars_;
};

// Vars to be used in place of parameters, such as masked weights. A product treats them as weights
// that come again.
class Substitutes {
 public:
  void add(const Parameter& parameter, const Var& var);
  bool empty() const { return vars_.empty(); }
  // Empty if there is none.
  Var find(const Parameter& parameter) const;

 private:
  std::vector<std::pair<const Parameter*, Var>, PoolAllocator<std::pair<const Parameter*, Var>>>
      vars_;
};

// While it lives, mentions of these parameters on this thread are their substitutes.
class Substitution {
 public:
  explicit Substitution(const Substitutes& substitutes);
  ~Substitution();
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

 private:
  friend class Var;
  const Substitutes& substitutes_;
  Substitution* outer_;
};

}  // namespace reel::inline REEL_PRECISION
