#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {
namespace {

using Function = std::function<Var(std::span<const Var>)>;

Array random_like(const Shape& shape, Random& random) {
  Array array = empty_array(shape);
  for (real& x : array.storage()) x = static_cast<real>(random.uniform(0.5, 1.5));
  for (real& x : array.storage())
    if (random.uniform() < 0.5) x = -x;
  return array;
}

double inner(const Array& a, const Array& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double(a.data()[i]) * double(b.data()[i]);
  return sum;
}

// One problem: the arrays that vary (inputs, then parameters) and how to evaluate.
class Checker {
 public:
  Checker(const Function& f, std::vector<Array>& inputs, const std::vector<Parameter*>& parameters,
          const GradcheckOptions& options)
      : f_(f), inputs_(inputs), parameters_(parameters), options_(options), random_(options.seed) {
    for (const Array& x : inputs) directions_.push_back(random_like(shape_of(x), random_));
    for (const Parameter* p : parameters) directions_.push_back(random_like(p->shape(), random_));
    std::vector<Var> constants(inputs.begin(), inputs.end());
    weights_ = random_like(f(constants).shape(), random_);
  }

  GradcheckResult run() {
    if (weights_.size() > 0)
      for (int order = 1; order <= options_.orders; ++order)
        for (std::size_t i = 0; i < directions_.size(); ++i) check_one(order, i);
    return result_;
  }

 private:
  Array& array(std::size_t i) {
    return i < inputs_.size() ? inputs_[i] : parameters_[i - inputs_.size()]->mutable_value();
  }
  std::string name(std::size_t i) const {
    if (i < inputs_.size()) return fmt::format("input {}", i);
    const Parameter& p = *parameters_[i - inputs_.size()];
    return p.name.empty() ? fmt::format("parameter {}", i - inputs_.size()) : p.name;
  }

  // L = sum(f(x) weights), or its derivative along all directions at once.
  Var objective(Tape& tape, const std::vector<Var>& leaves, int order) {
    Var value = sum(f_(std::span(leaves).first(inputs_.size())) * Var(weights_));
    if (order == 1) return value;
    if (!value.is_recorded()) return Var(real(0));
    const std::vector<Var> slopes = tape.gradients(value, leaves, {.create_graph = true});
    Var along = real(0);
    for (std::size_t i = 0; i < slopes.size(); ++i)
      along = along + sum(slopes[i] * Var(directions_[i]));
    return along;
  }
  std::vector<Var> leaves(Tape& tape) {
    std::vector<Var> all;
    for (const Array& x : inputs_) all.push_back(tape.leaf(x));
    for (const Parameter* p : parameters_) all.emplace_back(*p);
    return all;
  }

  double value(int order) {
    Tape tape;
    return objective(tape, leaves(tape), order).item();
  }

  double numeric(int order, std::size_t i) {
    struct Restore {
      Checker& checker;
      const std::size_t i;
      const Array saved;
      ~Restore() { checker.array(i) = saved; }
    };
    const Restore restore{*this, i, array(i)};
    const Array& saved = restore.saved;
    const auto at = [&](double steps) {
      Array& moved = array(i);
      for (std::size_t j = 0; j < saved.size(); ++j)
        moved.data()[j] =
            saved.data()[j] + static_cast<real>(steps * options_.step) * directions_[i].data()[j];
      return value(order);
    };
    const double slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * options_.step);
    return slope;
  }

  double backward(int order, std::size_t i) {
    for (const Parameter* p : parameters_) p->zero_grad();
    Tape tape;
    const std::vector<Var> all = leaves(tape);
    const Var y = objective(tape, all, order);
    if (!y.is_recorded()) return 0;
    tape.backward(y);
    const Array slope =
        i < inputs_.size() ? all[i].grad() : Array(parameters_[i - inputs_.size()]->grad());
    for (const Parameter* p : parameters_) p->zero_grad();
    return inner(slope, directions_[i]);
  }

  double gradients(int order, std::size_t i) {
    Tape tape;
    const std::vector<Var> all = leaves(tape);
    const Var y = objective(tape, all, order);
    if (!y.is_recorded()) return 0;
    return inner(tape.gradients(y, {all[i]}, {.create_graph = true})[0].value(), directions_[i]);
  }

  void check_one(int order, std::size_t i) {
    const double expected = numeric(order, i);
    compare("backward", backward(order, i), expected, order, i);
    compare("gradients", gradients(order, i), expected, order, i);
  }

  void compare(const char* by, double analytic, double expected, int order, std::size_t i) {
    const double error = std::abs(analytic - expected) / (1 + std::abs(expected));
    result_.worst = std::max(result_.worst, error);
    if (error <= options_.tolerance) return;
    if (!std::exchange(result_.ok, false)) result_.message += "; ";
    result_.message += fmt::format(
        "{}: derivative of order {} with respect to {}: got {:.12g}, "
        "finite differences give {:.12g}",
        by, order, name(i), analytic, expected);
  }

  const Function& f_;
  std::vector<Array>& inputs_;
  const std::vector<Parameter*>& parameters_;
  const GradcheckOptions& options_;
  Random random_;
  std::vector<Array> directions_;
  Array weights_;
  GradcheckResult result_;
};

}  // namespace

GradcheckResult gradcheck(const Function& f, std::vector<Array> inputs,
                          const std::vector<Parameter*>& parameters,
                          const GradcheckOptions& options) {
  return Checker(f, inputs, parameters, options).run();
}

}  // namespace reel::inline REEL_PRECISION
