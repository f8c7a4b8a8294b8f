#include <reel/autodiff/node.hpp>
#include <reel/autodiff/recorder.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION::detail {
namespace {

struct Range {
  std::ptrdiff_t low = 0, high = 0;  // first and last element, from view.data
};
Range range_of(const View& view) {
  Range range;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    const std::ptrdiff_t way = view.strides[i] * static_cast<std::ptrdiff_t>(view.shape[i] - 1);
    (way < 0 ? range.low : range.high) += way;
  }
  return range;
}

bool is_empty(const View& view) { return !view.data || view.size() == 0; }

}  // namespace

Recorder::Recorder(Forms forms)
    : forms_(forms),
      outer_(std::exchange(current_, this)),
      outer_watcher_(std::exchange(DrawWatcher::current, this)) {}

Recorder::~Recorder() {
  current_ = outer_;
  DrawWatcher::current = outer_watcher_;
}

void Recorder::before_draw(Random&) {
  throw Error("program: what is replayed must not draw random numbers, as dropout does");
}
void Recorder::before_end(const Random& random) {
  if (outer_watcher_) outer_watcher_->before_end(random);
}

Value Recorder::input(const View& start) {
  Value value;
  {
    Recorder* const paused = std::exchange(current_, nullptr);
    value = dense_copy(start);
    current_ = paused;
  }
  own(value.storage);
  if (Block* block = block_at(value.view.data)) block->varies = block->input = true;
  return value;
}

void Recorder::own(const Ref<Storage>& storage) {
  if (storage->size > 0) blocks_.insert_or_assign(storage->data, Block{storage, storage->size});
}

void Recorder::know(const View& parameter, std::uint64_t version) {
  if (!is_empty(parameter)) parameters_.insert_or_assign(parameter.data, Known{parameter, version});
}

Recorder::Block* Recorder::block_at(const real* address) const {
  auto at = blocks_.upper_bound(address);
  if (at == blocks_.begin()) return nullptr;
  Block& block = (--at)->second;
  return address < block.storage->data + block.size ? &block : nullptr;
}

const Recorder::Known* Recorder::parameter_at(const real* address) const {
  auto at = parameters_.upper_bound(address);
  if (at == parameters_.begin()) return nullptr;
  const Known& known = (--at)->second;
  return address < known.view.data + known.view.size() ? &known : nullptr;
}

bool Recorder::varies(const View& view) const {
  if (is_empty(view)) return false;
  const Block* block = block_at(view.data);
  return block && block->varies;
}

const real* Recorder::fixed(FixedForm form, const View& view, std::size_t size,
                            const FixedFill& fill) {
  const Known* parameter = block_at(view.data) ? nullptr : parameter_at(view.data);
  if (parameter)
    for (const Form& made : forms_made_)
      if (made.form == form && made.parameter.data == view.data &&
          made.parameter.shape == view.shape && made.parameter.strides == view.strides)
        return made.numbers.get();
  const bool shared = parameter && forms_ == Forms::kShared;
  forms_made_.push_back(
      {form, parameter ? view : View(),
       shared ? shared_fixed({parameter->version, form, view.data - parameter->view.data,
                              view.shape, view.strides},
                             size, fill)
              : own_fixed(size, fill)});
  return forms_made_.back().numbers.get();
}

// Where a copy of memory that is not the recorder's has the view's first element.
real* Recorder::snapshot(const View& view) {
  View all = view;
  std::ptrdiff_t ahead = 0;
  if (const Known* parameter = parameter_at(view.data)) {
    all = parameter->view;
    ahead = view.data - all.data;
  } else {
    const Range range = range_of(view);
    ahead = -range.low;
    all = View(view.data + range.low, {static_cast<std::size_t>(range.high - range.low) + 1});
  }
  const std::size_t size = all.size();
  const auto fill = [&](real* to) { std::copy_n(all.data, size, to); };
  const real* copy = fixed(FixedForm::kPlain, all, size, std::cref(fill));
  return const_cast<real*>(copy) + ahead;
}

void Recorder::note(std::unique_ptr<Instruction> instruction, std::span<const Access> accesses) {
  bool depends = false, writes = false;
  for (const Access& a : accesses) {
    depends |= a.reads && varies(*a.view);
    writes |= a.writes && !is_empty(*a.view);
  }
  if (!writes) return;
  for (const Access& a : accesses) {
    if (!a.writes || is_empty(*a.view)) continue;
    Block* block = block_at(a.view->data);
    check<Error>(block || !depends,
                 "program: what is replayed must not write to memory made before it");
    if (!block) return;  // a copy for somebody else
    block->written = true;
    block->varies |= depends;
  }
  Noted noted{std::move(instruction), {}};
  for (const Access& a : accesses) noted.accesses.emplace_back(*a.view, a);
  std::size_t i = 0;
  const auto copy_foreign = [&](real*& address) {
    const View& view = noted.accesses[i++].first;
    if (!is_empty(view) && !block_at(view.data)) address = snapshot(view);
  };
  noted.instruction->visit(std::cref(copy_foreign));
  noted_.push_back(std::move(noted));
}

bool Recorder::Noted::writes_to(const Block& block) const {
  return std::any_of(accesses.begin(), accesses.end(), [&](const auto& access) {
    const real* at = access.first.data;
    return access.second.writes && at >= block.storage->data &&
           at < block.storage->data + block.size;
  });
}

void Recorder::refuse_reading(const char* op, const View& view) const {
  check<Error>(!varies(view),
               "{}: what is replayed must not read a number that depends on its inputs, since a "
               "replay would not see another one; got {}",
               op, view.shape);
}

void Recorder::check_computed(const char* op, std::span<const Var> inputs,
                              const View& value) const {
  if (is_empty(value)) return;
  if (const Block* block = block_at(value.data))
    if (block->written || block->input) return;
  for (const Var& x : inputs)
    check<Error>(!varies(x.ref()->value.view),
                 "{}: what is replayed must be computed by reel's ops, from inputs to result; got "
                 "a value made otherwise",
                 op);
}

}  // namespace reel::inline REEL_PRECISION::detail
