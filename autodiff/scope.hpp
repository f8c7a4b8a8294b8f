// The path of the layer that is running on this thread, for messages.
#pragma once

#include <string>
#include <string_view>

namespace reel {

// While it lives, errors on this thread name the layer: `Scope scope("encoder");`.
// The text must outlive the scope.
class Scope {
 public:
  explicit Scope(std::string_view name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Names from the outermost scope to this one, joined by dots (a name that begins with the path
  // around it is the whole path); "" outside any.
  static std::string path();

 private:
  friend struct ScopeStack;
  std::string_view name_;
  Scope* outer_;
};

}  // namespace reel
