// Long texts as truncated backpropagation through time reads them: side by side, in windows.
#pragma once

#include <reel/autodiff/array.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reel::inline REEL_PRECISION {

// A sequence of tokens cut into lanes: contiguous pieces whose lengths differ by one at most, read
// beside each other, `window` steps at a time. Each token but the first is predicted once, from the
// one before it; window i + 1 of a lane goes on where its window i ended, so that a state can be
// carried over.
class Lanes {
 public:
  // The target of a step past the end of a lane: cross_entropy's ignore_index.
  static constexpr std::int64_t kNone = -100;

  // Throws Error unless each lane has a token to predict: tokens > lanes > 0, window > 0.
  Lanes(std::vector<std::int64_t> tokens, std::size_t lanes, std::size_t window);

  struct Window {
    Indices inputs;     // [T, lanes]; 0 past the end of a lane
    Indices targets;    // [T, lanes]: what follows each input; kNone past the end of a lane
    std::size_t count;  // of targets that are tokens
  };
  // Window i of lanes begin .. end - 1. T is `window`, in the last one perhaps less.
  Window window(std::size_t i, std::size_t begin, std::size_t end) const;
  Window window(std::size_t i) const { return window(i, 0, lanes_); }

  std::size_t lanes() const { return lanes_; }
  std::size_t windows() const;                                // in a pass
  std::size_t targets() const { return tokens_.size() - 1; }  // in a pass

 private:
  std::size_t start(std::size_t lane) const;  // of the lane's first input

  std::vector<std::int64_t> tokens_;
  std::size_t lanes_, window_;
};

}  // namespace reel::inline REEL_PRECISION
