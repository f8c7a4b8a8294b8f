#include "op_cases.hpp"

namespace reel::testing {
namespace {

using Tensors = std::vector<Tensor>;

// An op that moves elements: y[index] = x[from(index)].
OpCase moving(const char* declared, const char* variant,
              std::function<Var(std::span<const Var>)> function,
              std::function<Tensor(const Tensors&)> reference, std::vector<Shape> shapes,
              std::vector<Shape> empty, std::vector<Shape> ones) {
  return {.name = std::string(declared) + variant,
          .declared = declared,
          .function = std::move(function),
          .reference = std::move(reference),
          .shapes = std::move(shapes),
          .empty = std::move(empty),
          .ones = std::move(ones)};
}

Tensor reshaped(const Tensor& x, const Shape& shape) {
  Tensor y = x;
  y.shape = shape;
  return y;
}

// Elements begin, begin + step, .. below end of one axis.
Tensor slice_of(const Tensor& x, std::size_t axis, std::size_t begin, std::size_t end,
                std::size_t step = 1) {
  Shape shape = x.shape;
  shape[axis] = (end - begin + step - 1) / step;
  return make_tensor(shape, [&](Index index) {
    index[axis] = begin + index[axis] * step;
    return x[index];
  });
}

Tensor concat_of(const Tensors& parts, std::size_t axis) {
  Shape shape = parts[0].shape;
  shape[axis] = 0;
  for (const Tensor& part : parts) shape[axis] += part.shape[axis];
  return make_tensor(shape, [&](Index index) {
    std::size_t k = 0;
    while (index[axis] >= parts[k].shape[axis]) index[axis] -= parts[k++].shape[axis];
    return parts[k][index];
  });
}

Indices indices(std::initializer_list<std::int64_t> values) {
  Indices list(Indices::shape_type{values.size()});
  std::copy(values.begin(), values.end(), list.begin());
  return list;
}
Indices indices(std::size_t rows, std::size_t columns, std::initializer_list<std::int64_t> values) {
  Indices table(Indices::shape_type{rows, columns});
  std::copy(values.begin(), values.end(), table.begin());
  return table;
}
// 0 .. n - 1, n of them, for n rows; used where the shapes vary.
Indices counting(std::size_t n, std::int64_t below) {
  Indices list(Indices::shape_type{n});
  for (std::size_t i = 0; i < n; ++i) list(i) = static_cast<std::int64_t>(i) % below;
  return list;
}

Tensor gather_of(const Tensor& table, const Indices& at) {
  Shape shape = shape_of(at);
  const std::size_t lead = shape.size();
  for (std::size_t i = 1; i < table.shape.size(); ++i) shape.push_back(table.shape[i]);
  return make_tensor(shape, [&](const Index& index) {
    Index from{0};
    from.insert(from.end(), index.begin() + static_cast<std::ptrdiff_t>(lead), index.end());
    std::size_t flat = 0;
    for (std::size_t i = 0; i < lead; ++i) flat = flat * shape[i] + index[i];
    if (at.data()[flat] < 0) return 0.0;
    from[0] = static_cast<std::size_t>(at.data()[flat]);
    return table[from];
  });
}

std::vector<OpCase> window_cases() {
  return {
      moving(
          "transpose", "", [](auto in) { return transpose(in[0]); },
          [](const Tensors& in) {
            const Shape& s = in[0].shape;
            return make_tensor({s[0], s[2], s[1]}, [&](const Index& i) {
              return in[0][{i[0], i[2], i[1]}];
            });
          },
          {{2, 3, 4}}, {{2, 0, 4}}, {{1, 1, 1}}),
      moving(
          "permute", "",
          [](auto in) {
            return permute(in[0], {2, 0, -2});
          },
          [](const Tensors& in) {
            const Shape& s = in[0].shape;
            return make_tensor({s[2], s[0], s[1]}, [&](const Index& i) {
              return in[0][{i[1], i[2], i[0]}];
            });
          },
          {{2, 3, 4}}, {{2, 0, 4}}, {{1, 1, 1}}),
      moving(
          "reshape", "",
          [](auto in) {
            return reshape(in[0], {2, -1});
          },
          [](const Tensors& in) {
            return reshaped(in[0], {2, in[0].data.size() / 2});
          },
          {{3, 4}}, {{3, 0}}, {{2, 1, 1}}),
      moving(
          "reshape", "_to_scalar", [](auto in) { return reshape(in[0], {}); },
          [](const Tensors& in) { return reshaped(in[0], {}); }, {{1, 1}}, {}, {{1}}),
      moving(
          "expand", "",
          [](auto in) {
            return expand(in[0], {2, 3, 4});
          },
          [](const Tensors& in) {
            return make_tensor(
                {2, 3, 4}, [&](const Index& i) { return in[0][broadcast_index(i, in[0].shape)]; });
          },
          {{3, 1}}, {}, {{1, 1}}),
      moving(
          "expand", "_to_nothing",
          [](auto in) {
            return expand(in[0], {0, 4});
          },
          [](const Tensors&) {
            return Tensor({0, 4});
          },
          {{1, 4}}, {{0, 1}}, {{1}}),
      moving(
          "slice", "", [](auto in) { return slice(in[0], 1, 1, -1); },
          [](const Tensors& in) { return slice_of(in[0], 1, 1, in[0].shape[1] - 1); }, {{3, 5}},
          {{0, 5}}, {{1, 3}}),
      moving(
          "slice", "_with_step", [](auto in) { return slice(in[0], -2, 1, 6, 2); },
          [](const Tensors& in) { return slice_of(in[0], 0, 1, 6, 2); }, {{7, 3}}, {{7, 0}},
          {{6, 1}}),
      moving(
          "slice", "_to_nothing", [](auto in) { return slice(in[0], 0, 2, 2); },
          [](const Tensors& in) { return slice_of(in[0], 0, 2, 2); }, {{3, 4}}, {{2, 0}}, {{2, 1}}),
      moving(
          "index", "", [](auto in) { return index(in[0], 1, -2); },
          [](const Tensors& in) {
            const std::size_t at = in[0].shape[1] - 2;
            return reshaped(slice_of(in[0], 1, at, at + 1), {in[0].shape[0], in[0].shape[2]});
          },
          {{2, 3, 4}}, {{2, 2, 0}}, {{1, 2, 1}}),
      // The parts exchanged, the middle one left out.
      moving(
          "split", "",
          [](auto in) {
            const std::vector<Var> parts = split(in[0], std::array<std::size_t, 3>{1, 2, 3}, 1);
            return concat({parts[2], parts[0]}, 1);
          },
          [](const Tensors& in) {
            return concat_of({slice_of(in[0], 1, 3, 6), slice_of(in[0], 1, 0, 1)}, 1);
          },
          {{2, 6}}, {{0, 6}}, {{1, 6}}),
      moving(
          "split", "_equally",
          [](auto in) {
            auto [a, b] = split<2>(in[0], 0);
            return a * a + b;
          },
          [](const Tensors& in) {
            Tensor y = slice_of(in[0], 0, 0, in[0].shape[0] / 2);
            for (std::size_t i = 0; i < y.data.size(); ++i)
              y.data[i] = y.data[i] * y.data[i] + in[0].data[y.data.size() + i];
            return y;
          },
          {{4, 3}}, {{0, 3}}, {{2, 1}}),
  };
}

std::vector<OpCase> joining_cases() {
  return {
      moving(
          "sum_to", "",
          [](auto in) {
            return sum_to(in[0], {3, 1});
          },
          [](const Tensors& in) {
            Tensor y({3, 1});
            each_index(in[0].shape, [&](const Index& i) { y[{i[1], 0}] += in[0][i]; });
            return y;
          },
          {{2, 3, 4}}, {{0, 3, 4}}, {{1, 3, 1}}),
      moving(
          "concat", "", [](auto in) { return concat(in, 1); },
          [](const Tensors& in) { return concat_of(in, 1); }, {{2, 3}, {2, 1}, {2, 4}},
          {{2, 0}, {2, 3}, {2, 0}}, {{1, 1}, {1, 1}, {1, 1}}),
      moving(
          "concat", "_list",
          [](auto in) {
            return concat({in[1], in[0], in[1]}, -2);
          },
          [](const Tensors& in) {
            return concat_of({in[1], in[0], in[1]}, 0);
          },
          {{2, 3}, {1, 3}}, {{2, 0}, {1, 0}}, {{1, 1}, {1, 1}}),
      moving(
          "stack", "", [](auto in) { return stack(in, 1); },
          [](const Tensors& in) {
            const Shape& s = in[0].shape;
            return make_tensor({s[0], in.size(), s[1]}, [&](const Index& i) {
              return in[i[1]][{i[0], i[2]}];
            });
          },
          {{2, 3}, {2, 3}, {2, 3}}, {{2, 0}, {2, 0}}, {{1, 1}, {1, 1}}),
      moving(
          "stack", "_last",
          [](auto in) {
            return stack({in[1], in[0]}, -1);
          },
          [](const Tensors& in) {
            const Shape& s = in[0].shape;
            return make_tensor({s[0], 2}, [&](const Index& i) { return in[1 - i[1]][{i[0]}]; });
          },
          {{3}, {3}}, {{0}, {0}}, {{1}, {1}}),
      moving(
          "pad", "", [](auto in) { return pad(in[0], 1, 2, 1); },
          [](const Tensors& in) {
            const std::size_t rows = in[0].shape[0];
            return concat_of({Tensor({rows, 2}), in[0], Tensor({rows, 1})}, 1);
          },
          {{2, 3}}, {{2, 0}}, {{1, 1}}),
      moving(
          "flip", "", [](auto in) { return flip(in[0], 1); },
          [](const Tensors& in) {
            return make_tensor(in[0].shape, [&](Index i) {
              i[1] = in[0].shape[1] - 1 - i[1];
              return in[0][i];
            });
          },
          {{2, 3, 2}}, {{2, 0, 3}}, {{1, 1, 1}}),
      moving(
          "zeros", "",
          [](auto) {
            return zeros({2, 3});
          },
          [](const Tensors&) {
            return Tensor({2, 3});
          },
          {}, {}, {}),
  };
}

std::vector<OpCase> indexing_cases() {
  const Indices words = indices(2, 3, {3, -1, 0, 3, 3, 1});
  return {
      moving(
          "gather", "", [words](auto in) { return gather(in[0], words); },
          [words](const Tensors& in) { return gather_of(in[0], words); }, {{4, 3}}, {{4, 0}},
          {{4, 1}}),
      moving(
          "gather", "_of_a_result", [words](auto in) { return gather(square(in[0]), words); },
          [words](const Tensors& in) {
            Tensor y = gather_of(in[0], words);
            for (double& x : y.data) x *= x;
            return y;
          },
          {{4, 2, 3}}, {}, {}),
      moving(
          "gather", "_numbers",
          [](auto in) {
            return gather(in[0], indices({2, 2, 0}));
          },
          [](const Tensors& in) {
            return gather_of(in[0], indices({2, 2, 0}));
          },
          {{3}}, {}, {}),
      moving(
          "gather", "_nothing",
          [](auto in) {
            return gather(in[0], indices({-1, -1}));
          },
          [](const Tensors&) {
            return Tensor({2, 3});
          },
          {{4, 3}}, {{0, 3}}, {{1, 3}}),
      moving(
          "scatter", "", [words](auto in) { return scatter(in[0], words, 5); },
          [words](const Tensors& in) {
            Tensor y({5, in[0].shape[2]});
            each_index(in[0].shape, [&](const Index& i) {
              const std::int64_t row = words(i[0], i[1]);
              if (row >= 0) y[{static_cast<std::size_t>(row), i[2]}] += in[0][i];
            });
            return y;
          },
          {{2, 3, 4}}, {{2, 3, 0}}, {{2, 3, 1}}),
      moving(
          "pick", "", [](auto in) { return pick(in[0], counting(in[0].size(0), 3)); },
          [](const Tensors& in) {
            return make_tensor({in[0].shape[0]}, [&](const Index& i) {
              return in[0][{i[0], i[0] % 3}];
            });
          },
          {{5, 3}}, {{0, 3}}, {{1, 3}}),
      moving(
          "pick", "_or_none", [words](auto in) { return pick(in[0], words); },
          [words](const Tensors& in) {
            return make_tensor({2, 3}, [&](const Index& i) {
              const std::int64_t at = words(i[0], i[1]);
              return at < 0 ? 0 : in[0][{i[0], i[1], static_cast<std::size_t>(at)}];
            });
          },
          {{2, 3, 4}}, {}, {}),
  };
}

}  // namespace

std::vector<OpCase> shaping_cases() {
  std::vector<OpCase> rows = window_cases();
  for (const auto& part : {joining_cases(), indexing_cases()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace reel::testing
