#include <reel/autodiff/error.hpp>
#include <reel/autodiff/scope.hpp>

namespace reel {
namespace {
thread_local Scope* innermost = nullptr;
}

struct ScopeStack {
  static void append(std::string& path, const Scope* scope) {
    if (!scope) return;
    append(path, scope->outer_);
    if (scope->name_.empty()) return;
    if (!path.empty()) path += '.';
    path += scope->name_;
  }
};

Scope::Scope(std::string_view name) : name_(name), outer_(innermost) { innermost = this; }
Scope::~Scope() { innermost = outer_; }

std::string Scope::path() {
  std::string path;
  ScopeStack::append(path, innermost);
  return path;
}

std::string scope_prefix() {
  std::string path = Scope::path();
  return path.empty() ? path : path + ": ";
}

}  // namespace reel
