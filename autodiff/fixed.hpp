// Numbers that never change, shared between threads: weights in the form that replays read.
#pragma once

#include <reel/autodiff/view.hpp>

#include <functional>
#include <memory>

namespace reel::inline REEL_PRECISION::detail {

using Fixed = std::shared_ptr<const real>;
using FixedFill = std::function<void(real* to)>;
enum class FixedForm { kPlain, kPanels, kRows };

// The form of a window on one value of one parameter.
struct FixedKey {
  std::uint64_t version;
  FixedForm form;
  std::ptrdiff_t offset;
  Shape shape;
  Strides strides;
};

// `size` numbers from a cache line's start, made by `fill`, in this thread's pool.
Fixed own_fixed(std::size_t size, const FixedFill& fill);
// The same, made by the first who asks for that key while anybody holds it. Threads may call it
// at the same time; it waits for a lock.
Fixed shared_fixed(const FixedKey& key, std::size_t size, const FixedFill& fill);

}  // namespace reel::inline REEL_PRECISION::detail
