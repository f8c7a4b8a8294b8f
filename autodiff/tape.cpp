#include <reel/autodiff/record.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {
thread_local Tape* current_tape = nullptr;
}

Tape::Tape() : outer_(std::exchange(current_tape, this)) {}

Tape::~Tape() {
  current_tape = outer_;
  for (Ref<Node>& node : nodes_) {
    node->stale = true;
    node->tape = nullptr;
    if (!node->keeps_grad) node->grad = {};
    node->value.storage = {};
    node->transposed = {};
  }
  // Newest first, and one by one: a chain of inputs never unwinds recursively.
  while (!nodes_.empty()) {
    nodes_.back()->inputs.clear();
    nodes_.pop_back();
  }
}

Tape* Tape::current() { return current_tape; }

PauseRecording::PauseRecording() : paused_(std::exchange(current_tape, nullptr)) {}
PauseRecording::~PauseRecording() { current_tape = paused_; }

void Tape::push(const Ref<Node>& node) {
  node->tape = this;
  node->index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(node);
  for (const Var& input : node->inputs) ++input.ref()->consumers;
  if (check_finite_) {
    scopes_.resize(nodes_.size());
    scopes_.back() = Scope::path();
  }
}

Var Tape::leaf(Array value) {
  Ref<Node> node(new Node);
  node->op = "leaf";
  node->needs_grad = node->keeps_grad = true;
  node->value = adopt(std::move(value));
  push(node);
  return Var(node);
}

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
