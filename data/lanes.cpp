#include <fmt/format.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/lanes.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

Lanes::Lanes(std::vector<std::int64_t> tokens, std::size_t lanes, std::size_t window)
    : tokens_(std::move(tokens)), lanes_(lanes), window_(window) {
  check<Error>(window > 0, "lanes: a window must have at least one step; got 0");
  check<Error>(lanes > 0 && tokens_.size() > lanes,
               "lanes: each lane must have a token to predict; got {} tokens for {} lanes",
               tokens_.size(), lanes);
}

std::size_t Lanes::start(std::size_t lane) const {
  return lane * (targets() / lanes_) + std::min(lane, targets() % lanes_);
}

std::size_t Lanes::windows() const { return (start(1) - 1) / window_ + 1; }

Lanes::Window Lanes::window(std::size_t i, std::size_t begin, std::size_t end) const {
  check<Error>(i < windows() && begin < end && end <= lanes_,
               "lanes: a window must be one of {}, of lanes within 0 .. {}; got {}, lanes {} .. {}",
               windows(), lanes_, i, begin, end);
  const std::size_t steps = std::min(window_, start(1) - i * window_), width = end - begin;
  Window part{Indices(Indices::shape_type{steps, width}, 0),
              Indices(Indices::shape_type{steps, width}, kNone), 0};
  for (std::size_t lane = begin; lane < end; ++lane) {
    const std::size_t first = start(lane) + i * window_, last = start(lane + 1);
    for (std::size_t t = 0; t < steps && first + t < last; ++t, ++part.count) {
      part.inputs.data()[t * width + lane - begin] = tokens_[first + t];
      part.targets.data()[t * width + lane - begin] = tokens_[first + t + 1];
    }
  }
  return part;
}

}  // namespace reel::inline REEL_PRECISION
