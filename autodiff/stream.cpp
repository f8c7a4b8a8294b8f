#include <reel/autodiff/recorder.hpp>
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
  std::span<const Expanded> operands;
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
struct Rows {
  std::size_t rows, columns;
  Pointers at;
  std::array<std::ptrdiff_t, kMaxOperands> step;  // from row to row

  // False: it is another case.
  bool find(const Shape& common, std::span<const Operand> operands) {
    if (common.size() != 2) return false;
    rows = common[0];
    columns = common[1];
    const auto width = static_cast<std::ptrdiff_t>(columns);
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
    if (one_run || rows == 1) {
      columns *= rows;
      rows = 1;
    } else if (columns < kLanes / 2) {
      return false;
    }
    return true;
  }
};

// Short rows, apart in memory, are asked for while the one before is worked on: the machine alone
// does not foresee them.
constexpr std::size_t kShortRow = 512;
template <class Operands>
void fetch_next_row(const Rows& all, const Operands& operands, real* const* at) {
  constexpr std::size_t kLine = 64 / sizeof(real);
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (operands[i].role != Operand::kWrite)
      for (std::size_t j = 0; j < all.columns; j += kLine)
        __builtin_prefetch(at[i] + all.step[i] + j);
}

template <class Operands>
void stream_rows(const Rows& all, const Operands& operands, StreamBody& body) {
  if (all.rows == 0 || all.columns == 0) return;
  static constexpr std::array<bool, kMaxOperands> kSpread{};
  const std::size_t columns = all.columns, whole = columns - columns % kLanes;
  Pointers moved;
  real* const* at = all.at.data();
  for (std::size_t row = 0;;) {
    if (columns <= kShortRow && row + 1 < all.rows) fetch_next_row(all, operands, at);
    if (whole > 0) body(at, whole);
    if (whole < columns) {
      Pointers rest;
      for (std::size_t i = 0; i < operands.size(); ++i) rest[i] = at[i] + whole;
      tail(operands, rest.data(), kSpread.data(), columns - whole, body);
    }
    if (++row == all.rows) return;
    for (std::size_t i = 0; i < operands.size(); ++i) moved[i] = at[i] + all.step[i];
    at = moved.data();
  }
}

// Runs of neighbouring elements, or of one element: operand i is spread[i].
constexpr std::size_t kBuffers = 8;
using Spread = std::array<bool, kMaxOperands>;
void stream_runs(const Runs<Views>& runs, std::span<const Expanded> operands, const Spread& spread,
                 StreamBody& body) {
  const Views views{operands};
  const std::size_t count = operands.size(), n = runs.run();
  bool any_spread = false;
  for (std::size_t i = 0; i < count; ++i) any_spread |= spread[i];
  alignas(64) std::array<std::array<real, kPiece>, kBuffers> buffers;
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

class ReplayedRows final : public Instruction {
 public:
  ReplayedRows(std::unique_ptr<StreamBody> body, const Rows& rows,
               std::span<const Operand> operands)
      : body_(std::move(body)), rows_(rows), operands_(operands.begin(), operands.end()) {}
  void run() const override {
    if (rows_.rows == 1 && rows_.columns % kLanes == 0)
      (*body_)(rows_.at.data(), rows_.columns);
    else
      stream_rows(rows_, operands_, *body_);
  }
  std::unique_ptr<Instruction> clone() const override {
    return std::make_unique<ReplayedRows>(body_->clone(), rows_, operands_);
  }
  void visit(const Visit& visit) override {
    for (std::size_t i = 0; i < operands_.size(); ++i) visit(rows_.at[i]);
  }
  bool goes_by_element() const override { return body_->goes_by_element(); }

 private:
  std::unique_ptr<StreamBody> body_;
  Rows rows_;
  PooledVector<Operand> operands_;  // for their roles
};

class ReplayedRuns final : public Instruction {
 public:
  ReplayedRuns(std::unique_ptr<StreamBody> body, const Runs<Views>& runs,
               std::span<const Expanded> operands, const Spread& spread)
      : body_(std::move(body)),
        runs_(runs),
        operands_(operands.begin(), operands.end()),
        spread_(spread) {}
  void run() const override { stream_runs(runs_, operands_, spread_, *body_); }
  std::unique_ptr<Instruction> clone() const override {
    return std::make_unique<ReplayedRuns>(body_->clone(), runs_, operands_, spread_);
  }
  void visit(const Visit& visit) override {
    for (Expanded& operand : operands_) visit(operand.view.data);
  }
  bool goes_by_element() const override { return body_->goes_by_element(); }

 private:
  std::unique_ptr<StreamBody> body_;
  Runs<Views> runs_;
  PooledVector<Expanded> operands_;
  Spread spread_;
};

const View& view_of(const Operand& operand) { return *operand.view; }
const View& view_of(const Expanded& operand) { return operand.view; }

template <class Replayed, class Operands, class... Parts>
void note_body(const Operands& operands, const StreamBody& body, const Parts&... parts) {
  std::array<Access, kMaxOperands> accesses;
  std::size_t count = 0;
  for (const auto& operand : operands)
    accesses[count++] = {&view_of(operand), operand.role != Operand::kWrite,
                         operand.role != Operand::kRead};
  Recorder::current()->note(std::make_unique<Replayed>(body.clone(), parts...),
                            {accesses.data(), count});
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
  bool odd = n < 2 * kLanes && total > n;
  for (std::size_t i = 0; i < count; ++i) {
    const std::ptrdiff_t stride = runs.run_stride(views[i]);
    spread[i] = stride == 0;
    odd |= stride != 0 && stride != 1;
  }
  std::size_t buffered = 0;
  for (std::size_t i = 0; i < count; ++i) buffered += spread[i];
  if (odd || buffered > kBuffers) return stream_copies(operands, body);
  stream_runs(runs, operands, spread, body);
  if (Recorder::current()) [[unlikely]]
    note_body<ReplayedRuns>(operands, body, runs, operands, spread);
}

}  // namespace

void stream(const Shape& common, std::span<const Operand> operands, StreamBody& body) {
  if (Rows rows; rows.find(common, operands)) {
    stream_rows(rows, operands, body);
    if (Recorder::current()) [[unlikely]]
      note_body<ReplayedRows>(operands, body, rows, operands);
    return;
  }
  std::array<Expanded, kMaxOperands> expanded;
  for (std::size_t i = 0; i < operands.size(); ++i)
    expanded[i] = {operands[i].view->expanded(common), operands[i].role};
  stream_any({expanded.data(), operands.size()}, body);
}

}  // namespace reel::inline REEL_PRECISION::detail
