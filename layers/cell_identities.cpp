// What must hold of every cell, whatever it computes.
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cell_checker.hpp>

#include <numeric>

namespace reel::inline REEL_PRECISION::detail {
namespace {

using Outcome = CellCheck::Outcome;

}  // namespace

Finding CellChecker::one_step() {
  CellProblem p = problem(kFull);
  p.lengths.clear();
  for (Array* steps : {&p.x, &p.d_outputs[0]}) *steps = slice(Var(*steps), 0, 0, 1).value();
  const CellAnswers got = answers(p);
  const auto by_hand = [&](bool plain) {
    return [this, plain](const Var& x, const Vars& state) {
      const Var first = index(x, 0, 0);
      const Vars next = plain ? *cell_->plain_step(first, state) : cell_->step(first, state);
      return LayerRun{reshape(next[0], {1, static_cast<std::ptrdiff_t>(x.size(1)), -1}), next};
    };
  };
  const Finding found = compare(got, answers(p, by_hand(false)), p);
  const bool both =
      cell_->plain_step(index(Var(p.x), 0, 0), Vars(p.state.begin(), p.state.end())).has_value();
  return both ? worse(found, compare(got, answers(p, by_hand(true)), p)) : found;
}

Finding CellChecker::split() {
  Finding found = exact();
  for (const Lengths& lengths : {kRagged, kFull}) {
    const CellProblem p = problem(lengths);
    constexpr std::ptrdiff_t kCut = 2;
    Lengths before, after;
    for (const std::size_t length : lengths) {
      before.push_back(std::min<std::size_t>(length, kCut));
      after.push_back(length - before.back());
    }
    const auto in_two = [&](const Var& x, const Vars& state) {
      const auto a = cell_->layer(reel::slice(x, 0, 0, kCut), {.lengths = before, .state = state});
      const auto b =
          cell_->layer(reel::slice(x, 0, kCut, kSteps), {.lengths = after, .state = a.state});
      return LayerRun{concat({a.outputs, b.outputs}, 0), b.state};
    };
    found = worse(found, compare(answers(p, in_two), answers(p), p));
  }
  return found;
}

Finding CellChecker::rows() {
  Finding found = exact();
  for (const Lengths& lengths : {kRagged, kFull}) {
    const CellProblem p = problem(lengths);
    const CellAnswers together = answers(p);
    CellAnswers sums;
    for (std::size_t row = 0; row < p.batch(); ++row) {
      const CellProblem alone = p.rows({row});
      CellAnswers got = rows_of(together, {row}), expected = answers(alone);
      const auto of_parameter = [](const CellAnswer& a) { return !a.row_axis; };
      for (std::size_t i = 0, sum = 0; i < expected.size(); ++i) {
        if (!of_parameter(expected[i])) continue;
        if (row == 0)
          sums.push_back(expected[i]);
        else
          sums[sum++].array += expected[i].array;
      }
      std::erase_if(got, of_parameter);
      std::erase_if(expected, of_parameter);
      Finding one = compare(got, expected, p);
      if (one.outcome == Outcome::kFailed)
        return failed(fmt::format("row {} alone gives something else: {}", row, one.message));
      found = worse(found, one);
    }
    CellAnswers of_all = together;
    std::erase_if(of_all, [](const CellAnswer& a) { return a.row_axis.has_value(); });
    found = worse(found, compare(of_all, sums, p));
  }
  const Vars three = cell_->initial_state(3), one = cell_->initial_state(1);
  for (std::size_t i = 0; i < three.size(); ++i)
    for (std::size_t row = 0; row < 3; ++row)
      if (rows_of(three[i].value(), 0, {row}) != Array(one[i].value()))
        return failed(fmt::format(
            "row {} of part {} of initial_state(3) must be that of initial_state(1)", row, i));
  return found;
}

Finding CellChecker::row_order() {
  Finding found = exact();
  for (const Lengths& lengths : {kRagged, Lengths(5, kSteps)}) {
    const CellProblem p = problem(lengths);
    const Rows order{4, 2, 0, 3, 1};
    const CellProblem q = p.rows(order);
    found = worse(found, compare(answers(q), rows_of(answers(p), order), q));
  }
  return found;
}

Finding CellChecker::padding() {
  const CellProblem p = problem(kRagged);
  const CellAnswers expected = answers(p);
  constexpr real kNan = std::numeric_limits<real>::quiet_NaN();
  const auto spoil = [&](Array& array) {
    for (std::size_t t = 0; t < array.shape(0); ++t)
      for (std::size_t row = 0; row < p.batch(); ++row)
        for (std::size_t i = 0; t >= p.lengths[row] && i < array.shape(2); ++i)
          array(t, row, i) = kNan;
  };
  CellProblem spoiled = p;
  spoil(spoiled.x);
  spoil(spoiled.d_outputs[0]);
  Finding found = compare(answers(spoiled), expected, p, true);

  // The cell run over the padding too, rows that have ended keeping their state.
  const auto masked = [&](const Var& x, Vars state) {
    std::vector<Array> current;
    for (const Var& part : state) current.emplace_back(part.value());
    Array outputs = full_array({p.steps(), p.batch(), current[0].shape(1)}, 0);
    for (std::size_t t = 0; t < p.steps(); ++t) {
      const Vars next = cell_->step(index(x, 0, static_cast<std::ptrdiff_t>(t)),
                                    Vars(current.begin(), current.end()));
      for (std::size_t i = 0; i < next.size(); ++i) {
        const Array all = next[i].value();
        const std::size_t width = all.size() / p.batch();
        for (std::size_t row = 0; row < p.batch(); ++row) {
          if (t >= p.lengths[row]) continue;
          std::copy_n(all.data() + row * width, width, current[i].data() + row * width);
          if (i == 0) std::copy_n(all.data() + row * width, width, &outputs(t, row, 0));
        }
      }
    }
    return LayerRun{outputs, Vars(current.begin(), current.end())};
  };
  Finding by_hand = compare(values_of(spoiled, masked), values_of(p, layer(p)), p);
  if (by_hand.outcome == Outcome::kFailed)
    by_hand.message =
        "steps over a batch in which ended rows are NaN change the others: " + by_hand.message;
  return worse(found, by_hand);
}

Finding CellChecker::length_zero() {
  const CellProblem p = problem({2, 0, 3, 0}), none = problem({0, 0});
  Finding found = exact();
  for (const auto& [q, rows] : {std::pair(p, Rows{1, 3}), std::pair(none, Rows{0, 1})}) {
    CellAnswers got = answers(q), expected = got;
    for (CellAnswer& answer : expected) {
      if (answer.name == "outputs" || answer.name == "the gradient of x") answer.array.fill(0);
      for (std::size_t i = 0; i < q.state.size(); ++i) {
        if (answer.name == fmt::format("final state part {}", i)) answer.array = q.state[i];
        if (answer.name == fmt::format("the gradient of initial state part {}", i))
          answer.array = q.d_final[i];
      }
    }
    const auto of_parameter = [](const CellAnswer& a) { return !a.row_axis; };
    std::erase_if(got, of_parameter);
    std::erase_if(expected, of_parameter);
    found = worse(found, compare(rows_of(got, rows), rows_of(expected, rows), q, true));
  }
  return found;
}

Finding CellChecker::initial_state() {
  const CellProblem p = problem(kRagged);
  const Vars own = cell_->initial_state(p.batch());
  CellProblem start = p;
  for (std::size_t i = 0; i < own.size(); ++i) start.state[i] = Array(own[i].value());
  const auto not_given = [&](const Var& x, const Vars&) {
    return cell_->layer(x, {.lengths = p.lengths});
  };
  const Finding found = compare(values_of(p, not_given), values_of(start, layer(start)), p);
  if (found.outcome == Outcome::kFailed)
    return failed("none given must be the cell's own: " + found.message);
  if (options_.forgets) return found;

  // One step, where a state that is read has most effect.
  CellProblem a = p;
  a.lengths.assign(p.batch(), 1);
  CellProblem b = a;
  for (std::size_t i = 0; const Var& part : reached_state(p.batch())) b.state[i++] = part.value();
  const CellAnswers of_a = values_of(a, layer(a)), of_b = values_of(b, layer(b));
  for (std::size_t row = 0; row < p.batch(); ++row)
    if (difference(rows_of(of_b, {row}), rows_of(of_a, {row})).size == 0)
      return failed(fmt::format(
          "the layer, started from two different states, gives the same output and the same state "
          "after a step: step does not read the state it is given (a cell that is meant to forget "
          "says so: .forgets = true); row {}, input {}",
          row, in_));
  return found;
}

Finding CellChecker::reversed() {
  Finding found = exact();
  for (const Lengths& lengths : {kRagged, kFull}) {
    const CellProblem p = problem(lengths);
    const CellAnswers got = answers(p, layer(p, {.reversed = true}));
    CellProblem q = p;
    q.x = from_the_end(p.x, lengths);
    q.d_outputs[0] = from_the_end(p.d_outputs[0], lengths);
    CellAnswers expected = answers(q);
    for (CellAnswer& answer : expected)
      if (answer.row_axis == 1) answer.array = from_the_end(answer.array, lengths);
    found = worse(found, compare(got, expected, p));
  }
  return found;
}

Finding CellChecker::streaming() {
  const CellProblem p = problem(kFull);
  const CellAnswers batch = values_of(p, layer(p));
  Finding found = exact();
  const auto compare_all = [&](const CellRun& run) {
    found = worse(found, compare(values_of(p, run), batch, p));
    for (std::size_t row = 0; row < p.batch(); ++row)
      found = worse(found, compare(values_of(p.rows({row}), run), rows_of(batch, {row}), p));
  };
  compare_all([&](const Var& x, const Vars& state) { return cell_->steps(x, state); });
  if (options_.streams && found.outcome == CellCheck::Outcome::kPassed)
    compare_all([&](const Var& x, const Vars& state) { return cell_->stream(x, state); });
  return found;
}

Finding CellChecker::checkpointed() {
  Finding found = exact();
  for (const Lengths& lengths : {kRagged, kFull}) {
    const CellProblem p = problem(lengths);
    const CellAnswers plain = answers(p);
    for (const Checkpointing& how :
         {Checkpointing{}, Checkpointing{.states = 1, .block = 2}, Checkpointing{.states = 0}})
      found = worse(found, compare(answers(p, layer(p, {.checkpoint = how})), plain, p));
  }
  return found;
}

Finding CellChecker::hoisting() {
  const CellProblem p = problem(kFull);
  const PauseRecording pause;
  const std::size_t rows = p.steps() * p.batch();
  const Var all = reshape(Var(p.x), {static_cast<std::ptrdiff_t>(rows), -1});
  const auto named = [&](const Vars& parts) {
    CellAnswers answers;
    for (const Var& part : parts)
      answers.push_back({fmt::format("project's part {}", answers.size()), part.value(), 0});
    return answers;
  };
  const std::optional<Vars> whole = cell_->project(all);
  if (!whole) return skipped("the cell has no project");
  for (const Var& part : *whole)
    if (part.dim() == 0 || part.size(0) != rows)
      return failed(fmt::format("project must give a row for each row of x; got {} for x {}",
                                part.shape(), all.shape()));
  Finding found = exact();
  for (const std::size_t at_once : {std::size_t{1}, p.batch()})
    for (std::size_t row = 0; row < rows; row += at_once) {
      Rows some(at_once);
      std::iota(some.begin(), some.end(), row);
      const Vars alone = *cell_->project(Array(rows_of(all.value(), 0, some)));
      Finding one = compare(named(alone), rows_of(named(*whole), some), p);
      if (one.outcome == Outcome::kFailed)
        one.message = fmt::format("rows {} to {} of {} projected alone: {}", row, row + at_once - 1,
                                  rows, one.message);
      found = worse(found, one);
    }
  return found;
}

Finding CellChecker::repeatable() {
  const CellProblem p = problem(kRagged), other = problem(kFull);
  const CellAnswers once = answers(p);
  answers(other);
  return compare(answers(p), once, p, true);
}

Finding CellChecker::recorded() {
  Finding found = exact();
  for (const Lengths& lengths : {kRagged, kFull}) {
    const CellProblem p = problem(lengths);
    found = worse(found, compare(values_of(p, layer(p)), values_of(answers(p)), p));
  }
  return found;
}

Finding CellChecker::time_order() {
  const CellProblem p = problem(kFull);
  const CellAnswers before = values_of(p, layer(p));
  Finding found = exact();
  for (std::size_t t = 1; t < p.steps(); ++t) {
    CellProblem q = p;
    for (std::size_t row = 0; row < p.batch(); ++row) q.x(t, row, 0) += 1;
    const auto past = [&](const CellAnswers& answers) {
      const Array& outputs = answers[0].array;
      return CellAnswers{
          {"outputs", slice(Var(outputs), 0, 0, static_cast<std::ptrdiff_t>(t)).value(), 1}};
    };
    Finding one = compare(past(values_of(q, layer(q))), past(before), p);
    if (one.outcome == Outcome::kFailed)
      one.message =
          fmt::format("another x at step {} changes what came before: {}", t, one.message);
    found = worse(found, one);
  }
  return found;
}

}  // namespace reel::inline REEL_PRECISION::detail
