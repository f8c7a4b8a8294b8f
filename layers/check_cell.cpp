#include <reel/autodiff/parameter_scope.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cell_checker.hpp>
#include <reel/layers/init.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {
namespace detail {
namespace {

using Outcome = CellCheck::Outcome;

std::string describe(const CellProblem& p) {
  std::string lengths;
  for (const std::size_t length : p.lengths) lengths += fmt::format(" {}", length);
  return fmt::format("{} steps, {} rows{}{}, input {}", p.steps(), p.batch(),
                     lengths.empty() ? "" : " of lengths", lengths, p.x.shape(2));
}

}  // namespace

template <class Check>
bool CellChecker::check(const char* name, const char* rule, Check&& check) {
  Finding found;
  try {
    found = check();
  } catch (const std::exception& error) {
    found = failed(fmt::format("threw: {}", error.what()));
  }
  report_.checks.push_back({name, rule, found.outcome, std::move(found.message)});
  return found.outcome != Outcome::kFailed;
}

Finding CellChecker::compare(const CellAnswers& got, const CellAnswers& expected,
                             const CellProblem& p, bool bits) const {
  const CellDifference d = difference(got, expected);
  if (d.size == 0) return exact();
  if (!bits && d.size <= options_.rounding)
    return {Outcome::kPassed, fmt::format("to {:.1e}", d.size), d.size};
  return failed(fmt::format("{}, which is off by {:.1e} of the largest there; {}", d.text, d.size,
                            describe(p)));
}

bool CellChecker::takes(std::size_t width) const {
  const PauseRecording pause;
  const Vars state = cell_->initial_state(1), next = cell_->step(zeros({1, width}), state);
  bool same = next.size() == state.size();
  for (std::size_t i = 0; same && i < state.size(); ++i) same = next[i].shape() == state[i].shape();
  return same;
}

void CellChecker::find_input() {
  in_ = options_.input;
  if (in_ > 0) return;
  std::vector<std::size_t> widths;
  for (const NamedParameter& p : cell_->parameters)
    if (p.parameter->value().dimension() == 2) widths.push_back(p.parameter->shape()[1]);
  for (const NamedParameter& p : cell_->parameters)
    for (const std::size_t extent : p.parameter->shape()) widths.push_back(extent);
  std::string error;
  for (const std::size_t width : widths) try {
      if (takes(width)) {
        in_ = width;
        return;
      }
      if (in_ == 0) in_ = width;  // a step works, though it changes a shape
    } catch (const std::exception& e) {
      if (error.empty()) error = fmt::format("; with x [1, {}] it says: {}", width, e.what());
    }
  reel::check<Error>(in_ > 0,
                     "check_cell: a step must work for a width of x found among the extents of the "
                     "cell's parameters, or named as .input{}",
                     error);
}

// A state that the cell comes to, so that it is one that it can be in.
Vars CellChecker::reached_state(std::size_t batch) {
  const PauseRecording pause;
  Vars state = cell_->initial_state(batch);
  for (int t = 0; t < 3; ++t) state = cell_->step(uniform({batch, in_}, -1, 1, random_), state);
  for (Var& part : state)
    part = Array(part.value() + uniform(part.shape(), -options_.noise, options_.noise, random_));
  return state;
}

CellProblem CellChecker::problem(const Lengths& lengths) {
  const std::size_t batch = lengths.size();
  CellProblem p{uniform({kSteps, batch, in_}, -1, 1, random_), lengths, {}, {}, {}};
  for (const Var& part : reached_state(batch)) {
    p.state.emplace_back(part.value());
    p.d_final.push_back(uniform(part.shape(), -1, 1, random_));
  }
  p.d_outputs.push_back(uniform({kSteps, batch, p.state.front().shape(1)}, -1, 1, random_));
  return p;
}

CellRun CellChecker::layer(const CellProblem& p, AnyCell::Call call) const {
  call.lengths = p.lengths;
  return [this, call](const Var& x, const Vars& state) {
    AnyCell::Call one = call;
    one.state = state;
    return cell_->layer(x, one);
  };
}

Finding CellChecker::state_shapes() {
  const PauseRecording pause;
  for (const std::size_t batch : {std::size_t{1}, std::size_t{3}}) {
    const Vars state = cell_->initial_state(batch);
    if (state.empty()) return failed("the state has no part");
    for (std::size_t i = 0; i < state.size(); ++i) {
      const Shape& shape = state[i].shape();
      if (shape.empty() || shape[0] != batch)
        return failed(fmt::format("part {} of initial_state({}) must be [{}, ..]; got {}", i, batch,
                                  batch, shape));
    }
    if (state[0].dim() != 2)
      return failed(fmt::format(
          "the first part of the state is the output and must be [batch, width]; got {}",
          state[0].shape()));
    const Vars next = cell_->step(uniform({batch, in_}, -1, 1, random_), state);
    if (next.size() != state.size())
      return failed(fmt::format("step must keep the {} parts of the state; got {}", state.size(),
                                next.size()));
    for (std::size_t i = 0; i < state.size(); ++i)
      if (next[i].shape() != state[i].shape())
        return failed(fmt::format("step must keep the shape {} of state part {}; got {}",
                                  state[i].shape(), i, next[i].shape()));
  }
  std::string shapes;
  for (const Var& part : cell_->initial_state(1)) shapes += fmt::format(" {}", part.shape());
  return {Outcome::kPassed, fmt::format("input {}, state of one row{}", in_, shapes)};
}

Finding CellChecker::finite() {
  const CellProblem p = problem(kRagged);
  const Vars own = cell_->initial_state(p.batch());
  for (const bool reached : {false, true}) {
    Tape tape;
    tape.check_finite(true);
    Vars state;
    for (std::size_t i = 0; i < own.size(); ++i)
      state.push_back(tape.leaf(reached ? p.state[i] : Array(own[i].value())));
    const LayerRun run =
        cell_->layer(tape.leaf(p.x), {.lengths = p.lengths, .state = std::move(state)});
    Var loss = sum(run.outputs * Var(p.d_outputs[0]));
    for (std::size_t i = 0; i < run.state.size(); ++i)
      loss = loss + sum(run.state[i] * Var(p.d_final[i]));
    if (loss.is_recorded()) tape.backward(loss);
  }
  return {};
}

Finding CellChecker::parameters() {
  const PauseRecording pause;
  const ParameterScope scope;
  const auto& fields = cell_->parameters;
  for (std::size_t i = 0; i < fields.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (fields[i].name == fields[k].name)
        return failed(
            fmt::format("fields must name each parameter otherwise; got {} twice", fields[i].name));
  cell_->step(uniform({1, in_}, -1, 1, random_), cell_->initial_state(1));
  std::string missing;
  scope.for_each([&](const Parameter& used) {
    const auto same = [&](const NamedParameter& p) { return p.parameter == &used; };
    if (std::ranges::none_of(fields, same)) missing += fmt::format(" {}", used.shape());
  });
  if (missing.empty()) return {};
  return failed(
      fmt::format("fields must visit every parameter that a step uses, or it is neither "
                  "trained nor saved; it leaves out one of shape{}",
                  missing));
}

Finding CellChecker::recurrent_input() {
  const PauseRecording pause;
  const Vars state = reached_state(2);
  const Var x = uniform({2, in_}, -1, 1, random_);
  const Var other = uniform(state[0].shape(), -1, 1, random_);
  const std::optional<Vars> got = cell_->step_with(x, state, other);
  if (!got) return {Outcome::kPassed, "the step does not take h"};
  const Vars plain = cell_->step(x, state);
  for (std::size_t i = 0; i < plain.size(); ++i)
    if (Array((*got)[i].value()) != Array(plain[i].value())) return {};
  return failed(
      "the step takes h as its third argument but does not read it, so dropout on states "
      "would do nothing");
}

Finding CellChecker::derivatives(int order) {
  if (options_.orders < order) return skipped("not asked for");
  if (sizeof(real) < 8)
    return skipped("finite differences need double: link reel::reel64 instead of reel::reel");
  std::string at;
  const auto point = [&] {
    CellProblem p = problem({2, 0, 3});
    at = describe(p);
    return p;
  };
  const GradcheckResult result = check_derivatives(cell_->parameters, order, point,
                                                   [&](const CellProblem& p) { return layer(p); });
  if (!result.ok) return failed(fmt::format("{}; {}", result.message, at));
  if (!result.message.empty()) return {Outcome::kPassed, "at two points of three"};
  return {Outcome::kPassed, fmt::format("to {:.1e}", result.worst)};
}

void CellChecker::run(const std::function<std::unique_ptr<AnyCell>()>& make) {
  using Self = CellChecker;
  struct Entry {
    const char *name, *rule;
    Finding (Self::*check)();
  };
  static constexpr Entry kEntries[] = {
      {"finite", "no NaN or Inf comes of finite numbers, forward or backward", &Self::finite},
      {"parameters", "fields visit each parameter once, by a name of its own", &Self::parameters},
      {"recurrent input", "a step that takes h reads it", &Self::recurrent_input},
      {"one step", "the layer's step is the cell's, in both forms if it has two", &Self::one_step},
      {"split", "a sequence in two parts with the state carried is the whole", &Self::split},
      {"rows", "a row depends on its own x and state alone", &Self::rows},
      {"row order", "rows may stand in any order", &Self::row_order},
      {"padding", "what lies past a row's end is never read", &Self::padding},
      {"length zero", "a row of length zero passes its initial state on", &Self::length_zero},
      {"initial state", "the first step starts from the state that is given", &Self::initial_state},
      {"reversed", "reversed is a run over reversed rows", &Self::reversed},
      {"streaming", "step by step, for one row or several, is the batch", &Self::streaming},
      {"checkpointed", "steps computed again in backward are the same", &Self::checkpointed},
      {"hoisting", "project gives for many rows what it gives for each", &Self::hoisting},
      {"repeatable", "the same call gives the same bits", &Self::repeatable},
      {"recorded", "values do not depend on whether a tape records", &Self::recorded},
      {"time order", "no output depends on a later x", &Self::time_order},
  };
  const bool ready = check("state shapes", "parts are [batch, ..] and keep their shapes", [&] {
    cell_ = make();
    find_input();
    for (const NamedParameter& p : cell_->parameters) {
      Array& value = p.parameter->mutable_value();
      value += uniform(p.parameter->shape(), -options_.noise, options_.noise, random_);
    }
    return state_shapes();
  });
  for (const Entry& e : kEntries)
    check(e.name, e.rule,
          [&] { return ready ? (this->*e.check)() : skipped("waits for state shapes"); });
  const bool first = check("gradients", "derivatives are those of finite differences", [&] {
    return ready ? derivatives(1) : skipped("waits for state shapes");
  });
  check("second derivatives", "derivatives of derivatives are so too",
        [&] { return ready && first ? derivatives(2) : skipped("waits for gradients"); });
}

CellReport check_any_cell(const std::function<std::unique_ptr<AnyCell>()>& make,
                          const CellCheckOptions& options) {
  CellReport report;
  CellChecker(options, report).run(make);
  return report;
}

}  // namespace detail

bool CellReport::ok() const {
  return std::ranges::none_of(
      checks, [](const CellCheck& check) { return check.outcome == CellCheck::Outcome::kFailed; });
}

const CellCheck& CellReport::operator[](std::string_view name) const {
  const auto found =
      std::ranges::find_if(checks, [&](const CellCheck& check) { return check.name == name; });
  check<Error>(found != checks.end(), "check_cell: there is no check {}", name);
  return *found;
}

std::string CellReport::text() const {
  std::string text;
  for (const CellCheck& check : checks) {
    const char* outcome = check.outcome == CellCheck::Outcome::kFailed    ? "FAILED"
                          : check.outcome == CellCheck::Outcome::kSkipped ? "skipped"
                                                                          : "passed";
    text += fmt::format("{:<7} {}: {}\n", outcome, check.name, check.rule);
    if (!check.message.empty()) text += fmt::format("        {}\n", check.message);
  }
  return text;
}

}  // namespace reel::inline REEL_PRECISION
