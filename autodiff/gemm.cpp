#include <cblas.h>
#include <reel/autodiff/gemm.hpp>

#include <algorithm>
#ifdef REEL_HAVE_LIBXSMM
#include <libxsmm.h>
#endif

namespace reel::inline REEL_PRECISION::detail {
namespace {

// A matrix as BLAS sees it: row-major with leading dimension `ld`, or its transpose.
struct Operand {
  const real* data;
  std::ptrdiff_t ld;
  bool transposed;
};

// False if no axis is contiguous.
bool as_operand(const View& m, Operand& out) {
  const auto rows = static_cast<std::ptrdiff_t>(m.shape[0]);
  const auto columns = static_cast<std::ptrdiff_t>(m.shape[1]);
  if (columns == 1 || m.strides[1] == 1) {
    const std::ptrdiff_t ld = rows == 1 ? columns : m.strides[0];
    out = {m.data, ld, false};
    if (ld >= columns && (columns > 1 || ld >= 1)) return true;
  }
  if (rows == 1 || m.strides[0] == 1) {
    const std::ptrdiff_t ld = columns == 1 ? rows : m.strides[1];
    out = {m.data, ld, true};
    if (ld >= rows) return true;
  }
  return false;
}

#ifdef REEL_HAVE_LIBXSMM
// Products of untransposed operands that stay in cache: generated code, no packing.
bool small_gemm(int m, int n, int k, const Operand& a, const Operand& b, real* c, int ldc,
                bool accumulate) {
  constexpr double kMostWork = 128.0 * 2600 * 650;
  if (a.transposed || b.transposed || 1.0 * m * n * k > kMostWork) return false;
  const int lda = static_cast<int>(a.ld), ldb = static_cast<int>(b.ld);
  const real alpha = 1, beta = accumulate ? 1 : 0;
  const int prefetch = LIBXSMM_PREFETCH_NONE, flags = LIBXSMM_GEMM_FLAG_NONE;
  // libxsmm is column-major: c' = b' a'.
  const auto run = [&](auto kernel) {
    if (kernel) kernel(b.data, a.data, c);
    return kernel != nullptr;
  };
#ifdef REEL_DOUBLE
  return run(libxsmm_dmmdispatch(n, m, k, &ldb, &lda, &ldc, &alpha, &beta, &flags, &prefetch));
#else
  return run(libxsmm_smmdispatch(n, m, k, &ldb, &lda, &ldc, &alpha, &beta, &flags, &prefetch));
#endif
}
#else
bool small_gemm(int, int, int, const Operand&, const Operand&, real*, int, bool) { return false; }
#endif

}  // namespace

void single_thread_blas() {
  static const bool once = (openblas_set_num_threads(1), true);
  static_cast<void>(once);
}

void transpose_into(const View& matrix, real* to) {
  constexpr std::ptrdiff_t kTile = 16;
  const auto rows = static_cast<std::ptrdiff_t>(matrix.shape[0]);
  const auto columns = static_cast<std::ptrdiff_t>(matrix.shape[1]);
  const std::ptrdiff_t row = matrix.strides[0], column = matrix.strides[1];
  for (std::ptrdiff_t i0 = 0; i0 < rows; i0 += kTile)
    for (std::ptrdiff_t j0 = 0; j0 < columns; j0 += kTile)
      for (std::ptrdiff_t j = j0; j < std::min(j0 + kTile, columns); ++j)
        for (std::ptrdiff_t i = i0; i < std::min(i0 + kTile, rows); ++i)
          to[j * rows + i] = matrix.data[i * row + j * column];
}

View transposed(const View& matrix) { return matrix.permuted({1, 0}); }

void gemm(const View& a, const View& b, const View& c, bool accumulate) {
  single_thread_blas();
  if (c.size() == 0) return;
  if (a.shape[1] == 0) {
    if (!accumulate) fill(c, 0);
    return;
  }
  Operand x, y, z;
  if (!as_operand(a, x)) return gemm(dense_copy(a).view, b, c, accumulate);
  if (!as_operand(b, y)) return gemm(a, dense_copy(b).view, c, accumulate);
  if (!as_operand(c, z)) {
    const Value dense = dense_copy(c);
    gemm(a, b, dense.view, accumulate);
    return copy(dense.view, c);
  }
  if (z.transposed) return gemm(transposed(b), transposed(a), transposed(c), accumulate);

  const int m = static_cast<int>(c.shape[0]), n = static_cast<int>(c.shape[1]);
  const int k = static_cast<int>(a.shape[1]), ldc = static_cast<int>(z.ld);
  if (small_gemm(m, n, k, x, y, c.data, ldc, accumulate)) return;
  const auto form = [](const Operand& o) { return o.transposed ? CblasTrans : CblasNoTrans; };
  const real beta = accumulate ? 1 : 0;
#ifdef REEL_DOUBLE
  const auto blas = cblas_dgemm;
#else
  const auto blas = cblas_sgemm;
#endif
  blas(CblasRowMajor, form(x), form(y), m, n, k, 1, x.data, static_cast<int>(x.ld), y.data,
       static_cast<int>(y.ld), beta, c.data, ldc);
}

}  // namespace reel::inline REEL_PRECISION::detail
