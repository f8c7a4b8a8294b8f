#include <reel/autodiff/gemm.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// [.., n] as [rows, n], in place if the layout allows.
Value as_matrix(const Value& x) {
  const Shape& shape = x.view.shape;
  if (shape.size() == 2) return x;
  const Shape matrix{element_count(Shape(shape.begin(), shape.end() - 1)), shape.back()};
  const Value all = dense(x);
  return {View(all.view.data, matrix), all.storage};
}

// Calls write(matrix, accumulate) on n's gradient as [rows, columns].
template <class Write>
void write_grad(Node& n, Write&& write) {
  const Target to = grad_target(n);
  if (to.view.shape.size() == 2) return write(to.view, to.accumulate);
  const Value matrix = as_matrix({to.view, {}});
  write(matrix.view, to.accumulate);
  if (matrix.storage) copy(View(matrix.view.data, to.view.shape), to.view);
}

// Will w meet many products before its tape ends, so that it should be packed once for all?
// What is replayed has its operands packed in its own way.
bool is_reused(const Node& w) {
  return (w.packed || w.reused || (w.keeps_grad && ParameterScope::current())) &&
         !Recorder::current();
}

// w [k, n], or its transpose.
Packed packed(Node& w) {
  if (!w.packed) w.packed = Ref<PackedWeight>(new PackedWeight);
  if (!w.packed->plain) w.packed->plain = pack(w.value.view);
  return {w.packed->plain->data, w.shape()[0], w.shape()[1]};
}
Packed packed_transpose(Node& w) {
  if (!w.packed) w.packed = Ref<PackedWeight>(new PackedWeight);
  if (!w.packed->transpose) w.packed->transpose = pack(transposed(w.value.view));
  return {w.packed->transpose->data, w.shape()[1], w.shape()[0]};
}

// y = start + x w'
void times_transposed(const View& start, const View& x, Node& w, const View& y) {
  if (!is_reused(w)) return gemm_onto(start, x, transposed(w.value.view), y);
  gemm_onto(start, x, packed_transpose(w), y);
}

// y (+)= x w
void times(const View& x, Node& w, const View& y, bool accumulate) {
  if (!is_reused(w)) return gemm(x, w.value.view, y, accumulate);
  gemm(x, packed(w), y, accumulate);
}

// y = x w' + c
bool affine_backward(Node& y) {
  Node& x = *y.inputs()[0].ref();
  Node& w = *y.inputs()[1].ref();
  const Value dy = as_matrix(*y.grad);
  Node* c = y.inputs().size() < 3 ? nullptr : y.inputs()[2].ref().get();
  const bool summed = c && c->needs_grad && c->shape() != y.shape();  // dc = sum of dy's rows
  const Value right = w.needs_grad ? as_matrix(x.value) : Value();
  const auto rows = [](const Value& all, std::size_t begin, std::size_t count) {
    return all.view.data ? Value{all.view.narrow(0, begin, count), all.storage} : Value();
  };
  // In pieces, so that dy is fetched once for all products.
  const auto backward = [&](const View& dx, bool add) {
    for (std::size_t end = dy.view.shape[0]; end > 0;) {
      const std::size_t count = std::min(end, DeferredProducts::kRows);
      end -= count;
      const Value piece = rows(dy, end, count);
      if (x.needs_grad) times(piece.view, w, dx.narrow(0, end, count), add);
      if (w.needs_grad || summed)
        y.tape->deferred().add(w.needs_grad ? &w : nullptr, summed ? c : nullptr, piece,
                               rows(right, end, count));
    }
  };
  x.needs_grad ? write_grad(x, backward) : backward({}, false);
  if (!c || !c->needs_grad || summed) return true;
  pass_on_sum_gradient(y, *c);
  return true;
}

void affine_rule(Pull& p) {
  const Var dy = p.dy(), x = p.x(0), w = p.x(1);
  const auto count = element_count(Shape(x.shape().begin(), x.shape().end() - 1));
  const auto rows = [&](const Var& v) {
    return reshape(v,
                   {static_cast<std::ptrdiff_t>(count), static_cast<std::ptrdiff_t>(v.size(-1))});
  };
  p.give(0, [&] { return reshape(matmul(rows(dy), w), Axes(x.shape().begin(), x.shape().end())); });
  p.give(1, [&] { return matmul(transpose(rows(dy)), rows(x)); });
  if (p.inputs() == 3) p.give(2, [&] { return sum_to(dy, p.x(2).shape()); });
}

}  // namespace

Var affine(const Var& x, const Var& w, Var c) {
  const char* op = "affine";
  const Node& xn = x.node(op);
  Node& wn = w.node(op);
  check(wn.shape().size() == 2 && !xn.shape().empty() && xn.shape().back() == wn.shape()[1],
        "affine: the last extent of x must equal the columns of w; got x {}, w {}", xn.shape(),
        wn.shape());
  Shape shape = xn.shape();
  shape.back() = wn.shape()[0];
  const Value rows = as_matrix(xn.value);
  const Shape matrix{rows.view.shape[0], shape.back()};
  Value y;
  if (!c) {
    y = allocate(shape);
    times_transposed({}, rows.view, wn, View(y.view.data, matrix));
    return noted(record(op, std::array{x, w}, std::move(y), affine_rule, affine_backward));
  }
  const Node& cn = c.node(op);
  const bool same = cn.shape() == shape;
  check(same || cn.shape() == Shape{shape.back()},
        "affine: c must have the shape of x w' or of its last axis; got c {}, x w' {}", cn.shape(),
        shape);
  y = same && may_overwrite(c) ? cn.value : allocate(shape);
  const Value start = same ? as_matrix(cn.value) : Value{cn.value.view.expanded(matrix), {}};
  times_transposed(start.view, rows.view, wn, View(y.view.data, matrix));
  Var result =
      noted(record(op, std::array{x, w, std::move(c)}, std::move(y), affine_rule, affine_backward));
  if (same) result.ref()->sum_input = 2;
  result.ref()->value_unread = true;
  return result;
}

namespace {

// The batch axes of a and b, broadcast, and the matrices at one batch index.
struct Batches {
  View a, b;
  std::size_t count;
  Batches(const View& x, const View& y, const Shape& lead) : count(element_count(lead)) {
    const auto with = [&](const View& v) {
      Shape full = lead;
      full.push_back(v.shape[v.shape.size() - 2]);
      full.push_back(v.shape.back());
      return v.expanded(full);
    };
    a = with(x);
    b = with(y);
  }
  static View matrix(const View& all, std::size_t i) {
    View m = all;
    while (m.shape.size() > 2) {
      const std::size_t last = m.shape.size() - 3;
      m.data += m.strides[last] * static_cast<std::ptrdiff_t>(i % m.shape[last]);
      i /= m.shape[last];
      m.shape.erase(last);
      m.strides.erase(last);
    }
    return m;
  }
};

bool matmul_backward(Node& y) {
  Node& a = *y.inputs()[0].ref();
  Node& b = *y.inputs()[1].ref();
  if (b.shape().size() != 2) return false;
  const Value dy = as_matrix(*y.grad);
  if (a.needs_grad)
    write_grad(
        a, [&](const View& da, bool add) { times_transposed(add ? da : View(), dy.view, b, da); });
  if (b.needs_grad) y.tape->deferred().add(&b, nullptr, as_matrix(a.value), dy);
  return true;
}

// da = dy b', db = a' dy
void matmul_rule(Pull& p) {
  const Var dy = p.dy(), a = p.x(0), b = p.x(1);
  p.give(0, [&] { return sum_to(matmul(dy, transpose(b)), a.shape()); });
  p.give(1, [&] { return sum_to(matmul(transpose(a), dy), b.shape()); });
}

}  // namespace

Var matmul(const Var& a, const Var& b) {
  const char* op = "matmul";
  const Shape &sa = a.node(op).shape(), &sb = b.node(op).shape();
  check(sa.size() >= 2 && sb.size() >= 2,
        "matmul: a and b must have two axes or more; got a {}, b {}", sa, sb);
  check(sa.back() == sb[sb.size() - 2], "matmul: columns of a must equal rows of b; got a {}, b {}",
        sa, sb);
  const Value &va = a.ref()->value, &vb = b.ref()->value;
  if (sb.size() == 2) {
    Shape shape = sa;
    shape.back() = sb[1];
    Value y = allocate(shape);
    const Value rows = as_matrix(va);
    gemm(rows.view, vb.view, View(y.view.data, {rows.view.shape[0], sb[1]}), false);
    return noted(record(op, std::array{a, b}, std::move(y), matmul_rule, matmul_backward));
  }
  Shape shape =
      broadcast_shapes(op, Shape(sa.begin(), sa.end() - 2), Shape(sb.begin(), sb.end() - 2));
  const Batches batches(va.view, vb.view, shape);
  shape.push_back(sa[sa.size() - 2]);
  shape.push_back(sb.back());
  Value y = allocate(shape);
  for (std::size_t i = 0; i < batches.count; ++i)
    gemm(Batches::matrix(batches.a, i), Batches::matrix(batches.b, i), Batches::matrix(y.view, i),
         false);
  return record(op, std::array{a, b}, std::move(y), matmul_rule, matmul_backward);
}

}  // namespace reel::inline REEL_PRECISION
