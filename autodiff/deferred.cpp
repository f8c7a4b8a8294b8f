#include <reel/autodiff/deferred.hpp>
#include <reel/autodiff/gemm.hpp>
#include <reel/autodiff/gradient.hpp>

#include <utility>

namespace reel::inline REEL_PRECISION::detail {
namespace {

constexpr std::size_t kMostRows = 1024;  // waiting rows: enough for a product at full speed

// Do the rows of `next` follow those of `first` in memory?
bool adjoin(const View& first, const View& next) {
  return first.strides[0] == next.strides[0] && first.strides[1] == next.strides[1] &&
         first.data + first.strides[0] * static_cast<std::ptrdiff_t>(first.shape[0]) == next.data;
}

}  // namespace

void DeferredProducts::add(Node& weight, const Value& dy, const Value& x) {
  Pending* pending = nullptr;
  for (Pending& p : pending_)
    if (p.weight.get() == &weight) pending = &p;
  if (!pending) pending = &pending_.emplace_back(Pending{Ref<Node>(&weight), {}, 0});
  pending->pairs.push_back({dy, x});
  pending->rows += dy.view.shape[0];
  if (dy.storage) ++dy.storage->frozen;
  if (pending->rows >= kMostRows) flush(*pending);
}

void DeferredProducts::flush(Node& weight) {
  for (Pending& p : pending_)
    if (p.weight.get() == &weight) flush(p);
}

void DeferredProducts::flush() {
  for (Pending& p : pending_) flush(p);
}

// Backward meets the last step first, so in memory each pair tends to lie before the previous.
void DeferredProducts::flush(Pending& pending) {
  if (pending.pairs.empty()) return;
  // Taken out first: finding the weight's gradient may flush again.
  const auto pairs = std::exchange(pending.pairs, {});
  const std::size_t rows = std::exchange(pending.rows, 0);
  const auto stacked = [&](Value Pair::*part) {
    Value all = pairs.back().*part;
    bool one_block = true;
    for (std::size_t i = pairs.size() - 1; i-- > 0 && one_block;)
      one_block = adjoin((pairs[i + 1].*part).view, (pairs[i].*part).view);
    if (one_block) {
      all.view.shape[0] = rows;
      return all;
    }
    all = allocate({rows, all.view.shape[1]});
    std::size_t row = 0;
    for (std::size_t i = pairs.size(); i-- > 0;) {
      const View& view = (pairs[i].*part).view;
      copy(view, all.view.narrow(0, row, view.shape[0]));
      row += view.shape[0];
    }
    return all;
  };
  const Value dy = stacked(&Pair::dy), x = stacked(&Pair::x);
  const Target dw = grad_target(*pending.weight);
  gemm(transposed(dy.view), x.view, dw.view, dw.accumulate);
  for (const Pair& pair : pairs)
    if (pair.dy.storage) --pair.dy.storage->frozen;
}

}  // namespace reel::inline REEL_PRECISION::detail
