// Weight gradients batched over time: the products dy_t' x_t of all steps as one.
#pragma once

#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION::detail {

// During backward, collects pairs (dy, x) per weight and adds sum dy' x to the weight's gradient
// in as few products as can be: when enough rows have come, or at the latest when the weight
// itself is reached. The order of the sums depends on the shapes alone.
class DeferredProducts {
 public:
  // dW += dy' x with dy [rows, out], x [rows, in]; both must keep their elements until flush.
  void add(Node& weight, const Value& dy, const Value& x);
  void flush(Node& weight);
  void flush();

 private:
  struct Pair {
    Value dy, x;
  };
  struct Pending {
    Ref<Node> weight;
    std::vector<Pair, PoolAllocator<Pair>> pairs;
    std::size_t rows = 0;
  };
  void flush(Pending& pending);

  std::vector<Pending, PoolAllocator<Pending>> pending_;
};

}  // namespace reel::inline REEL_PRECISION::detail
