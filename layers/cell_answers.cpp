#include <reel/autodiff/tape.hpp>
#include <reel/layers/cell_answers.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION::detail {
namespace {

std::string state_name(std::size_t part) { return fmt::format("state part {}", part); }

// "[2, 0, 3]" for an element of an array.
std::string position(const Array& array, std::size_t element) {
  Shape at(array.dimension());
  for (std::size_t axis = array.dimension(); axis-- > 0;) {
    at[axis] = element % array.shape(axis);
    element /= array.shape(axis);
  }
  return fmt::format("{}", at);
}

CellDifference difference(const CellAnswer& got, const Array& expected) {
  if (shape_of(got.array) != shape_of(expected))
    return {INFINITY, fmt::format("{} must be {}; got {}", got.name, shape_of(expected),
                                  shape_of(got.array))};
  // An array of numbers that are all but zero is measured as one of 0.01.
  double largest = 1e-2, worst = -1;
  std::size_t at = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double e = expected.data()[i], g = got.array.data()[i];
    if (std::isfinite(e)) largest = std::max(largest, std::abs(e));
    const double d = std::isfinite(g - e) ? std::abs(g - e) : INFINITY;
    if (d > worst) worst = d, at = i;
  }
  if (worst <= 0) return {};
  return {worst / largest,
          fmt::format("{} at {} must be {:.6g}; got {:.6g}", got.name, position(expected, at),
                      expected.data()[at], got.array.data()[at])};
}

}  // namespace

Array rows_of(const Array& array, std::size_t axis, const Rows& rows) {
  if (rows.empty()) return array;
  const PauseRecording pause;
  const Var all = array;
  Vars chosen;
  for (const std::size_t row : rows)
    chosen.push_back(slice(all, static_cast<std::ptrdiff_t>(axis), static_cast<std::ptrdiff_t>(row),
                           static_cast<std::ptrdiff_t>(row) + 1));
  return concat(chosen, static_cast<std::ptrdiff_t>(axis)).value();
}

CellProblem CellProblem::rows(const Rows& rows) const {
  CellProblem some{rows_of(x, 1, rows), {}, {}, {}, {}};
  for (const std::size_t row : rows)
    if (!lengths.empty()) some.lengths.push_back(lengths[row]);
  for (const Array& part : state) some.state.push_back(rows_of(part, 0, rows));
  for (const Array& part : d_final) some.d_final.push_back(rows_of(part, 0, rows));
  for (const Array& d : d_outputs) some.d_outputs.push_back(rows_of(d, 1, rows));
  return some;
}

CellAnswers answers_of(std::span<const NamedParameter> parameters, const CellProblem& problem,
                       const CellRun& run) {
  for (const NamedParameter& p : parameters) p.parameter->zero_grad();
  CellAnswers answers;
  Tape tape;
  const Var x = tape.leaf(problem.x);
  Vars state;
  for (const Array& part : problem.state) state.push_back(tape.leaf(part));
  const LayerRun result = run(x, state);
  answers.push_back({"outputs", result.outputs.value(), 1});
  Var loss = sum(result.outputs * Var(problem.d_outputs.front()));
  for (std::size_t i = 0; i < result.state.size(); ++i) {
    answers.push_back({"final " + state_name(i), result.state[i].value(), 0});
    loss = loss + sum(result.state[i] * Var(problem.d_final[i]));
  }
  if (loss.is_recorded()) tape.backward(loss);
  answers.push_back({"the gradient of x", x.grad(), 1});
  for (std::size_t i = 0; i < state.size(); ++i)
    answers.push_back({"the gradient of initial " + state_name(i), state[i].grad(), 0});
  for (const NamedParameter& p : parameters)
    answers.push_back({"the gradient of " + p.name, p.parameter->grad(), {}});
  for (const NamedParameter& p : parameters) p.parameter->zero_grad();
  return answers;
}

CellAnswers values_of(const CellProblem& problem, const CellRun& run) {
  const PauseRecording pause;
  const LayerRun result = run(problem.x, Vars(problem.state.begin(), problem.state.end()));
  CellAnswers answers{{"outputs", result.outputs.value(), 1}};
  for (std::size_t i = 0; i < result.state.size(); ++i)
    answers.push_back({"final " + state_name(i), result.state[i].value(), 0});
  return answers;
}

GradcheckResult check_derivatives(std::span<const NamedParameter> parameters, int orders,
                                  const std::function<CellProblem()>& problem,
                                  const std::function<CellRun(const CellProblem&)>& run) {
  GradcheckResult first;
  int wrong = 0;
  for (const double step : {1e-4, 2e-5, 2e-5}) {
    const CellProblem p = problem();
    const CellRun run_p = run(p);
    Parameter x(p.x);
    x.name = "x";
    std::vector<Parameter> state(p.state.begin(), p.state.end());
    std::vector<Parameter*> all{&x};
    for (std::size_t i = 0; i < state.size(); ++i) {
      state[i].name = "initial " + state_name(i);
      all.push_back(&state[i]);
    }
    for (const NamedParameter& p : parameters) {
      p.parameter->name = p.name;
      if (p.parameter->trainable) all.push_back(p.parameter);
    }
    const auto results = [&](std::span<const Var>) {
      const LayerRun made = run_p(x, Vars(state.begin(), state.end()));
      Vars flat{reshape(made.outputs, {-1})};
      for (const Var& part : made.state) flat.push_back(reshape(part, {-1}));
      return concat(flat, 0);
    };
    GradcheckResult result = gradcheck(results, {}, all, {.orders = orders, .step = step});
    if (result.ok && wrong == 0) return result;
    if (!result.ok && ++wrong == 1) first = std::move(result);
    if (wrong > 1) return first;
  }
  first.ok = true;
  return first;
}

CellAnswers values_of(const CellAnswers& answers) {
  CellAnswers values;
  for (const CellAnswer& answer : answers)
    if (!answer.name.starts_with("the gradient")) values.push_back(answer);
  return values;
}

CellAnswers rows_of(const CellAnswers& answers, const Rows& rows) {
  CellAnswers some = answers;
  for (CellAnswer& answer : some)
    if (answer.row_axis) answer.array = rows_of(answer.array, *answer.row_axis, rows);
  return some;
}

Array from_the_end(const Array& array, const Lengths& lengths) {
  Array reversed = array;
  const std::size_t steps = array.shape(0), batch = array.shape(1);
  const std::size_t width = batch * steps > 0 ? array.size() / (batch * steps) : 0;
  for (std::size_t row = 0; row < batch; ++row)
    for (std::size_t t = 0, n = lengths.empty() ? steps : lengths[row]; t < n; ++t)
      std::copy_n(array.data() + ((n - 1 - t) * batch + row) * width, width,
                  reversed.data() + (t * batch + row) * width);
  return reversed;
}

CellDifference difference(const CellAnswers& got, const CellAnswers& expected) {
  if (got.size() != expected.size())
    return {INFINITY, fmt::format("there must be {} results; got {}", expected.size(), got.size())};
  CellDifference worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    CellDifference one = difference(got[i], expected[i].array);
    if (one.size > worst.size) worst = std::move(one);
  }
  return worst;
}

}  // namespace reel::inline REEL_PRECISION::detail
