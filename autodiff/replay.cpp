#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/step_recording.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION::detail {
namespace {

// A dense array as blocks of rows, one for each step.
struct Blocks {
  Blocks() = default;
  Blocks(const Value& v, std::size_t steps)
      : value(v), data(v.view.data), size(v.view.size() / steps) {}
  void get(std::size_t t, const View& to) const { std::copy_n(data + t * size, size, to.data); }
  void put(std::size_t t, const View& from) const { std::copy_n(from.data, size, data + t * size); }
  Value value;  // keeps it
  real* data = nullptr;
  std::size_t size = 0;
};

struct ReplayNode final : Node {
  ReplayNode(std::unique_ptr<const RecordedStep> function, StepGradient step_gradient,
             std::size_t inputs, std::size_t parts, std::size_t row_count, std::size_t step_count)
      : step(std::move(function)),
        gradient(std::move(step_gradient)),
        input_parts(inputs),
        state_parts(parts),
        rows(row_count),
        steps(step_count) {
    own_loops = true;
  }
  bool pull_in_place() override;
  void pull(Pull& p) override {
    pull_by_recording(*this, p, [&] { return run_op_by_op(); });
  }
  Vars run_op_by_op() const;

  std::unique_ptr<const RecordedStep> step;
  StepGradient gradient;
  std::size_t input_parts, state_parts, rows, steps;
  PooledVector<Blocks> states;  // before each step, and after the last
};

Vars ReplayNode::run_op_by_op() const {
  Vars parts(input_parts + state_parts);
  std::copy_n(inputs().begin(), parts.size(), parts.begin());
  const PooledVector<std::size_t> rows_at(steps, rows);
  PooledVector<Vars> xs, made(state_parts);
  for (std::size_t j = 0; j < input_parts; ++j)
    split_into(xs.emplace_back(steps), parts[j], rows_at, 0);
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t j = 0; j < input_parts; ++j) parts[j] = std::move(xs[j][t]);
    const Vars next = (*step)(parts);
    for (std::size_t i = 0; i < state_parts; ++i) {
      made[i].push_back(next[i]);
      parts[input_parts + i] = next[i];
    }
  }
  Vars results;
  for (const Vars& part : made) results.push_back(concat(part, 0));
  for (const Vars& part : made) results.push_back(part.back());
  return results;
}

// One backward pass. The program's inputs are a step's inputs, the state before it, the gradient of
// the state after it, and the gradient of the state before it so far.
class Playback {
 public:
  explicit Playback(ReplayNode& n)
      : node_(n),
        gradient_(n.gradient),
        program_(*n.gradient.program),
        dx_(n.input_parts),
        dy_(n.state_parts) {
    for (std::size_t j = 0; j < n.input_parts; ++j) x_.emplace_back(input(j).value, n.steps);
  }
  void run() {
    place_x_grads();
    begin_with_last();
    const std::size_t most = steps_per_product();
    for (std::size_t end = node_.steps, begin; end > 0; end = begin) {
      begin = (end - 1) / most * most;
      run_steps(begin, end);
    }
    hand_on();
  }

 private:
  // Where a gradient cannot be put down step by step, it is made aside.
  struct Aside {
    Value value;
    Target to;
  };
  // The steps' products are given on in blocks of that many rows, as deferred products like them.
  static constexpr std::size_t kProductRows = DeferredProducts::kRows;

  void place_x_grads();
  void begin_with_last();
  std::size_t steps_per_product() const;
  void run_steps(std::size_t begin, std::size_t end);
  void run_step(std::size_t t);
  void hand_on();

  Node& input(std::size_t j) const { return *node_.inputs()[j].ref(); }
  Node& start(std::size_t i) const { return input(node_.input_parts + i); }
  const View& next(std::size_t i) const {
    return program_.input(node_.input_parts + node_.state_parts + i);
  }
  const View& so_far(std::size_t i) const {
    return program_.input(node_.input_parts + 2 * node_.state_parts + i);
  }

  ReplayNode& node_;
  const StepGradient& gradient_;
  Program& program_;
  PooledVector<Blocks> x_, dx_, dy_;
  PooledVector<Aside> asides_;
};

void Playback::place_x_grads() {
  for (std::size_t j = 0; j < node_.input_parts; ++j) {
    Node& n = input(j);
    if (!n.needs_grad) continue;
    const Target to = grad_target(n);
    const bool aside = to.accumulate || !to.view.is_dense();
    if (aside) asides_.push_back({allocate(n.shape()), to});
    dx_[j] = Blocks(aside ? asides_.back().value : *n.grad, node_.steps);
    if (gradient_.d_inputs[j] < 0) fill(dx_[j].value.view, 0);
  }
}

void Playback::begin_with_last() {
  for (std::size_t i = 0; i < node_.state_parts; ++i) {
    if (Node& all = *node_.outputs()[i]; all.grad_written)
      dy_[i] = Blocks(dense(*all.grad), node_.steps);
    if (Node& last = *node_.outputs()[node_.state_parts + i]; last.grad_written)
      copy(last.grad->view, next(i));
    else
      fill(next(i), 0);
    if (const Blocks& dy = dy_[i]; dy.data)
      detail::add(View(dy.data + (node_.steps - 1) * dy.size, next(i).shape), next(i));
    if (start(i).needs_grad) prepare_grad(start(i));
  }
  for (const auto& other : gradient_.others) {
    Node& n = *other.parameter.ref();
    prepare_grad(n);
    const View& sum = program_.input(other.place);
    n.grad_written ? copy(n.grad->view, sum) : fill(sum, 0);
  }
}

std::size_t Playback::steps_per_product() const {
  std::size_t rows = node_.rows;
  for (const auto& product : gradient_.products)
    rows = std::max(rows, program_.output(product.dy).shape[0]);
  return std::max<std::size_t>(1, kProductRows / rows);
}

void Playback::run_steps(std::size_t begin, std::size_t end) {
  const auto room_for = [&](std::size_t output) {
    const Shape& of_step = program_.output(output).shape;
    return Blocks(allocate({(end - begin) * of_step[0], of_step[1]}), end - begin);
  };
  PooledVector<Blocks> product_dy, product_x;
  for (const auto& product : gradient_.products) {
    product_dy.push_back(room_for(product.dy));
    product_x.push_back(product.weight ? room_for(product.x) : Blocks());
  }
  for (std::size_t t = end; t-- > begin;) {
    run_step(t);
    for (std::size_t k = 0; k < gradient_.products.size(); ++k) {
      const auto& product = gradient_.products[k];
      product_dy[k].put(t - begin, program_.output(product.dy));
      if (product.weight) product_x[k].put(t - begin, program_.output(product.x));
    }
  }
  for (std::size_t k = 0; k < gradient_.products.size(); ++k) {
    const auto& [weight, bias, dy_output, x_output] = gradient_.products[k];
    node_.tape->deferred().add(weight ? weight.ref().get() : nullptr,
                               bias ? bias.ref().get() : nullptr, product_dy[k].value,
                               product_x[k].value);
  }
}

void Playback::run_step(std::size_t t) {
  for (std::size_t j = 0; j < x_.size(); ++j) x_[j].get(t, program_.input(j));
  for (std::size_t i = 0; i < dy_.size(); ++i) {
    const Blocks& states = node_.states[i];
    states.get(t, program_.input(node_.input_parts + i));
    if (t + 1 < node_.steps) std::copy_n(so_far(i).data, states.size, next(i).data);
    if (t > 0 && dy_[i].data)
      dy_[i].get(t - 1, so_far(i));
    else if (t == 0 && start(i).needs_grad && start(i).grad_written)
      copy(start(i).grad->view, so_far(i));
    else
      std::fill_n(so_far(i).data, states.size, real(0));
  }
  program_.run();
  for (std::size_t j = 0; j < dx_.size(); ++j)
    if (dx_[j].data && gradient_.d_inputs[j] >= 0)
      dx_[j].put(t, program_.output(static_cast<std::size_t>(gradient_.d_inputs[j])));
}

void Playback::hand_on() {
  for (std::size_t i = 0; i < node_.state_parts; ++i)
    if (Node& n = start(i); n.needs_grad) {
      copy(so_far(i), n.grad->view);
      n.grad_written = true;
    }
  for (const auto& [value, to] : asides_) put(value.view, to);
  for (const auto& other : gradient_.others) {
    Node& n = *other.parameter.ref();
    copy(program_.input(other.place), n.grad->view);
    n.grad_written = true;
  }
}

bool ReplayNode::pull_in_place() {
  Playback(*this).run();
  return true;
}

}  // namespace

Program record_step(const RecordedStep& step, std::span<const Var> inputs,
                    std::span<const Var> state, std::size_t rows) {
  const PauseRecording pause;
  const ParameterScope parameters;
  Recorder recorder;
  Vars xs;
  for (const Var& x : inputs) xs.push_back(unrecorded("loop", recorder.input(first_rows(x, rows))));
  for (const Var& part : state)
    xs.push_back(unrecorded("loop", recorder.input(part.node("loop").value.view)));
  Vars next = step(xs);
  check<Error>(next.size() == state.size(), "loop: the state has {} parts, then {}", state.size(),
               next.size());
  PooledVector<int> feedback;
  for (std::size_t i = 0; i < state.size(); ++i)
    feedback.push_back(static_cast<int>(inputs.size() + i));
  return Program(recorder, next, xs, feedback);
}

Vars run_replayed(std::unique_ptr<const RecordedStep> step, std::span<const Var> inputs,
                  std::span<const Var> state, std::size_t rows, std::size_t steps) {
  Tape& tape = *Tape::current();
  for (const Var& x : inputs) {
    const View& view = x.node("loop").value.view;
    if (view.shape.size() == 0 || view.shape[0] != steps * rows || !view.is_dense()) return {};
  }
  for (const Var& part : state)
    if (part.shape().size() == 0 || part.shape()[0] != rows) return {};
  Vars all(inputs.begin(), inputs.end());
  all.insert(all.end(), state.begin(), state.end());
  StepGradient gradient;
  std::optional<Program> forward;
  try {
    gradient = StepRecording(*step, inputs, state, rows).gradient(tape);
    if (!gradient.program) return {};
    forward = StepRecording(*step, inputs, state, rows).forward();
  } catch (const Error&) {  // op by op it runs, or says what is wrong
    return {};
  }

  for (const auto& product : gradient.products)
    for (const Var* parameter : {&product.weight, &product.bias})
      if (*parameter) all.push_back(*parameter);
  for (const auto& other : gradient.others) all.push_back(other.parameter);
  if (!must_record("loop", all)) return {};
  // Each gradient in a place of its own.
  const std::size_t parts = inputs.size() + state.size();
  for (std::size_t i = 0; i < parts; ++i)
    for (std::size_t j = 0; j < all.size(); ++j)
      if (i != j && all[i].ref()->needs_grad && may_alias(*all[i].ref(), *all[j].ref())) return {};

  const std::size_t input_parts = inputs.size(), state_parts = state.size();
  const auto node =
      make_node<ReplayNode>(all, 2 * state_parts, std::move(step), std::move(gradient), input_parts,
                            state_parts, rows, steps);
  PooledVector<Blocks> xs;
  for (const Var& x : inputs) xs.emplace_back(x.ref()->share(), steps);
  for (std::size_t i = 0; i < state_parts; ++i) {
    Shape shape = state[i].shape();
    shape[0] *= steps + 1;
    Blocks& states = node->states.emplace_back(allocate(shape), steps + 1);
    const View& now = forward->input(input_parts + i);
    copy(state[i].ref()->value.view, now);
    states.put(0, now);
  }
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t j = 0; j < input_parts; ++j) xs[j].get(t, forward->input(j));
    forward->run();
    for (std::size_t i = 0; i < state_parts; ++i) node->states[i].put(t + 1, forward->output(i));
  }

  push("loop", Ref<Node>(node.get()));
  Vars results;
  const auto add_outputs = [&](std::size_t begin, std::size_t end) {
    for (const Blocks& states : node->states) {
      Ref<Node> output(new Node);
      output->value = {states.value.view.narrow(0, begin * rows, (end - begin) * rows),
                       states.value.storage};
      results.push_back(push_output(*node, std::move(output)));
    }
  };
  add_outputs(1, steps + 1);
  add_outputs(steps, steps + 1);
  return results;
}

}  // namespace reel::inline REEL_PRECISION::detail
