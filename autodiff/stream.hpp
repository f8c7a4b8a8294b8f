// Feeding strided, broadcast operands to a kernel as runs of whole registers.
#pragma once

#include <reel/autodiff/view.hpp>

#include <memory>
#include <span>

namespace reel::inline REEL_PRECISION::detail {

constexpr std::size_t kMaxOperands = 48;

struct Operand {
  enum Role { kRead, kWrite, kUpdate };
  const View* view;  // broadcasts to the common shape; if written, has it
  Role role = kRead;
};

// Calls body(pointers, n) until all elements of the common shape are done: pointers[i] is operand
// i's part, n dense elements, n a multiple of the register's lanes. Those on the heap live in the
// pool.
class StreamBody {
 public:
  virtual ~StreamBody() = default;
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* memory) { pool::release(memory); }
  virtual void operator()(real* const* pointers, std::size_t n) = 0;
  virtual std::unique_ptr<StreamBody> clone() const = 0;  // for a replay
  // See Instruction.
  virtual bool goes_by_element() const { return true; }
};
void stream(const Shape& common, std::span<const Operand> operands, StreamBody& body);

}  // namespace reel::inline REEL_PRECISION::detail
