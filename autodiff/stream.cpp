#include <reel/autodiff/runs.hpp>
#include <reel/autodiff/simd.hpp>
#include <reel/autodiff/stream.hpp>

namespace reel::inline REEL_PRECISION::detail {
namespace {

constexpr std::size_t kLanes = Simd::kLanes;
constexpr std::size_t kPiece = 256;  // length of the buffers that spread a broadcast element

using Pointers = std::array<real*, kMaxOperands>;

// An operand expanded to the common shape.
struct Expanded {
  View view;
  Operand::Role role = Operand::kRead;
};

struct Views {
  std::span<Expanded> operands;
  const View& operator[](std::size_t i) const { return operands[i].view; }
  std::size_t size() const { return operands.size(); }
};

// The last n < kLanes elements, in padded buffers.
template <class Operands>
void tail(const Operands& operands, real* const* at, const bool* spread, std::size_t n,
          StreamBody& body) {
  alignas(64) std::array<std::array<real, kLanes>, kMaxOperands> buffer;
  Pointers padded;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    padded[i] = buffer[i].data();
    if (operands[i].role != Operand::kWrite)
      (spread[i] ? Simd(*at[i]) : Simd::load_some(at[i], n)).store(padded[i]);
  }
  body(padded.data(), kLanes);
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (operands[i].role != Operand::kRead) Simd::load(padded[i]).store_some(at[i], n);
}

// The common case: [rows, columns] whose rows are dense, operands that may lack the rows.
bool stream_rows(const Shape& common, std::span<const Operand> operands, StreamBody& body) {
  if (common.size() != 2) return false;
  std::size_t rows = common[0], columns = common[1];
  const auto width = static_cast<std::ptrdiff_t>(columns);
  Pointers at;
  std::array<std::ptrdiff_t, kMaxOperands> step;  // from row to row
  bool one_run = true;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const View& view = *operands[i].view;
    const std::size_t rank = view.shape.size();
    if (rank == 0 || rank > 2 || view.shape[rank - 1] != columns || view.strides[rank - 1] != 1)
      return false;
    at[i] = view.data;
    step[i] = rank == 2 && view.shape[0] == rows ? view.strides[0] : 0;
    one_run &= step[i] == width;
  }
  if (rows == 0 || columns == 0) return true;
  if (one_run || rows == 1) {
    columns *= rows;
    rows = 1;
  } else if (columns < kLanes / 2) {
    return false;
  }
  static constexpr std::array<bool, kMaxOperands> kSpread{};
  const std::size_t whole = columns - columns % kLanes;
  for (std::size_t row = 0;;) {
    if (whole > 0) body(at.data(), whole);
    if (whole < columns) {
      Pointers rest;
      for (std::size_t i = 0; i < operands.size(); ++i) rest[i] = at[i] + whole;
      tail(operands, rest.data(), kSpread.data(), columns - whole, body);
    }
    if (++row == rows) return true;
    for (std::size_t i = 0; i < operands.size(); ++i) at[i] += step[i];
  }
}

void stream_any(std::span<Expanded> operands, StreamBody& body);

// Copies what has no runs of neighbouring elements, works on the copies, and copies back.
void stream_copies(std::span<Expanded> operands, StreamBody& body) {
  std::array<Expanded, kMaxOperands> dense;
  std::array<Value, kMaxOperands> copies;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    dense[i] = operands[i];
    if (operands[i].view.is_dense()) continue;
    copies[i] = operands[i].role == Operand::kWrite ? allocate(operands[i].view.shape)
                                                    : dense_copy(operands[i].view);
    dense[i].view = copies[i].view;
  }
  stream_any({dense.data(), operands.size()}, body);
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (copies[i].storage && operands[i].role != Operand::kRead)
      copy(copies[i].view, operands[i].view);
}

void stream_any(std::span<Expanded> operands, StreamBody& body) {
  const Views views{operands};
  const Runs<Views> runs(views);
  const std::size_t count = operands.size(), n = runs.run();
  const std::size_t total = views[0].size();
  if (total == 0) return;

  std::array<bool, kMaxOperands> spread{};  // one element for the whole run
  bool any_spread = false, odd = n < 2 * kLanes && total > n;
  for (std::size_t i = 0; i < count; ++i) {
    const std::ptrdiff_t stride = runs.run_stride(views[i]);
    any_spread |= spread[i] = stride == 0;
    odd |= stride != 0 && stride != 1;
  }
  if (odd) return stream_copies(operands, body);

  alignas(64) std::array<std::array<real, kPiece>, 8> buffers;
  std::size_t buffered = 0;
  for (std::size_t i = 0; i < count; ++i) buffered += spread[i];
  if (buffered > buffers.size()) return stream_copies(operands, body);

  Pointers at;
  runs.for_each(views, at, [&](const Pointers& start) {
    Pointers p = start;
    std::size_t next = 0;
    const std::size_t whole = n - n % kLanes;
    if (any_spread)
      for (std::size_t i = 0; i < count; ++i)
        if (spread[i]) {
          p[i] = buffers[next++].data();
          std::fill_n(p[i], std::min(whole, kPiece), *start[i]);
        }
    const std::size_t piece = any_spread ? kPiece : whole;
    for (std::size_t done = 0; done < whole; done += piece) {
      const std::size_t m = std::min(piece, whole - done);
      body(p.data(), m);
      for (std::size_t i = 0; i < count; ++i)
        if (!spread[i]) p[i] += m;
    }
    if (n > whole) {
      for (std::size_t i = 0; i < count; ++i)
        if (spread[i]) p[i] = start[i];
      tail(operands, p.data(), spread.data(), n - whole, body);
    }
  });
}

}  // namespace

void stream(const Shape& common, std::span<const Operand> operands, StreamBody& body) {
  if (stream_rows(common, operands, body)) return;
  std::array<Expanded, kMaxOperands> expanded;
  for (std::size_t i = 0; i < operands.size(); ++i)
    expanded[i] = {operands[i].view->expanded(common), operands[i].role};
  stream_any({expanded.data(), operands.size()}, body);
}

}  // namespace reel::inline REEL_PRECISION::detail
