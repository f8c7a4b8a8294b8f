#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

void check_indices(const char* op, const Indices& indices, std::size_t rows) {
  for (std::int64_t i : indices)
    check(i >= -1 && i < static_cast<std::int64_t>(rows),
          "{}: an index must lie in 0 .. {} (or be -1 for none); got {}", op,
          static_cast<std::int64_t>(rows) - 1, i);
}

// row r of to = table row indices[r], all dense; -1: zeros
void take_rows(const View& table, const Indices& indices, const View& to) {
  const std::size_t rows = indices.size();
  const std::size_t width = rows == 0 ? 0 : to.size() / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int64_t i = indices.data()[r];
    real* row = to.data + r * width;
    if (i < 0)
      std::fill_n(row, width, real(0));
    else
      std::copy_n(table.data + static_cast<std::size_t>(i) * width, width, row);
  }
}

// table row indices[r] += row r of x
void add_rows(const View& x, const Indices& indices, const View& table) {
  const std::size_t rows = indices.size();
  const std::size_t width = rows == 0 ? 0 : x.size() / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int64_t i = indices.data()[r];
    if (i < 0) continue;
    const real* from = x.data + r * width;
    real* to = table.data + static_cast<std::size_t>(i) * width;
    for (std::size_t j = 0; j < width; ++j) to[j] += from[j];
  }
}

// table row r += row indices[r] of x
void add_taken_rows(const View& x, const Indices& indices, const View& table) {
  const std::size_t rows = indices.size();
  const std::size_t width = rows == 0 ? 0 : table.size() / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int64_t i = indices.data()[r];
    if (i < 0) continue;
    const real* from = x.data + static_cast<std::size_t>(i) * width;
    real* to = table.data + r * width;
    for (std::size_t j = 0; j < width; ++j) to[j] += from[j];
  }
}

}  // namespace

Var detail::move_rows(const Var& table, const RowIndices& indices, const RowIndices& back,
                      Value to) {
  Shape shape = table.node("gather").shape();
  check_indices("gather", *indices, shape[0]);
  check(back->size() == shape[0], "gather: the way back must have {} indices, as the table; got {}",
        shape[0], back->size());
  shape[0] = indices->size();
  const Value rows = dense(table.ref()->value);
  Value value = to.view.data ? std::move(to) : allocate(shape);
  check(value.view.shape == shape && value.view.is_dense(), "gather: the result must be {}; got {}",
        shape, value.view.shape);
  perform([indices](const View& a, const View& b) { take_rows(a, *indices, b); }, reads(rows.view),
          writes(value.view));
  return record(
      "gather", std::array{table}, std::move(value),
      [indices, back](Pull& p) { p.give(0, [&] { return move_rows(p.dy(), back, indices); }); },
      [back](Node& y) {
        Node& x = *y.inputs()[0].ref();
        const Value dy = dense(*y.grad);
        const Target dx = grad_target(x);
        if (!dx.view.is_dense()) {
          const Value aside = allocate(dx.view.shape);
          take_rows(dy.view, *back, aside.view);
          put(aside.view, dx);
        } else if (dx.accumulate) {
          add_taken_rows(dy.view, *back, dx.view);
        } else {
          take_rows(dy.view, *back, dx.view);
        }
        return true;
      });
}

Var detail::apart(const Var& x) {
  if (!must_record("apart", std::span(&x, 1))) return x;
  Var y = record(
      "apart", std::array{x}, x.ref()->share(), [](Pull& p) { p.give(0, [&] { return p.dy(); }); },
      [](Node& n) {
        pass_on_sum_gradient(n, *n.inputs()[0].ref());
        return true;
      });
  y.ref()->sum_input = 0;
  return noted(std::move(y));
}

Var gather(const Var& table, const Indices& indices) {
  const Shape& from = table.node("gather").shape();
  check(!from.empty(), "gather: the table must have an axis; got {}", from);
  check_indices("gather", indices, from[0]);
  Shape shape = shape_of(indices);
  for (std::size_t i = 1; i < from.size(); ++i) shape.push_back(from[i]);
  const Value rows = dense(table.ref()->value);
  Value value = allocate(shape);
  take_rows(rows.view, indices, value.view);
  if (Recorder::current()) [[unlikely]]
    note([indices](const View& a, const View& b) { take_rows(a, indices, b); }, reads(rows.view),
         writes(value.view));
  return record(
      "gather", std::array{table}, std::move(value),
      [indices](Pull& p) {
        p.give(0, [&] { return scatter(p.dy(), indices, p.x(0).shape()[0]); });
      },
      [indices](Node& y) {
        Node& x = *y.inputs()[0].ref();
        if (!x.keeps_grad) return false;
        const Value dy = dense(*y.grad);
        if (x.add_grad_rows(dy.view, indices)) return true;
        const Target dx = grad_target(x);
        if (!dx.accumulate) fill(dx.view, 0);
        add_rows(dy.view, indices, dx.view);
        return true;
      });
}

Var scatter(const Var& x, const Indices& indices, std::size_t rows) {
  const Shape lead = shape_of(indices);
  const Shape& from = x.node("scatter").shape();
  check(from.size() >= lead.size() && std::equal(lead.begin(), lead.end(), from.begin()),
        "scatter: the indices must have the leading extents of x; got x {}, indices {}", from,
        lead);
  check_indices("scatter", indices, rows);
  Shape shape{rows};
  for (std::size_t i = lead.size(); i < from.size(); ++i) shape.push_back(from[i]);
  Value value = allocate(shape);
  fill(value.view, 0);
  const Value added = dense(x.ref()->value);
  add_rows(added.view, indices, value.view);
  if (Recorder::current()) [[unlikely]]
    note([indices](const View& a, const View& b) { add_rows(a, indices, b); }, reads(added.view),
         updates(value.view));
  return record("scatter", std::array{x}, std::move(value),
                [indices](Pull& p) { p.give(0, [&] { return gather(p.dy(), indices); }); });
}

Var pick(const Var& x, const Indices& indices) {
  const Shape& from = x.node("pick").shape();
  const Shape lead = shape_of(indices);
  check(!from.empty() && Shape(from.begin(), from.end() - 1) == lead,
        "pick: the indices must have the shape of x without its last axis; got x {}, indices {}",
        from, lead);
  const auto columns = static_cast<std::int64_t>(from.back());
  Indices flat = indices;
  for (std::size_t r = 0; r < flat.size(); ++r) {
    std::int64_t& i = flat.data()[r];
    check(i >= -1 && i < columns, "pick: an index must lie in 0 .. {} (or be -1 for none); got {}",
          columns - 1, i);
    if (i >= 0) i += static_cast<std::int64_t>(r) * columns;
  }
  return gather(reshape(x, {-1}), flat);
}

}  // namespace reel::inline REEL_PRECISION
