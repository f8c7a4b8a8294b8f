// Recorder: takes down the loops over memory that ops run, so that they can be run again.
#pragma once

#include <reel/autodiff/fixed.hpp>
#include <reel/autodiff/random.hpp>

#include <array>
#include <functional>
#include <map>
#include <span>
#include <tuple>
#include <vector>

namespace reel::inline REEL_PRECISION {

class Program;
class Var;

namespace detail {

// A loop over memory whose addresses may be moved elsewhere. Lives in the pool.
class Instruction {
 public:
  virtual ~Instruction() = default;
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* memory) { pool::release(memory); }
  virtual void run() const = 0;
  virtual std::unique_ptr<Instruction> clone() const = 0;
  // Shows every address, in the order of the accesses that it was noted with.
  using Visit = std::function<void(real*& address)>;
  virtual void visit(const Visit& visit) = 0;
  // Does it read an element of a dense operand before it writes the one in the same place of
  // another, and none later?
  virtual bool goes_by_element() const { return false; }
};

struct Access {
  const View* view;
  bool reads, writes;
};
inline Access reads(const View& view) { return {&view, true, false}; }
inline Access writes(const View& view) { return {&view, false, true}; }
inline Access updates(const View& view) { return {&view, true, true}; }

// While it lives, whatever computes on this thread is noted here too, and memory made on the way
// is kept. What depends on the inputs *varies*; the rest is what it is.
class Recorder final : public DrawWatcher {
 public:
  // For whom is the replay: do others, or later ones, want the same forms of the same parameters?
  enum class Forms { kShared, kOwn };
  explicit Recorder(Forms forms = Forms::kShared);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  static Recorder* current() { return current_; }

  Value input(const View& start);  // differs from run to run

  // For whatever makes memory, mentions a parameter, or computes.
  void own(const Ref<Storage>& storage);
  void know(const View& parameter, std::uint64_t version);
  void keep(Ref<Counted> object) { kept_.push_back(std::move(object)); }
  void note(std::unique_ptr<Instruction> instruction, std::span<const Access> accesses);
  bool varies(const View& view) const;
  // What happens cannot be noted: there will be no replay.
  void spoil() { spoiled_ = true; }
  bool is_spoiled() const { return spoiled_; }
  // `size` numbers made by `fill` from a view that does not vary; those made from a parameter are
  // shared with all who ask for the same form of it.
  const real* fixed(FixedForm form, const View& view, std::size_t size, const FixedFill& fill);

  // Throw if a replay would go wrong: what varies is read outside of ops, or was computed there.
  void refuse_reading(const char* op, const View& view) const;
  void check_computed(const char* op, std::span<const Var> inputs, const View& value) const;

 private:
  friend class reel::Program;

  struct Block {
    Ref<Storage> storage;
    std::size_t size;
    bool varies = false, written = false, input = false;
    bool needed = false;          // when all is noted: by an instruction that is kept
    std::ptrdiff_t place = -1;    // then: elements from the start of its memory
    const Block* home = nullptr;  // then: the block whose place it takes
  };
  struct Noted {
    std::unique_ptr<Instruction> instruction;
    PooledVector<std::pair<View, Access>> accesses;
    bool writes_to(const Block& block) const;
  };
  struct Known {
    View view;
    std::uint64_t version;
  };

  void before_draw(Random& random) override;
  void before_end(const Random& random) override;
  const Known* parameter_at(const real* address) const;
  real* snapshot(const View& view);

  Block* block_at(const real* address) const;

  template <class T>
  using ByAddress = std::map<const real*, T, std::less<const real*>,
                             PoolAllocator<std::pair<const real* const, T>>>;

  static inline thread_local constinit Recorder* current_ = nullptr;
  const Forms forms_;
  bool spoiled_ = false;
  Recorder* outer_;
  DrawWatcher* outer_watcher_;
  mutable ByAddress<Block> blocks_;
  ByAddress<Known> parameters_;
  PooledVector<Noted> noted_;
  struct Form {
    FixedForm form;
    View parameter;  // a window on it; null: of something else
    Fixed numbers;
  };
  PooledVector<Form> forms_made_;
  PooledVector<Ref<Counted>> kept_;
};

// loop(views...), which must refer to nothing but them and what it holds by value.
template <class Loop, std::size_t N>
class ViewLoop final : public Instruction {
 public:
  ViewLoop(Loop loop, std::array<View, N> views)
      : loop_(std::move(loop)), views_(std::move(views)) {}
  void run() const override { std::apply(loop_, views_); }
  std::unique_ptr<Instruction> clone() const override { return std::make_unique<ViewLoop>(*this); }
  void visit(const Visit& visit) override {
    for (View& view : views_) visit(view.data);
  }

 private:
  Loop loop_;
  std::array<View, N> views_;
};

// Notes loop(views...), which has run, if this thread records.
template <class Loop, class... Accesses>
void note(const Loop& loop, const Accesses&... accesses) {
  if (Recorder* recorder = Recorder::current()) [[unlikely]] {
    const std::array<Access, sizeof...(Accesses)> all{accesses...};
    recorder->note(std::make_unique<ViewLoop<Loop, sizeof...(Accesses)>>(
                       loop, std::array<View, sizeof...(Accesses)>{*accesses.view...}),
                   all);
  }
}

// Runs and notes loop(views...): every loop of an op over elements goes this way.
template <class Loop, class... Accesses>
void perform(const Loop& loop, const Accesses&... accesses) {
  loop(*accesses.view...);
  note(loop, accesses...);
}

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
