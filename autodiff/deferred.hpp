// Gradients of weights and biases batched over time: the products dy_t' x_t of all steps as one.
#pragma once

#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION::detail {

// Rows copied together for one product, at most; the last pair may go beyond.
constexpr std::size_t kGatheredRows = 256;

// During backward, collects pairs (dy, x) and adds sum dy' x to the gradient of a weight and the
// sum of dy's rows to that of a bias, in as few products as can be: when enough rows have come,
// or at the latest when the weight or bias itself is reached.
//
// Rows are added in the order in which backward meets them, the last of each dy first. Backward
// meets the last time step first, so the order is that of time reversed, and since gemm adds term
// by term, the bits depend on nothing else: neither on how rows were gathered or when products
// ran, nor on how many time steps one dy held.
class DeferredProducts {
 public:
  // Waiting rows: enough for a product at full speed, few enough to stay in the second cache.
  static constexpr std::size_t kRows = 512;

  // dW += dy' x with dy [rows, out], x [rows, in], and db += sum of dy's rows; weight or bias may
  // be null. dy and x must keep their elements until flush.
  void add(Node* weight, Node* bias, const Value& dy, const Value& x);
  void flush(Node& node);
  void flush();

  struct Product {
    Ref<Node> weight, bias;
    Value dy, x;
  };
  // From now on products are not computed; they go to `list`, with copies of dy and x.
  void collect(PooledVector<Product>& list) { list_ = &list; }

 private:
  struct Pair {
    Value dy, x;
  };
  struct Pending {
    Ref<Node> weight, bias;
    std::vector<Pair, PoolAllocator<Pair>> pairs;
    std::size_t rows = 0;
  };
  Pending& pending_for(Node* weight, Node* bias);
  static void flush(Pending& pending);

  std::vector<Pending, PoolAllocator<Pending>> pending_;
  PooledVector<Product>* list_ = nullptr;
};

}  // namespace reel::inline REEL_PRECISION::detail
