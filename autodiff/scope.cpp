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
    // A layer's full path may stand inside the scope of the module that holds it.
    if (path.empty() || scope->name_.starts_with(path + "."))
      path = scope->name_;
    else if (path != scope->name_)
      path.append(".").append(scope->name_);
  }
};

Scope::Scope(std::string_view name) : name_(name), outer_(innermost) { innermost = this; }
Scope::~Scope() { innermost = outer_; }

std::string Scope::path() {
  std::string path;
  ScopeStack::append(path, innermost);
  return path;
}

void refuse_ninth_axis() {
  throw ShapeError(in_scope("shape: must have at most 8 axes; got a ninth"));
}
void refuse_size(std::size_t axes) {
  throw ShapeError(in_scope(fmt::format(
      "shape: the number of elements must fit into a size; got {} axes whose product does not",
      axes)));
}

std::string in_scope(std::string text) {
  const std::string path = Scope::path();
  // A layer without a name runs as its kind, which its own messages begin with.
  if (path.empty() || text.starts_with(path + ": ")) return text;
  return path + ": " + text;
}

}  // namespace reel
