#include <cblas.h>
#include <reel/autodiff/gemm.hpp>
#include <reel/autodiff/gemm_pack.hpp>

#include <cstdlib>

namespace reel::inline REEL_PRECISION::detail {
namespace {

using Index = std::ptrdiff_t;

// A block of the left operand and a panel group of the right one stay in the second cache.
constexpr Index kBlockRows = 128, kBlockDepth = 512;
// From so many rows on, packing the right operand pays where its rows lie badly.
constexpr Index kRowsToPack = 32;

constexpr Index kPage = 4096 / sizeof(real);
constexpr Index kCache = (Index{4} << 20) / static_cast<Index>(sizeof(real));

// Memory for the time of a product.
class Scratch {
 public:
  real* get(Index elements) {
    if (!data_)
      data_ = static_cast<real*>(pool::allocate(static_cast<std::size_t>(elements) * sizeof(real)));
    return data_;
  }
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { pool::release(data_); }

 private:
  real* data_ = nullptr;
};

// The right operand of a block: whole registers, then n % kRegister columns, padded.
struct Right {
  TileRight whole, edge;
};

constexpr real kZeros[8 * kRegister] = {};

// Where the tile of registers j .. starts from. Without a start: from zeros.
TileRows tile_start(const TileRows& from, Index i, Index column) {
  if (!from.data) return {const_cast<real*>(kZeros), 0};
  return {from.data + i * from.row + column, from.row};
}

// One tile of at most a register's columns, whose result is smaller than the tile.
void edge_tile(int rows, Index columns, Index k, TileLeft a, TileRight b, TileRows from,
               TileRows to) {
  alignas(64) real tile[kTileRows * kRegister];
  for (Index i = 0; i < rows; ++i) {
    std::copy_n(from.data + i * from.row, columns, tile + i * kRegister);
    std::fill(tile + i * kRegister + columns, tile + (i + 1) * kRegister, real(0));
  }
  edge_function(rows, columns)(k, a, b, {tile, kRegister}, {tile, kRegister});
  for (Index i = 0; i < rows; ++i) std::copy_n(tile + i * kRegister, columns, to.data + i * to.row);
}

// A left operand: a block's rows start at row(i).
struct Left {
  TileLeft rows;
  Index block = 0;  // from kLeftBlock rows to the next if packed, else 0

  TileLeft at(Index i) const {
    const Index offset =
        block == 0 ? i * rows.row : i / kLeftBlock * block + i % kLeftBlock * rows.row;
    return {rows.data + offset, rows.row, rows.column};
  }
};

// All tiles of [m, n]. Rows are dealt out evenly, so that none is left alone with few sums.
void multiply_block(Index m, Index n, Index k, const Left& a, const Right& b, const TileRows& from,
                    const TileRows& to) {
  const bool packed = a.block != 0;
  const Index row_tiles = (m + kTileRows - 1) / kTileRows;
  const auto for_each_rows = [&](auto&& tile) {
    for (Index i = 0, left = row_tiles; left > 0; --left) {
      const Index even = (m - i + left - 1) / left;
      const Index rows = packed ? std::min<Index>(kTileRows, m - i) : even;
      tile(i, static_cast<int>(rows));
      i += rows;
    }
  };
  const Index most_rows = packed ? std::min<Index>(kTileRows, m) : (m + row_tiles - 1) / row_tiles;
  const Index most = tile_registers(static_cast<int>(most_rows)), registers = n / kRegister;
  Index j = 0;
  for (Index left = (registers + most - 1) / most; left > 0; --left) {
    const Index wide = (registers - j + left - 1) / left;
    const TileRight right{b.whole.data + j * b.whole.next, b.whole.row, b.whole.next};
    for_each_rows([&](Index i, int rows) {
      tile_function(rows, static_cast<int>(wide))(k, a.at(i), right,
                                                  tile_start(from, i, j * kRegister),
                                                  {to.data + i * to.row + j * kRegister, to.row});
    });
    j += wide;
  }
  if (const Index columns = n % kRegister; columns > 0)
    for_each_rows([&](Index i, int rows) {
      edge_tile(rows, columns, k, a.at(i), b.edge, tile_start(from, i, j * kRegister),
                {to.data + i * to.row + j * kRegister, to.row});
    });
}

// Does the left operand lie so that tiles would read it badly: one element of each page, or again
// and again from far away?
bool pack_left_pays(const Strided& a, Index m, Index n, Index k) {
  return a.row == 1 && n >= 4 * kRegister && m >= kLeftBlock &&
         (std::abs(a.column) >= kPage || m * k > kCache);
}
bool pack_right_pays(const Strided& b, Index m) {
  return b.column != 1 || (m >= kRowsToPack && (b.row % kRegister != 0 || std::abs(b.row) >= 512));
}

// A right operand, packed already or not.
struct Source {
  Strided plain;
  const real* packed = nullptr;
};

// c = start + a b, blocked.
void multiply(Index m, Index n, Index k, const Strided& a, const Source& b, TileRows start,
              TileRows c) {
  const bool pack_a = pack_left_pays(a, m, n, k);
  const bool pack_b = !b.packed && pack_right_pays(b.plain, m);
  const Index depth = std::min(k, kBlockDepth), edge = n - n % kRegister;
  Scratch left_memory, right_memory;
  for (Index l = 0; l < k; l += kBlockDepth) {
    const Index block_k = std::min(kBlockDepth, k - l);
    Right right;
    if (b.packed || pack_b) {
      const real* data = b.packed ? b.packed + l * kRegister : nullptr;
      const Index step = panel_step(b.packed ? k : block_k);
      if (pack_b) {
        real* to = right_memory.get(packed_elements(depth, n));
        pack_right({b.plain.data + l * b.plain.row, b.plain.row, b.plain.column}, block_k, n, to);
        data = to;
      }
      right.whole = {data, kRegister, step};
      right.edge = {data + n / kRegister * step, kRegister, 0};
    } else {
      const real* data = b.plain.data + l * b.plain.row;
      right.whole = {data, b.plain.row, kRegister};
      if (edge < n) {
        real* to = right_memory.get(panel_step(depth));
        pack_right({data + edge, b.plain.row, 1}, block_k, n - edge, to);
        right.edge = {to, kRegister, 0};
      }
    }
    for (Index i = 0; i < m; i += kBlockRows) {
      const Index block_m = std::min(kBlockRows, m - i);
      const Strided rows{a.data + i * a.row + l * a.column, a.row, a.column};
      Left left{{rows.data, a.row, a.column}};
      if (pack_a) {
        real* to = left_memory.get(kBlockRows / kLeftBlock * left_block_step(depth));
        pack_left(rows, block_m, block_k, to);
        left = {{to, 1, kLeftBlock}, left_block_step(block_k)};
      }
      const TileRows from = start.data ? TileRows{start.data + i * start.row, start.row} : start;
      multiply_block(block_m, n, block_k, left, right, from, {c.data + i * c.row, c.row});
    }
    start = c;
  }
}

Strided strided(const View& v) { return {v.data, v.strides[0], v.strides[1]}; }

// Elements of a row lie side by side.
bool has_rows(const View& v) { return v.shape[1] == 1 || v.strides[1] == 1; }

// `start` without data: zeros.
void product(const View& start, const View& a, const View& b, const real* packed, const View& c) {
  if (c.size() == 0) return;
  const auto m = static_cast<Index>(c.shape[0]), n = static_cast<Index>(c.shape[1]);
  const auto k = static_cast<Index>(a.shape[1]);
  if (k == 0) {
    if (!start.data) return fill(c, 0);
    if (start.data != c.data) copy(start, c);
    return;
  }
  const TileRows from{start.data, start.data ? start.strides[0] : 0};
  Strided right = packed ? Strided{} : strided(b);
  if (n == 1) right.column = 1;
  multiply(m, n, k, strided(a), {right, packed}, from, {c.data, c.strides[0]});
}

// Brings start and c to rows, which tiles load and store.
void product_any(const View& start, const View& a, const View& b, const real* packed,
                 const View& c) {
  if (!has_rows(c)) {
    if (!packed && (c.shape[0] == 1 || c.strides[0] == 1))
      return product_any(start.data ? transposed(start) : start, transposed(b), transposed(a),
                         nullptr, transposed(c));
    const Value dense = allocate(c.shape);
    product_any(start, a, b, packed, dense.view);
    return copy(dense.view, c);
  }
  if (start.data && !has_rows(start)) return product(dense_copy(start).view, a, b, packed, c);
  product(start, a, b, packed, c);
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

void gemm(const View& a, const View& b, const View& c, bool accumulate) {
  product_any(accumulate ? c : View(), a, b, nullptr, c);
}
void gemm_onto(const View& start, const View& a, const View& b, const View& c) {
  product_any(start, a, b, nullptr, c);
}

Ref<Storage> pack(const View& b) {
  const auto k = static_cast<Index>(b.shape[0]), n = static_cast<Index>(b.shape[1]);
  Ref<Storage> packed(new Storage(static_cast<std::size_t>(packed_elements(k, n))));
  Strided source = strided(b);
  if (n == 1) source.column = 1;
  pack_right(source, k, n, packed->buffer.data());
  return packed;
}
void gemm(const View& a, const Packed& b, const View& c, bool accumulate) {
  product_any(accumulate ? c : View(), a, {}, b.data, c);
}
void gemm_onto(const View& start, const View& a, const Packed& b, const View& c) {
  product_any(start, a, {}, b.data, c);
}

}  // namespace reel::inline REEL_PRECISION::detail
