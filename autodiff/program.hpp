// Program: a function of Vars, recorded once and replayed without what ops cost.
#pragma once

#include <reel/autodiff/var.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

namespace detail {
class Instruction;
class Recorder;
}  // namespace detail

// What `function` computes from inputs of these shapes, as a list of loops over one block of
// memory. A replay gives the same bits as a call. Everything but the inputs is a constant: it is
// computed or copied when the program is made, so nothing needs to outlive that and nothing later
// shows. Copies and programs of the same parameters share what is constant, each has its own
// values, and each may run on a thread of its own. run takes no memory, no lock and calls nobody.
//
// Throws Error if the function reads a number that depends on the inputs (value, item), draws
// random numbers, opens a tape, or computes otherwise than by ops; and for a feedback that names
// no input, or one twice.
class Program {
 public:
  using Function = std::function<std::vector<Var>(std::span<const Var>)>;
  // After each run, output i takes the place of input feedback[i], which has its shape; -1: of
  // none.
  Program(std::span<const Array> inputs, const Function& function,
          std::span<const int> feedback = {});
  Program(const Program& other);
  Program(Program&&) noexcept;
  Program& operator=(const Program& other);  // of the same program: no memory is taken
  Program& operator=(Program&&) noexcept;
  ~Program();

  // Of what `recorder`, which still records, has noted.
  Program(detail::Recorder& recorder, std::span<Var> outputs, std::span<const Var> inputs,
          std::span<const int> feedback);

  void run();
  // Dense. An output is kept until the next run, unless it takes an input's place: it then lies
  // there.
  const View& input(std::size_t i) const { return inputs_[i]; }
  const View& output(std::size_t i) const { return outputs_[i]; }

  std::size_t instructions() const;           // loops of one run
  std::size_t size() const { return size_; }  // numbers that are the program's own

 private:
  struct Assembly;
  struct Constants;
  struct Free {
    void operator()(real* memory) const;
  };
  using Memory = std::unique_ptr<real, Free>;

  static Memory make_memory(std::size_t size);
  void finish(detail::Recorder& recorder, std::span<Var> outputs, std::span<const Var> inputs,
              std::span<const int> feedback);

  std::shared_ptr<const Constants> constants_;
  Memory memory_;
  std::size_t size_ = 0;
  PooledVector<std::unique_ptr<detail::Instruction>> instructions_;
  PooledVector<View> inputs_, outputs_;
};

}  // namespace reel::inline REEL_PRECISION
