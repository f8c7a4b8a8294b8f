#include <cmath>

#include "op_cases.hpp"

namespace reel::testing {
namespace {

using Reduce = Var (*)(const Var&, const Axes&, bool);
using Group = std::vector<double>;

double sum_of(const Group& x) {
  double sum = 0;
  for (double v : x) sum += v;
  return sum;
}
double mean_of(const Group& x) { return sum_of(x) / double(x.size()); }
double max_of(const Group& x) {
  double best = x[0];
  for (double v : x) best = v > best ? v : best;
  return best;
}
double min_of(const Group& x) {
  double best = x[0];
  for (double v : x) best = v < best ? v : best;
  return best;
}
double prod_of(const Group& x) {
  double product = 1;
  for (double v : x) product *= v;
  return product;
}
double squares_of(const Group& x, double centre) {
  double sum = 0;
  for (double v : x) sum += (v - centre) * (v - centre);
  return sum;
}
template <std::size_t Correction>
double var_of(const Group& x) {
  return squares_of(x, mean_of(x)) / double(x.size() - Correction);
}
double norm_of(const Group& x) { return std::sqrt(squares_of(x, 0)); }
double logsumexp_of(const Group& x) {
  const double top = max_of(x);
  double sum = 0;
  for (double v : x) sum += std::exp(v - top);
  return std::log(sum) + top;
}

// Reduces the axes that are marked.
Tensor reduce(const Tensor& x, const std::vector<bool>& marked, bool keepdims,
              double (*of)(const Group&)) {
  Shape kept, dropped;
  for (std::size_t axis = 0; axis < x.shape.size(); ++axis) {
    kept.push_back(marked[axis] ? 1 : x.shape[axis]);
    if (!marked[axis]) dropped.push_back(x.shape[axis]);
  }
  std::vector<Group> groups(element_count(kept));
  const Tensor places(kept);
  each_index(x.shape, [&](const Index& i) {
    groups[places.offset(broadcast_index(i, kept))].push_back(x[i]);
  });
  Tensor y(keepdims ? kept : dropped);
  for (std::size_t i = 0; i < groups.size(); ++i) y.data[i] = of(groups[i]);
  return y;
}

// Four rows per reduction: all axes, the last, an outer one kept, and two that enclose a third.
std::vector<OpCase> reduction(const char* name, Reduce function, double (*of)(const Group&),
                              bool of_nothing) {
  struct Variant {
    const char* suffix;
    Axes axes;
    bool keepdims;
    std::vector<bool> marked;
  };
  std::vector<OpCase> rows;
  for (const Variant& v :
       std::initializer_list<Variant>{{"", {}, false, {true, true, true}},
                                      {"_last", {-1}, false, {false, false, true}},
                                      {"_outer_kept", {0}, true, {true, false, false}},
                                      {"_around", {0, -1}, false, {true, false, true}}}) {
    OpCase row{.name = std::string(name) + v.suffix,
               .declared = name,
               .function = [function, v](auto in) { return function(in[0], v.axes, v.keepdims); },
               .reference =
                   [of, v](const std::vector<Tensor>& in) {
                     return reduce(in[0], v.marked, v.keepdims, of);
                   }};
    row.shapes = {{2, 3, 4}};
    row.ones = {{1, 1, 1}};
    // Some reductions have no value for an empty group: then only groups are missing.
    row.empty = of_nothing || !v.marked[1] ? std::vector<Shape>{{2, 0, 3}} : std::vector<Shape>{};
    rows.push_back(row);
  }
  return rows;
}

// y along the last axis but one or the last, from the group of x there.
OpCase along(const char* name, std::size_t axis, Var (*function)(const Var&, std::ptrdiff_t),
             Group (*of)(const Group&)) {
  OpCase row{.name = std::string(name) + (axis == 0 ? "_outer" : ""),
             .declared = name,
             .function = [function, axis](auto in) { return function(in[0], axis == 0 ? -2 : 1); },
             .reference =
                 [of, axis](const std::vector<Tensor>& in) {
                   return make_tensor(in[0].shape, [&](Index i) {
                     Group group;
                     const std::size_t at = i[axis];
                     for (i[axis] = 0; i[axis] < in[0].shape[axis]; ++i[axis])
                       group.push_back(in[0][i]);
                     return of(group)[at];
                   });
                 }};
  row.shapes = {{3, 5}};
  row.empty = {{3, 0}};
  row.ones = {{1, 1}};
  return row;
}

Group log_softmax_of(const Group& x) {
  Group y = x;
  for (double& v : y) v -= logsumexp_of(x);
  return y;
}
Group softmax_of(const Group& x) {
  Group y = log_softmax_of(x);
  for (double& v : y) v = std::exp(v);
  return y;
}
Group cumsum_of(const Group& x) {
  Group y = x;
  for (std::size_t i = 1; i < y.size(); ++i) y[i] += y[i - 1];
  return y;
}

// Rows of x to mean 0 and variance 1, times gain, plus c of the given shape (none: no c).
OpCase layer_norm_case(const char* suffix, const std::vector<Shape>& c) {
  OpCase row{.name = std::string("layer_norm") + suffix,
             .declared = "layer_norm",
             .function =
                 [](auto in) {
                   return layer_norm(in[0], in[1], in.size() > 2 ? in[2] : Var(), real(0.1));
                 },
             .reference =
                 [](const std::vector<Tensor>& in) {
                   return make_tensor(in[0].shape, [&](const Index& i) {
                     Group group;
                     Index at = i;
                     for (at[1] = 0; at[1] < in[0].shape[1]; ++at[1]) group.push_back(in[0][at]);
                     const double normal =
                         (in[0][i] - mean_of(group)) / std::sqrt(var_of<0>(group) + 0.1);
                     const double c = in.size() > 2 ? in[2][broadcast_index(i, in[2].shape)] : 0;
                     return normal * in[1][{i[1]}] + c;
                   });
                 }};
  const auto shapes = [&](std::size_t rows, std::size_t n) {
    std::vector<Shape> all{{rows, n}, {n}};
    for (Shape shape : c) {
      shape.back() = n;
      if (shape.size() == 2) shape[0] = rows;
      all.push_back(shape);
    }
    return all;
  };
  row.shapes = shapes(3, 37);
  row.empty = shapes(0, 5);
  row.ones = shapes(1, 1);
  if (!c.empty()) row.terms = 300;  // the gain and c
  return row;
}

}  // namespace

std::vector<OpCase> reduction_cases() {
  std::vector<OpCase> rows;
  const auto append = [&](std::vector<OpCase> more, auto change) {
    for (OpCase& row : more) {
      change(row);
      rows.push_back(std::move(row));
    }
  };
  const auto as_is = [](OpCase&) {};
  const auto distinct = [](OpCase& row) { row.distinct = true; };
  const auto away_from_0 = [](OpCase& row) { row.kinks = {0}; };
  const Reduce unbiased = [](const Var& x, const Axes& axes, bool keepdims) {
    return var(x, axes, keepdims);
  };
  const Reduce biased = [](const Var& x, const Axes& axes, bool keepdims) {
    return var(x, axes, keepdims, 0);
  };
  append(reduction("sum", reel::sum, sum_of, true), as_is);
  append(reduction("mean", reel::mean, mean_of, false), as_is);
  append(reduction("max", reel::max, max_of, false), [&](OpCase& row) {
    distinct(row);
    row.name = "max_over" + row.name.substr(3);
  });
  append(reduction("min", reel::min, min_of, false), [&](OpCase& row) {
    distinct(row);
    row.name = "min_over" + row.name.substr(3);
  });
  append(reduction("prod", reel::prod, prod_of, true), [](OpCase& row) {
    row.extremes = {-2, 0, 3};
  });
  append(reduction("var", unbiased, var_of<1>, false), [](OpCase& row) { row.ones = {}; });
  append(reduction("var", biased, var_of<0>, false), [](OpCase& row) { row.name += "_biased"; });
  append(reduction("logsumexp", reel::logsumexp, logsumexp_of, false), as_is);
  append(reduction("norm", reel::norm, norm_of, true), away_from_0);
  for (std::size_t axis : {0, 1}) {
    rows.push_back(along("softmax", axis, reel::softmax, softmax_of));
    rows.push_back(along("log_softmax", axis, reel::log_softmax, log_softmax_of));
    rows.push_back(along("cumsum", axis, reel::cumsum, cumsum_of));
  }
  rows.push_back(layer_norm_case("", {}));
  rows.push_back(layer_norm_case("_plus_row", {{1}}));
  rows.push_back(layer_norm_case("_plus_all", {{1, 1}}));
  return rows;
}

}  // namespace reel::testing
