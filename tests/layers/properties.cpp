#include "properties.hpp"

#include <reel/autodiff/tape.hpp>
#include <reel/layers/init.hpp>

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

using detail::CellAnswer;
using detail::CellAnswers;
using detail::CellProblem;
using detail::CellRun;
using detail::LayerRun;
using detail::Rows;
using detail::Vars;

// layer_norm of nearly equal numbers makes a rounding error some 300 times larger.
double rounding(const Configuration& c) {
  const bool normalises = c.cell == "lstm_all" || c.cell.find("layer_norm") != c.cell.npos;
  return (normalises ? 1 << 18 : 1 << 12) * std::numeric_limits<real>::epsilon();
}
constexpr real kNan = std::numeric_limits<real>::quiet_NaN();

Var swapped(const Var& x) { return permute(x, {1, 0, 2}); }

// A configuration's layer and a problem for it.
struct Subject {
  const Configuration c;
  std::unique_ptr<AnyLayer> layer;
  CellProblem p;

  explicit Subject(const Configuration& configuration);

  // As the configuration says, but x and outputs are [T, B, ..].
  CellRun run(const CellProblem& q, AnyLayer::Call call = {}) const {
    call.lengths = q.lengths;
    call.batch_first = c.batch_first;
    return [this, call](const Var& x, const Vars& state) {
      AnyLayer::Call one = call;
      one.state = state;
      LayerRun result = layer->run(c.batch_first ? swapped(x) : x, one);
      if (c.batch_first) result.outputs = swapped(result.outputs);
      return result;
    };
  }
  CellAnswers answers(const CellProblem& q, const CellRun& run) const {
    return detail::answers_of(layer->parameters, q, run);
  }
  CellAnswers answers(const CellProblem& q) const { return answers(q, run(q)); }
};

// Calls act(step, row) for each place past a row's end.
void for_each_padding(const CellProblem& p, auto&& act) {
  for (std::size_t row = 0; row < p.lengths.size(); ++row)
    for (std::size_t t = p.lengths[row]; t < p.steps(); ++t) act(t, row);
}

void fill_padding(CellProblem& p, real value) {
  for (Array* array : {&p.x, &p.d_outputs[0]})
    for_each_padding(p, [&](std::size_t t, std::size_t row) {
      for (std::size_t i = 0; i < array->shape(2); ++i) (*array)(t, row, i) = value;
    });
}

Subject::Subject(const Configuration& configuration)
    : c(configuration), layer(make_layer(configuration)) {
  Random random(c.seed);
  // At zero, where learned starts begin, layer_norm is too steep for finite differences.
  for (const detail::NamedParameter& named : layer->parameters)
    if (named.name.starts_with("initial_state"))
      named.parameter->mutable_value() += uniform(named.parameter->shape(), -0.5, 0.5, random);
  p.x = uniform({c.steps, c.batch, c.in}, -1, 1, random);
  p.lengths = c.lengths;
  p.d_outputs.push_back(uniform({c.steps, c.batch, layer->width()}, -1, 1, random));
  // A state that layers come to, with some noise.
  const PauseRecording pause;
  const LayerRun before = layer->run(uniform({3, c.batch, c.in}, -1, 1, random), {});
  for (const Var& part : before.state) {
    if (c.state_given)
      p.state.emplace_back(part.value() + uniform(part.shape(), -0.05, 0.05, random));
    p.d_final.push_back(uniform(part.shape(), -1, 1, random));
  }
  if (c.nan_padding) fill_padding(p, kNan);
}

std::string compared(const CellAnswers& got, const CellAnswers& expected, double tolerance) {
  const detail::CellDifference d = detail::difference(got, expected);
  return d.size <= tolerance ? "" : fmt::format("{}, off by {:.1e}", d.text, d.size);
}

void erase_parameters(CellAnswers& answers) {
  std::erase_if(answers, [](const CellAnswer& answer) { return !answer.row_axis; });
}

}  // namespace

std::string batch_is_singles(const Configuration& c) {
  const Subject s(c);
  const CellAnswers together = s.answers(s.p);
  CellAnswers sums;
  for (std::size_t row = 0; row < c.batch; ++row) {
    CellAnswers alone = s.answers(s.p.rows({row})), in_batch = detail::rows_of(together, {row});
    for (std::size_t i = 0, sum = 0; i < alone.size(); ++i) {
      if (alone[i].row_axis) continue;
      if (row == 0)
        sums.push_back(alone[i]);
      else
        sums[sum++].array += alone[i].array;
    }
    erase_parameters(alone);
    erase_parameters(in_batch);
    if (const std::string wrong = compared(in_batch, alone, rounding(c)); !wrong.empty())
      return fmt::format("row {}: {}", row, wrong);
  }
  CellAnswers of_parameters = together;
  std::erase_if(of_parameters, [](const CellAnswer& a) { return a.row_axis.has_value(); });
  return compared(of_parameters, sums, rounding(c));
}

std::string padding_changes_nothing(const Configuration& c) {
  const Subject s(c);
  CellProblem spoiled = s.p;
  fill_padding(spoiled, c.nan_padding ? real(-1e30) : kNan);
  const CellAnswers expected = s.answers(s.p);
  std::string wrong = compared(s.answers(spoiled), expected, 0);
  for_each_padding(s.p, [&](std::size_t t, std::size_t row) {
    for (const CellAnswer& answer : expected)
      for (std::size_t i = 0; answer.row_axis == 1 && i < answer.array.shape(2); ++i)
        if (answer.array(t, row, i) != 0) wrong += answer.name + " is not zero past an end; ";
  });
  if (!wrong.empty()) return wrong;

  // More of it.
  CellProblem longer = s.p;
  if (longer.lengths.empty()) longer.lengths.assign(c.batch, c.steps);
  for (Array* array : {&longer.x, &longer.d_outputs[0]}) *array = pad(Var(*array), 0, 0, 2).value();
  fill_padding(longer, kNan);
  CellAnswers got = s.answers(longer);
  for (CellAnswer& answer : got)
    if (answer.row_axis == 1)
      answer.array = slice(Var(answer.array), 0, 0, static_cast<std::ptrdiff_t>(c.steps)).value();
  return compared(got, expected, 0);
}

std::string reversed_is_reversed(const Configuration& c) {
  const Subject s(c);
  const CellAnswers got = s.answers(s.p, s.run(s.p, {.reversed = true}));
  CellProblem q = s.p;
  q.x = detail::from_the_end(q.x, c.lengths);
  q.d_outputs[0] = detail::from_the_end(q.d_outputs[0], c.lengths);
  CellAnswers expected = s.answers(q);
  for (CellAnswer& answer : expected)
    if (answer.row_axis == 1) answer.array = detail::from_the_end(answer.array, c.lengths);
  return compared(got, expected, rounding(c));
}

std::string stack_is_layer_by_layer(const Configuration& c) {
  const Subject s(c);
  const auto one_by_one = [&](const Var& x, const Vars& state) {
    return s.layer->run_by_layer(x, {.lengths = c.lengths, .state = state});
  };
  return compared(s.answers(s.p), s.answers(s.p, one_by_one), rounding(c));
}

std::string stream_is_batch(const Configuration& c) {
  const Subject s(c);
  if (!s.layer->can_stream() || c.steps == 0) return "";
  const CellAnswers batch = detail::values_of(s.p, s.run(s.p));
  const auto stream = [&](const Var& x, const Vars& state) {
    return s.layer->stream(x, state.empty() ? s.layer->initial_state(x.size(1)) : state);
  };
  if (c.lengths.empty())
    if (const std::string wrong = compared(detail::values_of(s.p, stream), batch, rounding(c));
        !wrong.empty())
      return wrong;
  for (std::size_t row = 0; row < c.batch; ++row) {
    const std::size_t length = c.lengths.empty() ? c.steps : c.lengths[row];
    if (length == 0) continue;
    const auto end = static_cast<std::ptrdiff_t>(length);
    CellProblem alone = s.p.rows({row});
    alone.x = slice(Var(alone.x), 0, 0, end).value();
    CellAnswers expected = detail::rows_of(batch, {row});
    expected[0].array = slice(Var(expected[0].array), 0, 0, end).value();
    if (const std::string wrong = compared(detail::values_of(alone, stream), expected, rounding(c));
        !wrong.empty())
      return fmt::format("row {}: {}", row, wrong);
  }
  return "";
}

std::string checkpointed_is_plain(const Configuration& c) {
  const Subject s(c);
  const CellAnswers plain = s.answers(s.p);
  for (const Checkpointing& how : {Checkpointing{}, Checkpointing{.states = 1, .block = 2}}) {
    const CellAnswers got = s.answers(s.p, s.run(s.p, {.checkpoint = how}));
    if (const std::string wrong = compared(got, plain, rounding(c)); !wrong.empty()) return wrong;
  }
  return "";
}

std::string batch_first_is_permuted(const Configuration& c) {
  Configuration other = c;
  other.batch_first = !c.batch_first;
  const Subject a(c), b(other);
  return compared(b.answers(b.p), a.answers(a.p), rounding(c));
}

std::string derivatives_are_right(const Configuration& c) {
  // A row without steps gives its initial state, where sLSTM has numbers beside which finite
  // differences vanish.
  Configuration moved = c;
  if (c.steps == 0 || std::ranges::count(c.lengths, 0u) > 0) moved.state_given = true;
  const Subject s(moved);
  const auto point = [&] {
    const Subject other(moved);
    ++moved.seed;
    return other.p;
  };
  const GradcheckResult result = detail::check_derivatives(
      s.layer->parameters, 2, point, [&](const CellProblem& p) { return s.run(p); });
  return result.ok ? "" : result.message;
}

Configuration random_configuration(Random& random, const Limits& limits) {
  const auto coin = [&] { return random.below(2) == 0; };
  const auto upto = [&](std::size_t most) { return 1 + random.below(most); };
  Configuration c;
  const std::vector<std::string> cells = cell_names();
  c.cell = cells[random.below(cells.size())];
  c.in = upto(limits.width);
  c.residual = coin();
  c.hidden.assign(upto(limits.layers), upto(limits.width));
  for (std::size_t& width : c.hidden)
    if (!c.residual) width = upto(limits.width);
  c.both_directions = coin();
  if (c.both_directions) c.merging = static_cast<Configuration::Merging>(random.below(5));
  c.learned_start = random.below(4) == 0;
  c.steps = random.below(20) == 0 ? 0 : upto(limits.steps);
  c.batch = upto(limits.rows);
  if (random.below(4) > 0)
    for (std::size_t row = 0; row < c.batch; ++row)
      c.lengths.push_back(random.below(4) == 0 ? random.below(2) * c.steps
                                               : random.below(c.steps + 1));
  c.batch_first = coin();
  c.state_given = coin();
  c.nan_padding = coin();
  c.seed = 1 + random.below(1000000);
  return c;
}

std::string violation(const Property& property, const Configuration& c) {
  try {
    return property(c);
  } catch (const std::exception& error) {
    return fmt::format("threw: {}", error.what());
  }
}

Configuration shrink(const Property& property, Configuration failing) {
  for (bool simpler = true; simpler;) {
    simpler = false;
    for (Configuration& next : failing.simpler())
      if (!violation(property, next).empty()) {
        failing = std::move(next);
        simpler = true;
        break;
      }
  }
  return failing;
}

}  // namespace reel::inline REEL_PRECISION::layer_tests
