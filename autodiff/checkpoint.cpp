#include <reel/autodiff/checkpoint.hpp>
#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/pull.hpp>
#include <reel/autodiff/random_states.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/rerun.hpp>
#include <reel/autodiff/scope.hpp>

namespace reel::inline REEL_PRECISION::detail {
namespace {

constexpr std::size_t kBlock = 16;      // steps, where the budget does not say
constexpr std::size_t kLeastRows = 16;  // of a block's products

Value rows_of(const Value& all, Loop::Rows rows) {
  return {all.view.narrow(0, rows.begin, rows.count()), all.storage};
}

Var rows_of(const Var& all, Loop::Rows rows) {
  return unrecorded("checkpoint", rows_of(all.ref()->share(), rows));
}

// Keeps no more memory alive than the value itself.
Value kept(const Var& part) {
  const Value& value = part.ref()->share();
  const bool whole =
      value.storage && value.storage->size == value.view.size() && value.view.is_dense();
  return whole ? value : dense_copy(value.view);
}

// The state before a step, and where the Randoms stood that draw before the next one that is kept.
struct KeptState {
  std::size_t step;
  std::vector<Value, PoolAllocator<Value>> parts;
  RandomStates randoms;
};

// The outputs of a loop, filled run by run.
struct Outputs {
  explicit Outputs(const Loop& l) : loop(l) {
    for (std::size_t k = 0; k < loop.outputs(); ++k)
      values.push_back(allocate(loop.output_shape(k)));
  }
  void put(std::size_t begin, std::size_t end, const Vars& pieces) {
    for (std::size_t k = 0; k < values.size(); ++k)
      if (const Loop::Rows rows = loop.output_rows(k, begin, end); rows.count() > 0)
        put(values[k], rows, pieces[k].node("loop").value.view);
  }
  // All of an output may have another shape than was expected: a state that grew.
  static void put(Value& all, Loop::Rows rows, const View& piece) {
    const View place = rows_of(all, rows).view;
    if (piece.shape == place.shape) return copy(piece, place);
    check(rows.count() == all.view.shape[0],
          "loop: what is made in several runs must have one shape; got {}, expected {}",
          piece.shape, place.shape);
    all = dense_copy(piece);
  }
  const Loop& loop;
  std::vector<Value, PoolAllocator<Value>> values;
};

struct CheckpointNode final : Node {
  CheckpointNode(std::unique_ptr<const Loop> l, CheckpointPlan p)
      : loop(std::move(l)), plan(p), scope(Scope::path()) {
    states.push_back({0, {}, {}});
    own_loops = true;
  }

  // Runs blocks from the last kept state, which is `state`, until at most `rest` blocks are left
  // before the step `end`, and keeps states as the plan says. Returns the step that it reaches.
  std::size_t advance(Vars& state, const Var& x, std::size_t end, std::size_t rest, Outputs* outs);
  void drop_last_state();

  bool pull_in_place() override;
  void pull(Pull& p) override;

  std::unique_ptr<const Loop> loop;
  CheckpointPlan plan;
  std::string scope;
  std::vector<KeptState, PoolAllocator<KeptState>> states;  // by step; the first is the input
};

std::size_t CheckpointNode::advance(Vars& state, const Var& x, std::size_t end, std::size_t rest,
                                    Outputs* outs) {
  std::size_t step = states.back().step;
  for (;;) {
    const std::size_t block = plan.block_after(states.size() - 1);
    const std::size_t left = (end - step + block - 1) / block;
    if (left <= rest) return step;
    const std::size_t free = plan.states + 1 - states.size();
    const bool keep = free > 0 && left > 1;
    const std::size_t blocks = keep ? blocks_to_next_state(left, free) : left - rest;
    {
      const NoteDraws note(states.back().randoms);
      for (std::size_t i = 0; i < blocks; ++i) {
        const std::size_t next = std::min(step + block, end);
        const Vars pieces = loop->run(step, next, rows_of(x, loop->input_rows(step, next)), state);
        if (outs) outs->put(step, next, pieces);
        step = next;
      }
    }
    if (!keep) continue;
    states.push_back({step, {}, {}});
    for (const Var& part : state) states.back().parts.push_back(kept(part));
  }
}

void CheckpointNode::drop_last_state() {
  const KeptState last = std::move(states.back());
  states.pop_back();
  states.back().randoms.merge(last.randoms);
}

// One backward pass over the loop.
class Replay {
 public:
  explicit Replay(CheckpointNode& n) : node_(n), tape_(*n.tape), scope_(n.scope) {}
  ~Replay() { present_.rewind(); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  void play_back();
  void pull_back(Pull& p);

 private:
  Vars rewind_to_last_kept();
  void place_x_grad();
  void record_and_play_back(std::size_t begin, std::size_t end, Vars state);
  bool seed(std::size_t begin, std::size_t end, const Vars& pieces, const Vars& state);
  Node& x() const { return *node_.inputs()[0].ref(); }

  CheckpointNode& node_;
  Tape& tape_;
  Scope scope_;
  RandomStates present_;                              // where the Randoms stood before this
  View dx_;                                           // of all of x
  bool adds_to_dx_ = false;                           // else overwrites it
  std::vector<Value, PoolAllocator<Value>> d_state_;  // after the run at hand; null: none
};

Vars Replay::rewind_to_last_kept() {
  const KeptState& from = node_.states.back();
  present_.note(from.randoms);
  from.randoms.rewind();
  Vars state;
  for (std::size_t i = 1; i < node_.inputs().size(); ++i)
    state.push_back(unrecorded(
        node_.op, from.step == 0 ? node_.inputs()[i].ref()->share() : from.parts[i - 1]));
  return state;
}

void Replay::place_x_grad() {
  if (!x().needs_grad) return;
  const Target dx = grad_target(x());
  dx_ = dx.view;
  adds_to_dx_ = dx.accumulate;
  if (adds_to_dx_) return;
  // The steps may read x by themselves.
  const bool alone = x().consumers == 1;
  const std::size_t read = alone ? node_.loop->input_rows(0, node_.loop->steps()).end : 0;
  fill(dx_.narrow(0, read, dx_.shape[0] - read), 0);
  adds_to_dx_ = !alone;
}

void Replay::play_back() {
  place_x_grad();
  d_state_.resize(node_.inputs().size() - 1);
  for (std::size_t end = node_.loop->steps(), begin; end > 0; end = begin) {
    Vars state = rewind_to_last_kept();
    {
      const ResumeRecording resume(tape_);
      const Rehearsal rehearsal(tape_);
      begin = node_.advance(state, node_.inputs()[0], end, 1, nullptr);
    }
    record_and_play_back(begin, end, std::move(state));
    if (begin > 0 && node_.states.back().step == begin) node_.drop_last_state();
  }
}

// Gives the gradients of a run's results their start; false: there are none.
bool Replay::seed(std::size_t begin, std::size_t end, const Vars& pieces, const Vars& state) {
  bool any = false;
  const auto give = [&](const Var& result, const Value& gradient) {
    if (!result.node(node_.op).needs_grad) return;
    hand_down(gradient, *result.ref());
    any = true;
  };
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    const Loop::Rows rows = node_.loop->output_rows(k, begin, end);
    if (rows.count() > 0 && node_.outputs()[k]->grad_written)
      give(pieces[k], rows_of(*node_.outputs()[k]->grad, rows));
  }
  if (end == node_.loop->steps()) return any;
  for (std::size_t i = 0; i < state.size(); ++i)
    if (d_state_[i].view.data) give(state[i], d_state_[i]);
  return any;
}

// While it lives, some nodes count one reader less.
class WithoutReader {
 public:
  explicit WithoutReader(std::span<const Var> nodes) : nodes_(nodes) {
    for (const Var& node : nodes) before_.push_back(node.ref()->consumers);
    for (const Var& node : nodes) --node.ref()->consumers;
  }
  ~WithoutReader() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].ref()->consumers = before_[i];
  }
  WithoutReader(const WithoutReader&) = delete;
  WithoutReader& operator=(const WithoutReader&) = delete;

 private:
  std::span<const Var> nodes_;
  PooledVector<std::uint32_t> before_;
};

void Replay::record_and_play_back(std::size_t begin, std::size_t end, Vars state) {
  const std::size_t mark = tape_.size();
  const Loop::Rows rows = node_.loop->input_rows(begin, end);
  const Value window = rows_of(x().value, rows);
  // The first run reads the initial state itself, instead of this node.
  const std::span<const Var> initial(node_.inputs().begin() + 1, node_.inputs().end());
  const WithoutReader without(begin == 0 ? initial : std::span<const Var>());
  Ref<RunLeaf> x_leaf;
  std::vector<Ref<RunLeaf>, PoolAllocator<Ref<RunLeaf>>> leaves;
  Vars pieces;
  {
    const ResumeRecording resume(tape_);
    if (x().needs_grad) {
      x_leaf = push_leaf(tape_, node_.op, window);
      x_leaf->grad.hold(dx_.narrow(0, rows.begin, rows.count()), x().grad->storage);
      x_leaf->grad_written = adds_to_dx_;
    }
    for (std::size_t i = 0; i < state.size(); ++i) {
      if (begin > 0) leaves.push_back(push_leaf(tape_, node_.op, state[i].ref()->value));
      state[i] = begin > 0 ? as_var(leaves[i]) : initial[i];
    }
    const Var x_rows = x_leaf ? as_var(x_leaf) : unrecorded(node_.op, window);
    pieces = node_.loop->run(begin, end, x_rows, state);
  }
  const bool any = seed(begin, end, pieces, state);
  pieces.clear();
  state.clear();
  const View dx = x_leaf ? x_leaf->grad->view : View();
  if (any) tape_.play_back(tape_.size() - 1, mark);
  tape_.deferred().flush();  // which holds values and gradients
  if (x_leaf && !x_leaf->reached && !adds_to_dx_) fill(dx, 0);
  for (std::size_t i = 0; i < leaves.size(); ++i) d_state_[i] = std::move(leaves[i]->total);
  tape_.drop(mark);
}

void Replay::pull_back(Pull& p) {
  while (node_.states.size() > 1) node_.drop_last_state();
  rewind_to_last_kept();
  pull_by_recording(node_, p, [&] {
    Vars state(node_.inputs().begin() + 1, node_.inputs().end());
    return node_.loop->run(0, node_.loop->steps(), node_.inputs()[0], state);
  });
}

bool CheckpointNode::pull_in_place() {
  Replay(*this).play_back();
  return true;
}

void CheckpointNode::pull(Pull& p) { Replay(*this).pull_back(p); }

Vars constants(const Vars& parts) {
  Vars all;
  for (const Var& part : parts) all.push_back(unrecorded("checkpoint", part.ref()->share()));
  return all;
}

// What a kept state and a recorded step take, tried out on the first two steps.
LoopCosts measure(const Loop& loop, const Var& x, const Vars& initial, Tape& tape) {
  const auto in_use = [] { return pool::stats().in_use; };
  LoopCosts costs;
  RandomStates randoms;
  const NoteDraws note(randoms);
  {
    const Rehearsal rehearsal(tape);  // brings along what the tape holds of parameters
    Vars state = constants(initial);
    loop.run(0, 1, rows_of(x, loop.input_rows(0, 1)), state);
    const std::size_t before = in_use();
    KeptState kept_state{1, {}, {}};
    for (const Var& part : state) kept_state.parts.push_back({dense_copy(part.ref()->value.view)});
    costs.state = in_use() - before + sizeof(KeptState);
  }
  const auto recorded = [&](std::size_t steps) {
    randoms.rewind();
    const std::size_t before = in_use(), mark = tape.size();
    std::size_t used;
    {
      Vars state;
      for (const Var& part : initial)
        state.push_back(as_var(push_leaf(tape, "checkpoint", part.ref()->share())));
      const Value window = rows_of(x.ref()->share(), loop.input_rows(0, steps));
      const Vars pieces = loop.run(0, steps, as_var(push_leaf(tape, "checkpoint", window)), state);
      used = in_use() - before;
    }
    tape.drop(mark);
    return used;
  };
  const std::size_t one = recorded(1), two = recorded(2);
  randoms.rewind();
  costs.step = two > one ? two - one : one;
  costs.fixed = one > costs.step ? one - costs.step : 0;
  costs.state += randoms.bytes();
  return costs;
}

}  // namespace

Vars run_in_blocks(const Loop& loop, const Var& x, Vars state, std::size_t block) {
  const std::size_t steps = loop.steps();
  if (block >= steps) return loop.run(0, steps, x, state);
  must_record("loop", std::span(&x, 1));
  Outputs outputs(loop);
  for (std::size_t begin = 0; begin < steps; begin += block) {
    const std::size_t end = std::min(begin + block, steps);
    outputs.put(begin, end, loop.run(begin, end, rows_of(x, loop.input_rows(begin, end)), state));
  }
  Vars results;
  for (Value& value : outputs.values) results.push_back(unrecorded("loop", std::move(value)));
  return results;
}

Vars run_checkpointed(std::unique_ptr<const Loop> loop, const Var& x, const Vars& state,
                      const Checkpointing& how) {
  Tape& tape = *Tape::current();
  const std::size_t steps = loop->steps();
  Vars inputs{x};
  inputs.insert(inputs.end(), state.begin(), state.end());
  bool needed = must_record("checkpoint", inputs);

  LoopCosts costs;
  if (steps > 1 && !how.states) costs = measure(*loop, x, state, tape);
  const std::size_t rows = std::max<std::size_t>(loop->input_rows(0, 1).count(), 1);
  costs.steps = steps;
  costs.copied = (kGatheredRows + rows - 1) / rows + 1;
  costs.least_block = how.states ? kBlock : (kLeastRows + rows - 1) / rows;
  const CheckpointPlan plan = plan_checkpoints(how, costs);
  if (plan.block >= steps) {
    Vars end = state;
    return loop->run(0, steps, x, end);
  }

  Outputs outputs(*loop);
  const std::size_t count = loop->outputs();
  const auto node = make_node<CheckpointNode>(inputs, count, std::move(loop), plan);
  {
    const Rehearsal rehearsal(tape);
    Vars end = constants(state);
    node->advance(end, x, steps, 0, &outputs);
    needed |= rehearsal.met_recorded();
  }
  if (needed) push("checkpoint", Ref<Node>(node.get()));
  Vars results;
  for (Value& value : outputs.values) {
    Ref<Node> output(new Node);
    output->value = std::move(value);
    results.push_back(needed ? push_output(*node, std::move(output))
                             : unrecorded("checkpoint", std::move(output)));
  }
  return results;
}

}  // namespace reel::inline REEL_PRECISION::detail
