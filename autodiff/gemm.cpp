#include <cblas.h>
#include <reel/autodiff/gemm.hpp>
#include <reel/autodiff/gemm_pack.hpp>
#include <reel/autodiff/gemm_row.hpp>
#include <reel/autodiff/recorder.hpp>

#include <cstdlib>

namespace reel::inline REEL_PRECISION::detail {
namespace {

using Index = std::ptrdiff_t;

constexpr bool kSmallTiles = kRegisters < 32;
// A block of the left operand and a few panels of the right one stay in the second cache. A block's
// depth is about this, see block_depth.
constexpr Index kBlockRows = 128, kBlockDepth = 512;
constexpr Index kBlockElements = (kSmallTiles ? 128 : 384) * 1024 / sizeof(real);
// From so many rows on, packing the right operand pays where its rows lie as far apart as this.
// Small tiles read but a part of the cache lines they touch, unless the operand is packed.
constexpr Index kRowsToPack = 32, kFarRows = kSmallTiles ? 2 * kRegister : 512;
// Operands of so many elements come from beyond the second cache.
constexpr Index kFarRight = 100'000, kFarLeft = 80'000;

// Terms of a block, about so many: evenly, since each block goes through the result once more.
Index block_depth(Index k, Index about = kBlockDepth) {
  const Index blocks = std::max<Index>(1, (k + about / 2) / about);
  return (k + blocks - 1) / blocks;
}

// Is a left operand packed for small tiles? One whose columns are contiguous: a tile's few rows
// are but a part of a cache line.
bool packs_left(const Strided& a) { return kSmallTiles && a.row == 1 && a.column != 1; }

// Memory for the time of a product. Who asks first asks for the most.
class Scratch {
 public:
  // Given: enough for any right operand of that depth and width.
  explicit Scratch(real* given) : data_(given), given_(given != nullptr) {}
  real* get(Index elements) {
    if (!data_)
      data_ = static_cast<real*>(pool::allocate(static_cast<std::size_t>(elements) * sizeof(real)));
    return data_;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (data_ && !given_) pool::release(data_);
  }

 private:
  real* data_;
  bool given_;
};

constexpr real kZeros[8 * kRegister] = {};

// Where a tile's sums start. Without a start: from zeros.
TileRows tile_start(const TileRows& from, Index i, Index column) {
  if (!from.data) return {const_cast<real*>(kZeros), 0};
  return {from.data + i * from.row + column, from.row};
}

// One tile of `columns` columns, fewer than a register has.
void edge_tile(int rows, Index columns, Index k, TileLeft a, TileRight b, TileRows from,
               TileRows to) {
  alignas(64) real tile[kEdgeRows * kRegister];
  const auto some = static_cast<std::size_t>(columns);
  for (Index i = 0; i < rows; ++i)
    Simd::load_some(from.data + i * from.row, some).store(tile + i * kRegister);
  const TileRows padded{tile, kRegister};
  edge_function(rows, columns)({k, a, b, padded, padded, nullptr});
  for (Index i = 0; i < rows; ++i)
    Simd::load(tile + i * kRegister).store_some(to.data + i * to.row, some);
}

// A block of the right operand: whole registers, then n % kRegister columns, padded.
struct Right {
  TileRight whole, edge;
};
// Which operands come from beyond the second cache when they are first met.
struct Distance {
  bool left, right;
};

// Rows of a tile. Four registers of columns fill one of six rows, so that the left operand is read
// once.
Index rows_of_tile(Index m, Index registers) {
  return !kSmallTiles && registers == 4 && m >= 3 * kTileRows ? 6 : kTileRows;
}

Index tiles_of(Index m, Index most) { return (m + most - 1) / most; }

// to = from + a b for all of [m, n], in tiles. `memory` is for packing a.
void multiply_block(Index m, Index n, Index k, const TileLeft& a, const Right& b,
                    const TileRows& from, const TileRows& to, Distance far, Scratch& memory) {
  const Index registers = n / kRegister, tiles = tiles_of(m, rows_of_tile(m, registers));
  const real* packed = nullptr;
  if (const Strided plain{a.data, a.row, a.column}; packs_left(plain) && registers >= 2) {
    real* const left = memory.get(m * k);
    pack_left(plain, m, k, tiles, left);
    packed = left;
  }
  const auto plain_rows = [&](Index i) { return TileLeft{a.data + i * a.row, a.row, a.column}; };
  const Index most = tile_registers(static_cast<int>(tiles_of(m, tiles)));
  Index j = 0;
  for (Index left = (registers + most - 1) / most; left > 0; --left) {
    const Index wide = (registers - j + left - 1) / left;
    Tile tile{k, a, b.whole, {}, to, nullptr};
    tile.b.data += j * b.whole.next;
    for_each_tile(m, tiles, [&](Index i, Index rows) {
      tile.a = packed ? TileLeft{packed + i * k, 1, rows} : plain_rows(i);
      tile.from = tile_start(from, i, j * kRegister);
      tile.to.data = to.data + i * to.row + j * kRegister;
      tile.next = i + rows < m ? tile.to.data + rows * to.row
                  : left > 1   ? to.data + (j + wide) * kRegister
                               : nullptr;
      const auto multiply = far.left && j == 0    ? tile_function<Far::kBoth>
                            : far.right && i == 0 ? tile_function<Far::kRight>
                                                  : tile_function<Far::kNone>;
      multiply(static_cast<int>(rows), static_cast<int>(wide))(tile);
    });
    j += wide;
  }
  if (const Index columns = n % kRegister; columns > 0)
    for_each_tile(m, tiles_of(m, kEdgeRows), [&](Index i, Index rows) {
      edge_tile(static_cast<int>(rows), columns, k, plain_rows(i), b.edge,
                tile_start(from, i, j * kRegister), {to.data + i * to.row + j * kRegister, to.row});
    });
}

// A right operand, packed already or not.
struct Source {
  Strided plain;
  const real* packed;
};

// Rows l .. l + k of the right operand [.., n], k <= most, the way tiles read it.
Right right_block(const Source& b, Index whole_k, Index l, Index k, Index most, Index n, Index m,
                  Scratch& memory) {
  const Index whole = n / kRegister;
  const auto panels = [&](const real* data, Index step) {
    return Right{{data, kRegister, step}, {data + whole * step, kRegister, 0}};
  };
  if (b.packed) return panels(b.packed + l * kRegister, panel_step(whole_k));
  const Strided plain{b.plain.data + l * b.plain.row, b.plain.row, b.plain.column};
  const bool far_apart = std::abs(plain.row) >= kFarRows;
  if (plain.column != 1 || (m >= kRowsToPack && far_apart)) {
    real* to = memory.get(packed_elements(most, n));
    pack_right(plain, k, n, to);
    return panels(to, panel_step(k));
  }
  Right right{{plain.data, plain.row, kRegister}, {}};
  if (const Index columns = n % kRegister; columns > 0) {
    real* to = memory.get(packed_elements(most, columns));
    pack_right({plain.data + whole * kRegister, plain.row, 1}, k, columns, to);
    right.edge = {to, kRegister, 0};
  }
  return right;
}

Strided strided(const View& v) { return {v.data, v.strides[0], v.strides[1]}; }

// c = start + a b, where start (null: zeros) and c have contiguous rows, for k > 0.
void multiply(const View* start, const View& a, const Source& b, const View& c,
              real* scratch = nullptr) {
  const auto m = static_cast<Index>(c.shape[0]), n = static_cast<Index>(c.shape[1]);
  const auto k = static_cast<Index>(a.shape[1]);
  const Strided left = strided(a);
  const TileRows to{c.data, c.strides[0]};
  TileRows from = start ? TileRows{start->data, start->strides[0]} : TileRows{nullptr, 0};
  const Distance far{m * k > kFarLeft, n * k > kFarRight};
  Scratch memory(scratch), left_memory(nullptr);
  // Where both operands are packed, blocks are smaller: memory for them counts beside the result.
  const bool packs = packs_left(left);
  const Index depth =
      packs ? block_depth(k, std::clamp(m, kBlockDepth / 4, kBlockDepth / 2)) : block_depth(k);
  const Index height =
      std::min(packs ? kBlockRows / 2 : kBlockRows, kBlockElements / depth / kTileRows * kTileRows);
  for (Index l = 0; l < k; l += depth, from = to) {
    const Index block_k = std::min(depth, k - l);
    const Right right = right_block(b, k, l, block_k, depth, n, m, memory);
    for (Index i = 0; i < m; i += height) {
      const TileLeft rows{left.data + i * left.row + l * left.column, left.row, left.column};
      multiply_block(std::min(height, m - i), n, block_k, rows, right,
                     from.data ? tile_start(from, i, 0) : from, {to.data + i * to.row, to.row}, far,
                     left_memory);
    }
  }
}

// A product that is replayed. A right operand that does not vary is packed now.
void record(Recorder& recorder, const View* start, const View& a, const View& b, const View& c) {
  const std::size_t k = b.shape[0], n = b.shape[1];
  const auto depth = static_cast<Index>(k), width = static_cast<Index>(n);
  const auto strided_b = [](const View& right) {
    Strided source = strided(right);
    if (right.shape[1] == 1) source.column = 1;
    return source;
  };
  const auto run = [&](auto&& loop, const auto&... more) {
    if (start)
      perform([loop](const View& to, const View& left, const View& from,
                     const auto&... rest) { loop(&from, left, to, rest...); },
              writes(c), reads(a), reads(*start), more...);
    else
      perform([loop](const View& to, const View& left,
                     const auto&... rest) { loop(nullptr, left, to, rest...); },
              writes(c), reads(a), more...);
  };
  if (recorder.varies(b)) {
    const Value scratch =
        allocate({static_cast<std::size_t>(packed_elements(block_depth(depth), width))});
    run(
        [strided_b](const View* from, const View& left, const View& to, const View& right,
                    const View& memory) {
          multiply(from, left, {strided_b(right), nullptr}, to, memory.data);
        },
        reads(b), writes(scratch.view));
  } else if (c.shape[0] == 1) {
    const auto fill = [&](real* to) { pack_rows(strided_b(b), k, n, to); };
    const real* rows = recorder.fixed(FixedForm::kRows, b, row_elements(k, n), std::cref(fill));
    run([=](const View* from, const View& left, const View& to) {
      multiply_row(k, n, left.data, left.strides[1], rows, from ? from->data : nullptr, to.data);
    });
  } else {
    const auto fill = [&](real* to) { pack_right(strided_b(b), depth, width, to); };
    const real* panels =
        recorder.fixed(FixedForm::kPanels, b,
                       static_cast<std::size_t>(packed_elements(depth, width)), std::cref(fill));
    run([panels](const View* from, const View& left, const View& to) {
      multiply(from, left, {{}, panels}, to);
    });
  }
}

// Do the elements of a row lie side by side?
bool has_rows(const View& v) { return v.shape[1] == 1 || v.strides[1] == 1; }

// Brings start and c to rows.
void product(const View* start, const View& a, const View* b, const Packed* packed, const View& c) {
  if (start && !has_rows(*start)) {
    if (start->data != c.data) {
      const Value dense = dense_copy(*start);
      return product(&dense.view, a, b, packed, c);
    }
  }
  if (!has_rows(c)) {
    if (b && (c.shape[0] == 1 || c.strides[0] == 1)) {
      const View c_rows = transposed(c), a_right = transposed(a);
      const View start_rows = start ? transposed(*start) : View();
      return product(start ? &start_rows : nullptr, transposed(*b), &a_right, nullptr, c_rows);
    }
    const Value dense = start ? dense_copy(*start) : allocate(c.shape);
    product(start ? &dense.view : nullptr, a, b, packed, dense.view);
    return copy(dense.view, c);
  }
  if (c.size() == 0) return;
  if (a.shape[1] == 0) {
    if (!start) return fill(c, 0);
    if (start->data != c.data) copy(*start, c);
    return;
  }
  if (Recorder* recorder = Recorder::current(); recorder && b) [[unlikely]]
    return record(*recorder, start, a, *b, c);
  Source source{b ? strided(*b) : Strided{}, packed ? packed->data : nullptr};
  if (c.shape[1] == 1) source.plain.column = 1;
  multiply(start, a, source, c);
}

}  // namespace

void single_thread_blas() {
  static const bool once = (openblas_set_num_threads(1), true);
  static_cast<void>(once);
}

View transposed(const View& matrix) { return matrix.permuted({1, 0}); }

View rows_reversed(const View& matrix) {
  View reversed = matrix;
  if (matrix.shape[0] > 0)
    reversed.data += static_cast<Index>(matrix.shape[0] - 1) * matrix.strides[0];
  reversed.strides[0] = -matrix.strides[0];
  return reversed;
}

Ref<Storage> pack(const View& b) {
  const auto k = static_cast<Index>(b.shape[0]), n = static_cast<Index>(b.shape[1]);
  Ref<Storage> packed = Storage::of(static_cast<std::size_t>(packed_elements(k, n)));
  Strided source = strided(b);
  if (n == 1) source.column = 1;
  pack_right(source, k, n, packed->data);
  return packed;
}

void gemm(const View& a, const View& b, const View& c, bool accumulate) {
  product(accumulate ? &c : nullptr, a, &b, nullptr, c);
}
void gemm(const View& a, const Packed& b, const View& c, bool accumulate) {
  product(accumulate ? &c : nullptr, a, nullptr, &b, c);
}
void gemm_onto(const View& start, const View& a, const View& b, const View& c) {
  product(start.data ? &start : nullptr, a, &b, nullptr, c);
}
void gemm_onto(const View& start, const View& a, const Packed& b, const View& c) {
  product(start.data ? &start : nullptr, a, nullptr, &b, c);
}

}  // namespace reel::inline REEL_PRECISION::detail
