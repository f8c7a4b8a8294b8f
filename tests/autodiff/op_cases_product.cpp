#include <reel/autodiff/row_products.hpp>

#include "op_cases.hpp"

namespace reel::testing {
namespace {

// y_ij = sum_k a_ik b_kj for every index of the leading axes, which broadcast.
Tensor matmul_of(const Tensor& a, const Tensor& b) {
  const auto lead = [](const Tensor& t) { return Shape(t.shape.begin(), t.shape.end() - 2); };
  Shape shape = detail::broadcast_shapes("reference", lead(a), lead(b));
  const std::size_t rows = a.shape[a.shape.size() - 2], inner = a.shape.back();
  shape.push_back(rows);
  shape.push_back(b.shape.back());
  return make_tensor(shape, [&](const Index& y) {
    double sum = 0;
    for (std::size_t k = 0; k < inner; ++k) {
      Index left = y, right = y;
      left.back() = right[right.size() - 2] = k;
      sum += a[broadcast_index(left, a.shape)] * b[broadcast_index(right, b.shape)];
    }
    return sum;
  });
}

// y_.j = sum_k x_.k w_jk + c
Tensor affine_of(const std::vector<Tensor>& in) {
  const Tensor &x = in[0], &w = in[1];
  Shape shape = x.shape;
  shape.back() = w.shape[0];
  return make_tensor(shape, [&](const Index& y) {
    double sum = in.size() > 2 ? in[2][broadcast_index(y, in[2].shape)] : 0;
    for (std::size_t k = 0; k < w.shape[1]; ++k) {
      Index from = y;
      from.back() = k;
      sum += x[from] * w[{y.back(), k}];
    }
    return sum;
  });
}

// y_bt = sum_f a_btf x_bf
Tensor row_dots_of(const std::vector<Tensor>& in) {
  const Shape& a = in[0].shape;
  return make_tensor({a[0], a[1]}, [&](const Index& y) {
    double sum = 0;
    for (std::size_t f = 0; f < a[2]; ++f) sum += in[0][{y[0], y[1], f}] * in[1][{y[0], f}];
    return sum;
  });
}
// y_bf = sum_t w_bt a_btf
Tensor row_mix_of(const std::vector<Tensor>& in) {
  const Shape& a = in[1].shape;
  return make_tensor({a[0], a[2]}, [&](const Index& y) {
    double sum = 0;
    for (std::size_t t = 0; t < a[1]; ++t) sum += in[0][{y[0], t}] * in[1][{y[0], t, y[1]}];
    return sum;
  });
}
OpCase row_dots_case(const char* name, const Shape& a, std::vector<Shape> empty,
                     std::vector<Shape> ones) {
  return {.name = name,
          .declared = "row_dots",
          .function = [](auto in) { return row_dots(in[0], in[1]); },
          .reference = row_dots_of,
          .shapes = {a, {a[0], a[2]}},
          .empty = std::move(empty),
          .ones = std::move(ones)};
}
OpCase row_mix_case(const char* name, const Shape& a, std::vector<Shape> empty,
                    std::vector<Shape> ones) {
  return {.name = name,
          .declared = "row_mix",
          .function = [](auto in) { return row_mix(in[0], in[1]); },
          .reference = row_mix_of,
          .shapes = {{a[0], a[1]}, a},
          .empty = std::move(empty),
          .ones = std::move(ones)};
}

// Every third element does not count.
bool counts(std::size_t i) { return i % 3 != 1; }
Tensor row_softmax_of(const std::vector<Tensor>& in) {
  const Tensor& x = in[0];
  return make_tensor(x.shape, [&](const Index& y) {
    double sum = 0;
    for (std::size_t t = 0; t < x.shape[1]; ++t)
      if (counts(x.offset({y[0], t}))) sum += std::exp(x[{y[0], t}] - x[y]);
    return counts(x.offset(y)) ? 1 / sum : 0;
  });
}
Var masked_softmax(std::span<const Var> in) {
  Array inside = full_array(in[0].shape(), 0);
  for (std::size_t i = 0; i < inside.size(); ++i) inside.data()[i] = counts(i);
  return row_softmax(in[0], Var(std::move(inside)));
}

OpCase matmul_case(const char* name, std::vector<Shape> shapes, std::vector<Shape> empty,
                   std::vector<Shape> ones) {
  return {.name = name,
          .declared = "matmul",
          .function = [](auto in) { return matmul(in[0], in[1]); },
          .reference = [](const auto& in) { return matmul_of(in[0], in[1]); },
          .shapes = std::move(shapes),
          .empty = std::move(empty),
          .ones = std::move(ones)};
}
OpCase affine_case(const char* name, std::vector<Shape> shapes, std::vector<Shape> empty,
                   std::vector<Shape> ones) {
  return {.name = name,
          .declared = "affine",
          .function =
              [](auto in) {
                return in.size() == 2 ? affine(in[0], in[1]) : affine(in[0], in[1], in[2]);
              },
          .reference = affine_of,
          .shapes = std::move(shapes),
          .empty = std::move(empty),
          .ones = std::move(ones)};
}

}  // namespace

std::vector<OpCase> product_cases() {
  return {
      matmul_case("matmul", {{3, 4}, {4, 5}}, {{3, 4}, {4, 0}}, {{1, 1}, {1, 1}}),
      matmul_case("matmul_no_columns", {{9, 17}, {17, 7}}, {{3, 0}, {0, 2}}, {{1, 7}, {7, 1}}),
      matmul_case("matmul_no_rows", {{17, 2}, {2, 3}}, {{0, 4}, {4, 5}}, {{3, 1}, {1, 3}}),
      matmul_case("matmul_many_rows", {{300, 3}, {3, 2}}, {}, {}),
      matmul_case("matmul_rows_of_rows", {{2, 3, 4}, {4, 5}}, {{2, 3, 0}, {0, 2}},
                  {{1, 1, 1}, {1, 1}}),
      matmul_case("matmul_batched", {{2, 3, 4}, {2, 4, 5}}, {{0, 3, 4}, {0, 4, 5}},
                  {{1, 1, 1}, {1, 1, 1}}),
      matmul_case("matmul_broadcast", {{3, 1, 2, 4}, {2, 4, 3}}, {{3, 1, 2, 0}, {2, 0, 3}},
                  {{1, 1, 1}, {2, 1, 1}}),
      matmul_case("matmul_one_left", {{3, 4}, {2, 4, 5}}, {{3, 4}, {2, 4, 0}}, {{1, 1}, {1, 1, 1}}),
      row_dots_case("row_dots", {2, 3, 5}, {{2, 0, 5}, {2, 5}}, {{1, 1, 1}, {1, 1}}),
      row_dots_case("row_dots_wide", {2, 3, 71}, {{0, 3, 4}, {0, 4}}, {{2, 1, 3}, {2, 3}}),
      row_mix_case("row_mix", {2, 3, 5}, {{2, 0}, {2, 0, 5}}, {{1, 1}, {1, 1, 1}}),
      row_mix_case("row_mix_wide", {2, 3, 71}, {{2, 3}, {2, 3, 0}}, {{2, 1}, {2, 1, 3}}),
      {.name = "row_softmax",
       .declared = "row_softmax",
       .function = masked_softmax,
       .reference = row_softmax_of,
       .shapes = {{3, 5}},
       .empty = {{2, 0}},
       .ones = {{2, 1}}},
      affine_case("affine_no_c", {{3, 4}, {5, 4}}, {{3, 4}, {0, 4}}, {{1, 1}, {1, 1}}),
      affine_case("affine_bias", {{3, 4}, {5, 4}, {5}}, {{0, 4}, {5, 4}, {5}},
                  {{1, 1}, {1, 1}, {1}}),
      affine_case("affine_same", {{3, 4}, {5, 4}, {3, 5}}, {{3, 0}, {5, 0}, {3, 5}},
                  {{1, 1}, {1, 1}, {1, 1}}),
      affine_case("affine_3d", {{2, 3, 4}, {5, 4}, {5}}, {{2, 3, 0}, {5, 0}, {5}},
                  {{1, 1, 1}, {1, 1}, {1}}),
      affine_case("affine_3d_same", {{2, 3, 4}, {5, 4}, {2, 3, 5}}, {{2, 0, 4}, {5, 4}, {2, 0, 5}},
                  {{1, 1, 1}, {1, 1}, {1, 1, 1}}),
      affine_case("affine_many_rows", {{300, 3}, {2, 3}, {2}}, {}, {}),
      affine_case("affine_vector", {{4}, {5, 4}, {5}}, {{0}, {5, 0}, {5}}, {{1}, {1, 1}, {1}}),
  };
}

}  // namespace reel::testing
