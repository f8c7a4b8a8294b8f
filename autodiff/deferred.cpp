#include <reel/autodiff/deferred.hpp>
#include <reel/autodiff/gemm.hpp>
#include <reel/autodiff/gradient.hpp>

#include <algorithm>
#include <utility>

namespace reel::inline REEL_PRECISION::detail {
namespace {

constexpr std::size_t kMostRows = DeferredProducts::kRows;

// Does a pair have so few rows that a copy of them costs less than adding a product of their own
// to dw [out, in]?
bool is_thin(const View& dy, const View& x) {
  const std::size_t rows = dy.shape[0], out = dy.shape[1], in = x.data ? x.shape[1] : 1;
  return rows < kMostRows / 2 && rows * (out + in) < out * in;
}

// Do the rows of `first` lie right before those of `next`, in one block of memory?
bool adjoin(const Value& first, const Value& next) {
  const View &a = first.view, &b = next.view;
  return first.storage.get() == next.storage.get() && a.strides == b.strides &&
         a.data + a.strides[0] * static_cast<std::ptrdiff_t>(a.shape[0]) == b.data;
}

void prepend(const Value& rows, Value& to) {
  to.view.data = rows.view.data;
  to.view.shape[0] += rows.view.shape[0];
}

// dw += dy' x and db += 1' dy, last row first.
void add_products(Node* weight, Node* bias, const View& dy, const View& x) {
  for (std::size_t end = dy.shape[0]; end > 0;) {
    const std::size_t rows = std::min(end, kMostRows);
    end -= rows;
    const View backwards = rows_reversed(dy.narrow(0, end, rows));
    if (weight) {
      const Target dw = grad_target(*weight);
      gemm(transposed(backwards), rows_reversed(x.narrow(0, end, rows)), dw.view, dw.accumulate);
    }
    if (bias) {
      real one = 1;
      const View ones(&one, {1, rows}, {0, 0});
      const Target db = grad_target(*bias);
      const View row(db.view.data, {1, dy.shape[1]}, {0, db.view.strides[0]});
      gemm(ones, backwards, row, db.accumulate);
    }
  }
}

}  // namespace

// Another pending sum for the same weight or bias runs now, to keep the order of rows.
auto DeferredProducts::pending_for(Node* weight, Node* bias) -> Pending& {
  Pending* found = nullptr;
  for (Pending& p : pending_)
    if (p.weight.get() == weight && p.bias.get() == bias)
      found = &p;
    else if ((weight && p.weight.get() == weight) || (bias && p.bias.get() == bias))
      flush(p);
  return found ? *found : pending_.emplace_back(Pending{Ref<Node>(weight), Ref<Node>(bias), {}, 0});
}

void DeferredProducts::add(Node* weight, Node* bias, const Value& dy, const Value& x) {
  if (list_) [[unlikely]] {
    const Value rows = x.view.data ? dense_copy(x.view) : Value();
    list_->push_back({Ref<Node>(weight), Ref<Node>(bias), dense_copy(dy.view), rows});
    return;
  }
  Pending& pending = pending_for(weight, bias);
  for (Node* sum : {weight, bias})
    if (sum) sum->has_deferred = true;
  auto& pairs = pending.pairs;
  if (!pairs.empty() && adjoin(dy, pairs.back().dy) && (!weight || adjoin(x, pairs.back().x))) {
    prepend(dy, pairs.back().dy);
    if (weight) prepend(x, pairs.back().x);
  } else {
    pairs.push_back({dy, x});
    if (dy.storage) ++dy.storage->frozen;
    if (x.storage) ++x.storage->frozen;
  }
  pending.rows += dy.view.shape[0];
  if (pending.rows >= kMostRows) flush(pending);
}

void DeferredProducts::flush(Node& node) {
  const auto concerns = [&](const Pending& p) {
    return p.weight.get() == &node || p.bias.get() == &node;
  };
  for (Pending& p : pending_)
    if (concerns(p)) flush(p);
  // Its turn has come: nothing follows.
  if (!node.keeps_grad) std::erase_if(pending_, concerns);
}

void DeferredProducts::flush() {
  for (Pending& p : pending_) flush(p);
}

void DeferredProducts::flush(Pending& pending) {
  if (pending.pairs.empty()) return;
  // Taken out first: finding a gradient's place may flush again.
  const auto pairs = std::exchange(pending.pairs, {});
  pending.rows = 0;
  Node *const weight = pending.weight.get(), *const bias = pending.bias.get();
  const auto rows_of = [](const Pair& pair) { return pair.dy.view.shape[0]; };
  const auto thin = [](const Pair& pair) { return is_thin(pair.dy.view, pair.x.view); };
  for (std::size_t i = 0, end; i < pairs.size(); i = end) {
    std::size_t rows = rows_of(pairs[i]);
    const auto join = [&] { return rows < kGatheredRows && thin(pairs[i]) && thin(pairs[end]); };
    for (end = i + 1; end < pairs.size() && join(); ++end) rows += rows_of(pairs[end]);
    // In the order of memory: the last pair first.
    const auto joined = [&](Value Pair::*part) {
      Value all = pairs[end - 1].*part;
      bool one_block = true;
      for (std::size_t p = i; p + 1 < end; ++p)
        one_block &= adjoin(pairs[p + 1].*part, pairs[p].*part);
      if (one_block) {
        all.view.shape[0] = rows;
        return all;
      }
      all = allocate({rows, all.view.shape[1]});
      std::size_t row = rows;
      for (std::size_t p = i; p < end; ++p) {
        const View& view = (pairs[p].*part).view;
        row -= view.shape[0];
        copy(view, all.view.narrow(0, row, view.shape[0]));
      }
      return all;
    };
    const Value dy = joined(&Pair::dy), x = weight ? joined(&Pair::x) : Value();
    add_products(weight, bias, dy.view, x.view);
  }
  for (const Pair& pair : pairs) {
    if (pair.dy.storage) --pair.dy.storage->frozen;
    if (pair.x.storage) --pair.x.storage->frozen;
  }
}

}  // namespace reel::inline REEL_PRECISION::detail
