#include <reel/autodiff/node.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/tape.hpp>

#include <atomic>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {
thread_local ParameterScope* innermost_scope = nullptr;
thread_local Substitution* innermost_substitution = nullptr;
}  // namespace

// The leaf that stands for a parameter: its gradient lies in the parameter, or in a GradientStore.
struct ParameterLeaf : Node {
  explicit ParameterLeaf(const Parameter& p) : parameter(p), version(p.version_.number) {
    op = "parameter";
    keeps_grad = true;
    needs_grad = p.trainable;
    borrows = true;
    value.view = View(const_cast<real*>(p.value_.data()), p.shape());
  }
  void pull(Pull&) override { check_borrowed("backward"); }
  void check_borrowed(const char* user) const override {
    check<StaleError>(version == parameter.version_.number,
                      "{}: parameter {} was changed after its Var was made, or has ended; update "
                      "parameters after backward, and keep layers so long",
                      user, parameter.name);
  }
  // Does this node still stand for the parameter, for what records now?
  bool is_current() const {
    const bool wanted = Tape::current() && parameter.trainable;
    return !stale && version == parameter.version_.number && (needs_grad || !wanted);
  }
  void forget_grad() override {
    if (reached_in == tape->backwards()) gradient().clear();
  }
  bool locate_kept() override {
    if (Recorder* recorder = Recorder::current()) [[unlikely]] {
      // A place of its own, which each replay adds to.
      const real zero = 0;
      grad.hold(recorder->input(View(const_cast<real*>(&zero), {}).expanded(shape())));
      return grad_written = true;
    }
    reached_in = tape->backwards();
    grad_written = gradient().claim_whole(shape());
    grad.hold(View(const_cast<real*>(gradient().array().data()), shape()), {});
    return true;
  }
  // Leaves grad empty: who writes to the gradient as a whole must claim it first.
  bool add_grad_rows(const View& rows, const Indices& indices) override {
    if (grad || tape->checks_finite() || Recorder::current()) return false;
    reached_in = tape->backwards();
    gradient().add_rows(shape(), rows, indices);
    grad_written = true;
    return true;
  }
  Gradient& gradient() const {
    GradientStore* store = GradientStore::current();
    return store ? store->of(parameter) : parameter.gradient();
  }
  const Parameter& parameter;
  std::uint64_t version;
  std::uint64_t reached_in = 0;  // the last backward that did, counted from 1
};

std::uint64_t Parameter::Version::next() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

const Array& Parameter::grad() const {
  if (!has_grad()) gradient_.whole(shape()).fill(0);
  return gradient_.array();
}
Array& Parameter::mutable_grad() const {
  Array& all = gradient_.whole(shape());
  if (!gradient_.claim_whole(shape())) all.fill(0);
  return all;
}

ParameterScope::ParameterScope() : outer_(std::exchange(innermost_scope, this)) {}
ParameterScope::~ParameterScope() {
  ParameterScope** link = &innermost_scope;
  while (*link && *link != this) link = &(*link)->outer_;
  if (*link) *link = outer_;
}
ParameterScope* ParameterScope::current() { return innermost_scope; }
ParameterScope* ParameterScope::exchange_current(ParameterScope* scope) {
  return std::exchange(innermost_scope, scope);
}
Var ParameterScope::find(const Parameter& parameter) const {
  auto at = vars_.find(&parameter);
  if (at == vars_.end()) return {};
  const auto& leaf = static_cast<const ParameterLeaf&>(*at->second.ref());
  if (const Tape* tape = Tape::current(); tape && tape->replays()) leaf.check_borrowed("backward");
  return leaf.is_current() ? at->second : Var();
}

void Substitutes::add(const Parameter& parameter, const Var& var) {
  var.node("substitute").reused = true;
  vars_.emplace_back(&parameter, var);
}
Var Substitutes::find(const Parameter& parameter) const {
  for (const auto& [key, var] : vars_)
    if (key == &parameter) return var;
  return {};
}

Substitution::Substitution(const Substitutes& substitutes)
    : substitutes_(substitutes), outer_(innermost_substitution) {
  if (!substitutes.empty()) innermost_substitution = this;
}
Substitution::~Substitution() { innermost_substitution = outer_; }

Var::Var(const Parameter& parameter) {
  for (const Substitution* s = innermost_substitution; s; s = s->outer_) {
    *this = s->substitutes_.find(parameter);
    if (node_) return;
  }
  ParameterScope* scope = ParameterScope::current();
  if (Recorder* recorder = Recorder::current()) [[unlikely]]
    recorder->know(View(const_cast<real*>(parameter.value_.data()), parameter.shape()),
                   parameter.version_.number);
  if (scope) *this = scope->find(parameter);
  if (node_) return;
  node_ = Ref<Node>(new ParameterLeaf(parameter));
  if (Tape* tape = Tape::current(); tape && parameter.trainable)
    tape->push(node_);
  else
    node_->needs_grad = false;
  if (scope) scope->remember(parameter, *this);
}

}  // namespace reel::inline REEL_PRECISION
