#include "random_graph.hpp"

#include <array>

#include "tensor.hpp"

namespace reel::testing {
namespace {

constexpr std::size_t kWeights = 4;

std::ptrdiff_t signed_of(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

// Grows a program step by step. All choices depend on the seed and on shapes alone.
class Program {
 public:
  Program(std::uint64_t seed, std::span<const Var> leaves, bool stops)
      : random_(seed), values_(leaves.begin(), leaves.end()), stops_(stops) {}

  void step() {
    const Var x = any();
    using Step = void (Program::*)(const Var&);
    static constexpr std::array<Step, 25> kSteps{
        &Program::unary,      &Program::binary,   &Program::binary,  &Program::binary,
        &Program::formula,    &Program::formula,  &Program::add_row, &Program::two_valued,
        &Program::two_valued, &Program::cut,      &Program::cut,     &Program::divide,
        &Program::divide,     &Program::turn,     &Program::refold,  &Program::join,
        &Program::join,       &Program::product,  &Program::product, &Program::product,
        &Program::reduce,     &Program::by_index, &Program::mirror,  &Program::look,
        &Program::normalize};
    (this->*kSteps[random_.below(kSteps.size())])(x);
  }

  // A weighted sum of some of the values.
  Var result() {
    Var sum_of_some = sum(values_.back());
    for (const Var& v : values_)
      if (chance(0.3)) sum_of_some = sum_of_some + weighted(v);
    return sum_of_some;
  }

 private:
  bool chance(double p) { return random_.uniform() < p; }
  void keep(Var v) {
    if (v.size() > 0 && v.size() <= 128 && v.dim() >= 1) values_.push_back(std::move(v));
  }
  Var any() {
    const double u = random_.uniform();
    return values_[values_.size() - 1 - static_cast<std::size_t>(u * u * double(values_.size()))];
  }
  // A value of this shape other than by force x itself; x if there is none.
  Var like(const Var& x) {
    for (int i = 0; i < 12; ++i)
      if (Var v = any(); v.shape() == x.shape()) return v;
    return x;
  }
  Var weighted(const Var& v) { return sum(v * Var(random_array(v.shape(), random_, 0.5, 1.5))); }

  void unary(const Var& x) {
    switch (random_.below(4)) {
      case 0:
        return keep(tanh(x));
      case 1:
        return keep(sigmoid(x));
      case 2:
        return keep(sin(x));
      default:
        return keep((stops_ ? detach(x) : x) * x);
    }
  }
  void binary(const Var& x) {
    const Var y = like(x);
    switch (random_.below(3)) {
      case 0:
        return keep(x + y);
      case 1:
        return keep(x - y);
      default:
        return keep(tanh(x) * y);
    }
  }
  void add_row(const Var& x) {
    const Var row = index(x, 0, 0);
    keep(chance(0.5) ? x + row : row * tanh(x));
  }
  // Several ops as one, on values of any kinship.
  void formula(const Var& x) {
    const Var y = like(x), z = like(x);
    switch (random_.below(4)) {
      case 0:
        return keep(sigmoid(x) * y + tanh(z) * sin(y));
      case 1:
        return keep((1 - y) * tanh(x) + y * z);
      case 2:
        return keep(0.5 * (x + index(x, 0, 0)) * y - z);
      default:
        return keep(x * y + tanh(0.3 * index(x, 0, 0)) * z);
    }
  }
  void two_valued(const Var& x) {
    auto [a, b] = pointwise(
        [](auto u, auto v, auto w) {
          return std::tuple{tanh(u) * v + w, v - 0.5 * w};
        },
        x, like(x), like(x));
    if (chance(0.8)) keep(a);
    if (chance(0.6)) keep(b);
  }
  void cut(const Var& x) {
    const std::size_t axis = random_.below(x.dim()), n = x.shape()[axis];
    const std::size_t begin = random_.below(n), end = begin + 1 + random_.below(n - begin);
    keep(slice(x, signed_of(axis), signed_of(begin), signed_of(end),
               signed_of(1 + random_.below(2))));
    if (x.dim() > 1 && chance(0.3)) keep(index(x, signed_of(axis), signed_of(begin)));
  }
  void divide(const Var& x) {
    const std::size_t axis = random_.below(x.dim());
    std::vector<std::size_t> extents;
    for (std::size_t left = x.shape()[axis]; left > 0; left -= extents.back())
      extents.push_back(1 + random_.below(left));
    for (Var& part : split(x, extents, signed_of(axis)))
      if (chance(0.8)) keep(std::move(part));
  }
  void turn(const Var& x) {
    if (x.dim() >= 2) keep(transpose(x));
  }
  void refold(const Var& x) {
    const std::size_t n = x.size();
    keep(n % 4 == 0 ? reshape(x, {4, -1}) : n % 2 == 0 ? reshape(x, {-1, 2}) : reshape(x, {1, -1}));
  }
  void join(const Var& x) {
    const auto axis = signed_of(random_.below(x.dim()));
    const std::vector<Var> parts{x, like(x), chance(0.3) ? x : like(x)};
    keep(chance(0.8) ? concat(std::span(parts).first(2 + random_.below(2)), axis)
                     : stack(std::span(parts).first(2), axis));
  }
  // Weights meet anything with four columns; they may be leaves or results themselves.
  void product(const Var& x) {
    if (x.shape().back() != 4) return;
    Var w = values_[random_.below(kWeights)];
    if (Var other = any(); chance(0.3) && other.dim() == 2 && other.size(1) == 4) w = other;
    if (chance(0.3)) {
      if (x.dim() >= 2) keep(chance(0.5) ? matmul(x, transpose(w)) : matmul(x, values_[0]));
      return;
    }
    Var y = affine(x, w);
    if (Var c = like(y); chance(0.7) && c.shape() == y.shape()) y = affine(x, w, c);
    if (chance(0.2)) y = affine(x, w, index(w, 1, 1));
    keep(y);
  }
  void reduce(const Var& x) {
    const auto axis = signed_of(random_.below(x.dim()));
    switch (random_.below(3)) {
      case 0:
        return keep(sum(x, {axis}, true));
      case 1:
        return keep(softmax(x, axis));
      default:
        return keep(expand(mean(x, {axis}, true), x.shape()));
    }
  }
  void by_index(const Var& x) {
    Indices rows(Indices::shape_type{4});
    for (std::int64_t& r : rows) r = static_cast<std::int64_t>(random_.below(x.shape()[0] + 1)) - 1;
    keep(gather(x, rows));
  }
  void mirror(const Var& x) { keep(chance(0.5) ? flip(x, -1) : pad(x, 0, 1, 0)); }
  // Looking at a value may keep it where it is, but changes nothing else.
  void normalize(const Var& x) {
    const Var y = like(x);
    const Var gain = index(reshape(chance(0.5) ? x : y, {-1, signed_of(x.size(-1))}), 0, 0);
    const std::array<Var, 4> c{Var(), y, gain, x};
    keep(layer_norm(x, gain, c[random_.below(4)], 1));
  }
  void look(const Var& x) { static_cast<void>(x.value()); }

  Random random_;
  std::vector<Var> values_;
  bool stops_;
};

}  // namespace

std::vector<Shape> program_leaves() {
  return {{4, 4}, {4, 4}, {2, 4}, {6, 4}, {4, 4}, {3, 4}, {4}};
}

Var run_program(std::uint64_t seed, std::span<const Var> leaves, std::size_t steps, bool stops) {
  Program program(seed, leaves, stops);
  for (std::size_t i = 0; i < steps; ++i) program.step();
  return program.result();
}

std::vector<Shape> recurrence_leaves() {
  return {{12, 5}, {8, 5}, {8, 4}, {8}, {3, 4}};  // x, w_x, w_h, bias, state
}

Var run_recurrence(std::uint64_t seed, std::span<const Var> leaves) {
  Random random(seed);
  const auto chance = [&](double p) { return random.uniform() < p; };
  const Var w_x = leaves[1], w_h = chance(0.3) ? tanh(leaves[2]) : leaves[2], bias = leaves[3];
  const bool again = chance(0.3);  // the input product is read elsewhere too
  Var projected = chance(0.5) ? affine(leaves[0], w_x, bias) : affine(leaves[0], w_x),
      early = real(0);
  if (chance(0.4)) {
    const std::array<Var, 2> halves{tanh(slice(projected, 0, 0, 7)),
                                    sin(slice(projected, 0, 7, 12))};
    early = sum(square(halves[0]));
    projected = concat(halves, 0);
  }
  std::vector<Var> steps = split(projected, std::array<std::size_t, 5>{3, 3, 2, 2, 2}, 0);
  Var h = leaves[4], extra = early;
  std::vector<Var> outputs, finished;
  for (Var& step : steps) {
    if (step.size(0) < h.size(0)) {
      auto parts = split(h, std::array<std::size_t, 2>{2, 1}, 0);
      h = parts[0];
      if (chance(0.7)) finished.push_back(parts[1]);
    }
    if (chance(0.2)) extra = extra + sum(square(step));
    Var gates = affine(h, w_h, std::move(step));
    if (chance(0.2)) extra = extra + sum(tanh(gates));
    if (chance(0.2)) gates = affine(h, w_h, gates);
    auto [a, b] = split<2>(gates);
    if (chance(0.2)) extra = extra + sum(square(a));
    if (chance(0.5)) {
      h = pointwise([](auto g, auto v, auto s) { return sigmoid(g) * s + tanh(v); }, a, b, h);
    } else {
      auto [next, other] = pointwise(
          [](auto g, auto v, auto s) {
            return std::tuple{sigmoid(g) * s + tanh(v), g * v};
          },
          a, b, h);
      if (chance(0.5)) extra = extra + sum(other);
      h = next;
    }
    if (chance(0.8)) outputs.push_back(h);
    if (chance(0.2)) outputs.push_back(b);
    if (chance(0.1)) outputs.push_back(gather(b, Indices{0, 0}));
  }
  if (again) extra = extra + sum(square(projected));
  if (!finished.empty()) extra = extra + sum(sin(concat(finished, 0)));
  if (outputs.empty()) return sum(h) + extra;
  Var all = concat(outputs, 0);
  if (chance(0.5)) all = all + tanh(all);
  if (chance(0.3)) extra = extra + sum(all * all);
  const Var weights = random_array(all.shape(), random, 0.5, 1.5);
  return sum(all * weights) + sum(square(h)) + extra;
}

}  // namespace reel::testing
