#include <reel/autodiff/runs.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION {

using namespace detail;

void Tape::require_finite(const Node& node, const View& view, const char* direction) const {
  const std::array<View, 1> views{view};
  std::array<real*, 1> p;
  Runs runs(views);
  runs.for_each(views, p, [&](const auto& at) {
    for (std::size_t i = 0; i < runs.run(); ++i) {
      const real x = at[0][static_cast<std::ptrdiff_t>(i) * runs.run_stride(view)];
      if (std::isfinite(x)) continue;
      const std::string scope = node.index < scopes_.size() ? scopes_[node.index] : Scope::path();
      throw NonFiniteError(fmt::format("{}{}{}: {} made {} in {}", scope, scope.empty() ? "" : ": ",
                                       node.op, direction, x, view.shape));
    }
  });
}

}  // namespace reel::inline REEL_PRECISION
