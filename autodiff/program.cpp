#include <fmt/format.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/program.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

using namespace detail;

// What copies share.
struct Program::Constants {
  Memory memory;
  PooledVector<Fixed> fixed;
  PooledVector<Ref<Counted>> kept;  // counted without atomics: held by this alone
};

void Program::Free::operator()(real* memory) const { pool::release(memory); }

Program::Memory Program::make_memory(std::size_t size) {
  auto* memory = static_cast<real*>(pool::allocate_lines(size * sizeof(real)));
  std::fill_n(memory, size, real(0));
  return Memory(memory);
}

Program::Program(std::span<const Array> inputs, const Function& function,
                 std::span<const int> feedback) {
  const PauseRecording pause;
  const ParameterScope parameters;
  Recorder recorder;
  std::vector<Var> xs;
  for (const Array& x : inputs) {
    const View start(const_cast<real*>(x.data()), shape_of(x));
    xs.push_back(unrecorded("input", recorder.input(start)));
  }
  std::vector<Var> ys = function(xs);
  finish(recorder, ys, xs, feedback);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    std::copy(inputs[i].begin(), inputs[i].end(), inputs_[i].data);
}

Program::Program(Recorder& recorder, std::span<Var> outputs, std::span<const Var> inputs,
                 std::span<const int> feedback) {
  finish(recorder, outputs, inputs, feedback);
}

// A program in the making: what a recorder has noted, and the places that it gets.
struct Program::Assembly {
  using Block = Recorder::Block;

  Recorder& recorder;
  std::span<Var> outputs;
  std::span<const Var> inputs;
  std::span<const int> feedback;
  std::size_t varying = 0, constant = 0;  // how many numbers each memory holds

  void check_feedback() const;
  void own_outputs();
  void place_feedback();
  bool may_lie_in(const Block& source, const Block& target, const View& made) const;
  void drop_what_is_computed();
  void mark_needed();
  void lay_out();

  const View& view_of(const Var& v) const { return v.node().value.view; }
  Block* block_of(const Var& v) const { return recorder.block_at(view_of(v).data); }
  // The input whose place output i takes, or null.
  const Var* fed_back(std::size_t i) const {
    return i < feedback.size() && feedback[i] >= 0 ? &inputs[static_cast<std::size_t>(feedback[i])]
                                                   : nullptr;
  }
};

void Program::Assembly::check_feedback() const {
  check<Error>(feedback.size() <= outputs.size(),
               "program: feedback must name an input for each output at most; got {} for {}",
               feedback.size(), outputs.size());
  for (std::size_t i = 0; i < feedback.size(); ++i)
    check<Error>(
        feedback[i] == -1 || (feedback[i] >= 0 && feedback[i] < std::ssize(inputs) &&
                              std::count(feedback.begin(), feedback.end(), feedback[i]) == 1),
        "program: feedback must name inputs below {}, each once, or -1; got {}", inputs.size(),
        fmt::join(feedback, ", "));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Var* place = fed_back(i);
    check(!place || outputs[i].shape() == place->shape(),
          "program: an output that is fed back must have the shape of its input; got output {}, "
          "input {}",
          outputs[i].shape(), place ? place->shape() : Shape());
  }
}

// An output is a dense array that what is fed back does not touch.
void Program::Assembly::own_outputs() {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Var* place = fed_back(i);
    const View& view = view_of(outputs[i]);
    const Block* block = block_of(outputs[i]);
    const bool stays = place && view.data == view_of(*place).data && view.is_dense();
    if (!block || !view.is_dense() || (block->input && !stays))
      outputs[i] = unrecorded("output", dense_copy(view));
  }
}

// Can `made`, all of the block `source`, be computed in target's place? Not if the old value is
// still read once the new one has been begun, but by the one that writes it, element by element.
bool Program::Assembly::may_lie_in(const Block& source, const Block& target,
                                   const View& made) const {
  if (source.size != target.size || made.size() != source.size || source.home || !source.varies)
    return false;
  bool written = false, read = false;
  for (const auto& noted : recorder.noted_) {
    const bool writes = noted.writes_to(source);
    written |= writes;
    if (!written) continue;
    bool reads = false;
    for (const auto& [view, access] : noted.accesses)
      if (recorder.block_at(view.data) == &target) {
        if (!writes || !noted.instruction->goes_by_element() || !view.is_dense() ||
            view.shape != made.shape)
          return false;
        reads = true;
      }
    if (reads && read) return false;  // the first to read it there may have overwritten it
    read |= reads;
  }
  return written;
}

// An output that takes its input's place is computed there, or copied.
void Program::Assembly::place_feedback() {
  PooledVector<std::pair<View, View>> copies;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Var* place = fed_back(i);
    if (!place || outputs[i].size() == 0) continue;
    const View &from = view_of(outputs[i]), &to = view_of(*place);
    if (from.data == to.data) continue;
    Block &source = *block_of(outputs[i]), &target = *block_of(*place);
    if (may_lie_in(source, target, from))
      source.home = &target;
    else
      copies.emplace_back(from, to);
  }
  for (const auto& [from, to] : copies) copy(from, to);
}

// What does not vary has been computed for good.
void Program::Assembly::drop_what_is_computed() {
  std::erase_if(recorder.noted_, [&](const auto& noted) {
    return std::none_of(noted.accesses.begin(), noted.accesses.end(), [&](const auto& access) {
      return access.second.writes && recorder.varies(access.first);
    });
  });
}

void Program::Assembly::mark_needed() {
  for (auto& noted : recorder.noted_)
    for (const auto& [view, access] : noted.accesses)
      if (Block* block = recorder.block_at(view.data)) block->needed = true;
  for (const Var& y : outputs)
    if (Block* block = block_of(y)) block->needed = true;
}

// Own memory for what varies, shared memory for the rest; each block from a line's start.
void Program::Assembly::lay_out() {
  for (auto& [begin, block] : recorder.blocks_) {
    if ((!block.needed && !block.input) || block.home) continue;
    std::size_t& end = block.varies ? varying : constant;
    constexpr std::size_t kStep = pool::kLine / sizeof(real);
    block.place = static_cast<std::ptrdiff_t>(end);
    end += (block.size + kStep - 1) / kStep * kStep;
  }
}

void Program::finish(Recorder& recorder, std::span<Var> outputs, std::span<const Var> inputs,
                     std::span<const int> feedback) {
  Assembly parts{recorder, outputs, inputs, feedback};
  parts.check_feedback();
  parts.own_outputs();
  parts.place_feedback();
  parts.drop_what_is_computed();
  parts.mark_needed();
  parts.lay_out();

  size_ = parts.varying;
  memory_ = make_memory(parts.varying);
  const auto constants = std::allocate_shared<Constants>(PoolAllocator<Constants>());
  constants->memory = make_memory(parts.constant);
  const auto moved = [&](const real* address) {
    const Assembly::Block* block = recorder.block_at(address);
    real* memory = block->varies ? memory_.get() : constants->memory.get();
    const Assembly::Block& place = block->home ? *block->home : *block;
    return memory + place.place + (address - block->storage->data);
  };
  for (auto& [begin, block] : recorder.blocks_)
    if (block.place >= 0) std::copy_n(begin, block.size, moved(begin));
  const auto move = [&](real*& address) {
    if (recorder.block_at(address)) address = moved(address);
  };
  for (auto& noted : recorder.noted_) {
    noted.instruction->visit(std::cref(move));
    instructions_.push_back(std::move(noted.instruction));
  }
  const auto view_of = [&](const Var& v) {
    View view = parts.view_of(v);
    if (view.size() > 0) view.data = moved(view.data);
    return view;
  };
  for (const Var& x : inputs) inputs_.push_back(view_of(x));
  for (const Var& y : outputs) outputs_.push_back(view_of(y));
  for (auto& made : recorder.forms_made_) constants->fixed.push_back(std::move(made.numbers));
  constants->kept = std::move(recorder.kept_);
  constants_ = constants;
}

Program::Program(const Program& other)
    : constants_(other.constants_),
      memory_(make_memory(other.size_)),
      size_(other.size_),
      inputs_(other.inputs_),
      outputs_(other.outputs_) {
  std::copy_n(other.memory_.get(), size_, memory_.get());
  const auto move = [&](real*& address) {
    const std::less<const real*> before;
    const real *begin = other.memory_.get(), *end = begin + size_;
    if (!before(address, begin) && before(address, end))
      address = memory_.get() + (address - begin);
  };
  for (View& view : inputs_) move(view.data);
  for (View& view : outputs_) move(view.data);
  for (const auto& instruction : other.instructions_) {
    instructions_.push_back(instruction->clone());
    instructions_.back()->visit(std::cref(move));
  }
}

Program& Program::operator=(const Program& other) {
  if (constants_ && constants_ == other.constants_)
    std::copy_n(other.memory_.get(), size_, memory_.get());
  else
    *this = Program(other);
  return *this;
}

Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

void Program::run() {
  for (const auto& instruction : instructions_) instruction->run();
}

std::size_t Program::instructions() const { return instructions_.size(); }

}  // namespace reel::inline REEL_PRECISION
