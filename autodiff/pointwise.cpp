#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/pointwise.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/stream.hpp>

namespace reel::inline REEL_PRECISION::detail {
namespace {

constexpr std::size_t kMaxInputs = 16;

// The gradient of a kernel is a kernel: (x, dy) -> dx_i = sum_k dy_k df_k/dx_i.
struct GradKernel final : Kernel {
  explicit GradKernel(const KernelRef& f)
      : Kernel(f.kernel->inputs + f.kernel->outputs, f.kernel->inputs),
        base(f.kernel),
        owner(f.owner) {
    check<Error>(inputs <= kMaxInputs,
                 "{}: a derivative of this order must have at most {} inputs; got {}", f.op,
                 kMaxInputs, inputs);
  }

  void forward(const real* const* x, real* const* y, std::size_t n) const override {
    std::array<Sink, kMaxInputs> dx;
    for (std::size_t i = 0; i < outputs; ++i) dx[i] = {y[i], false};
    base->backward(x, x + outputs, dx.data(), n);
  }

  void backward(const real* const* x, const real* const* dy, const Sink* dx,
                std::size_t n) const override {
    std::array<Jet, kMaxInputs> in, out;
    for (std::size_t j = 0; j < n; j += Simd::kLanes)
      for (std::size_t i = 0; i < inputs; ++i) {
        if (!dx[i].to) continue;
        for (std::size_t k = 0; k < inputs; ++k) {
          in[k] = Simd::load(x[k] + j);
          if (k == i) in[k] = Jet::join(in[k], 1, 0);
        }
        evaluate(in.data(), out.data());
        Simd sum = dx[i].accumulate ? Simd::load(dx[i].to + j) : Simd(0);
        for (std::size_t k = 0; k < outputs; ++k)
          sum = sum + Simd::load(dy[k] + j) * out[k].upper(0).value();
        sum.store(dx[i].to + j);
      }
  }

  void evaluate(const Jet* x, Jet* y) const override {
    int level = 0;
    for (std::size_t i = 0; i < inputs; ++i) level = std::max(level, x[i].level());
    std::array<Jet, kMaxInputs> in, out;
    for (std::size_t i = 0; i < outputs; ++i) {
      std::copy_n(x, base->inputs, in.begin());
      in[i] = Jet::join(in[i], 1, level);
      base->evaluate(in.data(), out.data());
      y[i] = 0;
      for (std::size_t k = 0; k < base->outputs; ++k)
        y[i] = y[i] + x[outputs + k] * out[k].upper(level);
    }
  }

  const Kernel* base;
  Ref<Kernel> owner;
};

struct Forward final : StreamBody {
  const Kernel& kernel;
  explicit Forward(const Kernel& k) : kernel(k) {}
  void operator()(real* const* p, std::size_t n) override {
    kernel.forward(p, p + kernel.inputs, n);
  }
  std::unique_ptr<StreamBody> clone() const override { return std::make_unique<Forward>(kernel); }
};

// Operands: inputs, output gradients, wanted input gradients.
struct Backward final : StreamBody {
  const Kernel& kernel;
  std::array<int, kMaxInputs> sink;  // operand of dx_i; -1: not wanted
  std::array<bool, kMaxInputs> accumulate;
  explicit Backward(const Kernel& k) : kernel(k) {}
  void operator()(real* const* p, std::size_t n) override {
    std::array<Sink, kMaxInputs> dx;
    for (std::size_t i = 0; i < kernel.inputs; ++i)
      dx[i] = {sink[i] < 0 ? nullptr : p[sink[i]], accumulate[i]};
    kernel.backward(p, p + kernel.inputs, dx.data(), n);
  }
  std::unique_ptr<StreamBody> clone() const override { return std::make_unique<Backward>(*this); }
  bool goes_by_element() const override { return false; }
};

// For a replay, which may outlive the node.
void keep_kernel(const Ref<Kernel>& owner) {
  if (Recorder* recorder = Recorder::current(); recorder && owner) [[unlikely]]
    recorder->keep(owner);
}

// Could the gradients of a and b share elements? Not if both are parts of one split.
bool may_overlap(const Node& a, const Node& b) {
  const bool siblings = a.producer && a.producer == b.producer;
  return !siblings && (a.grad_in_base || b.grad_in_base) && a.grad && b.grad &&
         a.grad->storage.get() == b.grad->storage.get();
}

struct Detour {
  Value full;
  Target to;
};

struct PointwiseNode final : Node {
  explicit PointwiseNode(const KernelRef& f) : kernel(f.kernel), owner(f.owner) {}

  bool pull_in_place() override {
    static real zero = 0;
    static const View no_gradient(&zero, {});
    const Shape& common = outputs().empty() ? shape() : outputs()[0]->shape();
    const std::size_t n = inputs().size(), results = kernel->outputs;
    std::array<Operand, kMaxOperands> operands;
    std::size_t count = 0;
    for (const Var& x : inputs()) operands[count++] = {&x.ref()->value.view};
    for (std::size_t k = 0; k < results; ++k) {
      const Node& y = outputs().empty() ? *this : *outputs()[k];
      operands[count++] = {y.grad_written ? &y.grad->view : &no_gradient};
    }
    std::array<const Storage*, kMaxInputs> storage{};  // of their gradients
    for (std::size_t i = 0; i < n; ++i) {
      Node& x = *inputs()[i].ref();
      if (!x.needs_grad) continue;
      prepare_grad(x);
      storage[i] = x.grad->storage.get();
    }
    // An input that was broadcast, or that overlaps another, gets its gradient by way of a full
    // array of its own.
    Backward body(*kernel);
    std::vector<Detour, PoolAllocator<Detour>> detours;
    for (std::size_t i = 0; i < n; ++i) {
      Node& x = *inputs()[i].ref();
      body.sink[i] = x.needs_grad ? static_cast<int>(count) : -1;
      body.accumulate[i] = false;
      if (!x.needs_grad) continue;
      bool detour = x.shape() != common;
      std::size_t mention = i;
      for (std::size_t j = 0; j < i && mention == i; ++j) {
        if (storage[j] != storage[i]) continue;
        const Node& other = *inputs()[j].ref();
        if (&other == &x) mention = j;
        detour |= may_overlap(x, other);
      }
      // A kernel adds to one gradient after another: an input mentioned again has the same one.
      if (mention < i) {
        body.sink[i] = body.sink[mention];
        body.accumulate[i] = true;
        continue;
      }
      const Target to = grad_target(x);
      body.accumulate[i] = to.accumulate && !detour;
      if (detour) {
        if (detours.empty()) detours.reserve(n);
        detours.push_back({allocate(common), to});
        operands[count++] = {&detours.back().full.view, Operand::kWrite};
      } else {
        operands[count++] = {&to.view, to.accumulate ? Operand::kUpdate : Operand::kWrite};
      }
    }
    keep_kernel(owner);
    stream(common, {operands.data(), count}, body);
    for (const Detour& d : detours) sum_onto(d.full.view, d.to.view, d.to.accumulate);
    return true;
  }

  void pull(Pull& p) override {
    if (const Steps steps = kernel->steps(); !steps.empty()) return pull_steps(steps, p);
    Vars xs(inputs().begin(), inputs().end());
    for (std::size_t k = 0; k < kernel->outputs; ++k) xs.push_back(p.dy(k));
    Vars dx(inputs().size());
    run_gradient({op, kernel, owner}, xs, dx);
    for (std::size_t i = 0; i < inputs().size(); ++i)
      p.give(i, [&] { return sum_to(dx[i], inputs()[i].shape()); });
  }

  const Kernel* kernel;
  Ref<Kernel> owner;
};

}  // namespace

void run_gradient(const KernelRef& f, std::span<const Var> inputs, std::span<Var> dx) {
  Ref<Kernel> gradient(new GradKernel(f));
  run_pointwise({f.op, gradient.get(), gradient}, inputs, dx);
}

void run_pointwise(const KernelRef& kernel, std::span<const Var> inputs, std::span<Var> outputs) {
  const char* op = kernel.op;
  check<Error>(inputs.size() <= kMaxInputs, "{}: at most {} inputs; got {}", op, kMaxInputs,
               inputs.size());
  check<Error>(outputs.size() <= kMaxInputs, "{}: at most {} outputs; got {}", op, kMaxInputs,
               outputs.size());
  const bool record = must_record(op, inputs);
  Shape shape = inputs[0].ref()->shape();
  for (const Var& x : inputs.subspan(1))
    if (x.ref()->shape() != shape) shape = broadcast_shapes(op, shape, x.ref()->shape());

  const bool single = outputs.size() == 1;
  Ref<Node> node;
  if (record) node = make_node<PointwiseNode>(inputs, single ? 0 : outputs.size(), kernel);
  std::array<Operand, kMaxOperands> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i) operands[i] = {&inputs[i].ref()->value.view};
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    outputs[k] = Var(record && single ? node : Ref<Node>(new Node));
    Value& y = outputs[k].ref()->value = allocate(shape);
    operands[inputs.size() + k] = {&y.view, Operand::kWrite};
  }
  keep_kernel(kernel.owner);
  Forward body(*kernel.kernel);
  stream(shape, {operands.data(), inputs.size() + outputs.size()}, body);

  if (record) push(op, node);
  for (Var& y : outputs)
    if (!record)
      unrecorded(op, y.ref());
    else if (!single)
      push_output(*node, y.ref());
}

}  // namespace reel::inline REEL_PRECISION::detail
