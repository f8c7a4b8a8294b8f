#include <reel/layers/loss.hpp>

#include "model.hpp"

namespace forecast {

using namespace reel;

namespace {
constexpr real kSmallestDeviation = real(1e-3);

std::ptrdiff_t extent(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }
}  // namespace

std::vector<real> Settings::quantiles() const {
  const auto tail = static_cast<real>((1 - interval) / 2);
  return {tail, real(0.5), 1 - tail};
}

void Settings::check(const Source& source) const {
  using reel::check;
  check<Error>(input_length % patch == 0, "--patch: must divide --input; got {}, {}", patch,
               input_length);
  check<Error>(base != "season" || source.season <= input_length,
               "--base season: --input must reach back one season of {} rows; got {}",
               source.season, input_length);
  check<Error>(step <= horizon, "--step: must not exceed --horizon; got {}, {}", step, horizon);
  check<Error>(step == horizon || output != "quantile",
               "--step: quantiles are forecast at once; got {} of {} rows", step, horizon);
}

Network::Layers Network::make_layers(const Settings& settings, std::size_t width, Random& random) {
  const std::vector<std::size_t> hidden(settings.layers, settings.hidden_size);
  const StackConfig config{.dropout = settings.dropout};
  const std::size_t in = width * settings.patch;
  if (settings.cell == "lstm") return make_stack<Lstm>(in, hidden, random, config);
  if (settings.cell == "gru") return make_stack<Gru>(in, hidden, random, config);
  throw Error("cell: must be lstm or gru; got " + settings.cell);
}

Network::Network(const Settings& settings, std::size_t season, std::size_t width,
                 std::size_t targets, Random& random)
    : settings_(settings),
      season_(season),
      width_(width),
      targets_(targets),
      recurrent_(make_layers(settings, settings.shared ? width - targets + 1 : width, random)),
      dropout_(settings.dropout) {
  const std::size_t out = settings.step * settings.numbers();
  for (std::size_t k = 0; k < targets; ++k) {
    heads_.emplace_back(settings.hidden_size, out, random);
    heads_[k].weight.mutable_value().fill(0);  // at first the base forecast alone
    if (settings.linear == "none") continue;
    linears_.emplace_back(settings.input_length, out, random);
    linears_[k].weight.mutable_value().fill(0);
  }
}

void Network::start_linear(const std::vector<Matrix>& weights) {
  const std::size_t length = settings_.input_length, numbers = settings_.numbers();
  for (std::size_t k = 0; k < targets_; ++k) {
    Array& map = linears_[k].weight.mutable_value();  // [step numbers, T]
    Array& bias = linears_[k].bias.mutable_value();
    for (std::size_t i = 0; i < settings_.step; ++i)
      for (std::size_t n = 0; n < (settings_.output == "gaussian" ? 1 : numbers); ++n) {
        const std::size_t row = i * numbers + n;
        double sum = 0;
        for (std::size_t t = 0; t < length; ++t) {
          map(row, t) = static_cast<real>(weights[k][t][i]);
          sum += weights[k][t][i];
        }
        bias(row) = static_cast<real>(weights[k][length][i]);
        // They were fitted to differences from the last value, as `base last` has it.
        if (settings_.base == "season") map(row, length - season_ + i % season_) -= 1;
        if (settings_.base == "none") map(row, length - 1) += static_cast<real>(1 - sum);
      }
  }
}

// The plain forecast of each of the next rows [step, B, K], from the window's values [T, B, K].
Var Network::base(const Var& values) const {
  const std::ptrdiff_t length = extent(settings_.input_length), season = extent(season_);
  std::vector<Var> rows;
  for (std::ptrdiff_t i = 0; i < extent(settings_.step); ++i)
    rows.push_back(
        index(values, 0, settings_.base == "season" ? length - season + i % season : length - 1));
  return stack(rows, 0);
}

// The steps of the recurrent layer [T / patch, rows, patch width]: a row for each window, or for
// each target of each window; from x [T, B, F].
Var Network::recurrent_inputs(const Var& x) const {
  const std::ptrdiff_t length = extent(settings_.input_length), batch = extent(x.size(1)),
                       targets = extent(targets_), width = extent(width_),
                       patch = extent(settings_.patch);
  Var rows = x;
  if (settings_.shared && targets_ > 1) {
    rows = reshape(slice(x, 2, 0, targets), {length, batch, targets, 1});
    if (width > targets) {
      const Var others = reshape(slice(x, 2, targets, width), {length, batch, 1, width - targets});
      rows = concat({rows, expand(others, {x.size(0), x.size(1), targets_, width_ - targets_})}, 3);
    }
  }
  rows = reshape(rows, {length / patch, patch, -1, settings_.shared ? width - targets + 1 : width});
  return reshape(permute(rows, {0, 2, 1, 3}), {length / patch, extent(rows.size(2)), -1});
}

// [B, step numbers] of each target, from x [T, B, F], side by side [B, K, step numbers].
Var Network::correction(const Var& x, Random* random) const {
  const Var last = std::visit(
      [&](const auto& layers) {
        return layers(recurrent_inputs(x), {.all_outputs = false, .random = random}).last();
      },
      recurrent_);
  const Var features = dropout_(last, random);
  const bool own = settings_.shared && targets_ > 1;
  const Var each = own ? reshape(features, {extent(x.size(1)), extent(targets_), -1}) : features;
  std::vector<Var> results;
  for (std::size_t k = 0; k < targets_; ++k) {
    Var result = heads_[k](own ? index(each, 1, extent(k)) : each);
    if (!linears_.empty()) result = result + linears_[k](transpose(index(x, 2, extent(k))));
    results.push_back(result);
  }
  return stack(results, 1);
}

Var Network::operator()(const Var& x, Random* random) const {
  const std::ptrdiff_t targets = extent(targets_), width = extent(width_);
  const Var values = slice(x, 2, 0, targets);
  const bool level = settings_.base != "none";
  const Var last =
      slice(values, 0, extent(settings_.input_length) - 1, extent(settings_.input_length));
  const Var differences = level ? Var(values - last) : values;
  const Var inputs =
      targets == width ? differences : concat({differences, slice(x, 2, targets, width)}, 2);

  const std::ptrdiff_t batch = extent(x.size(1)), step = extent(settings_.step);
  Var result =
      reshape(correction(inputs, random), {batch, targets, step, extent(settings_.numbers())});
  result = permute(result, {2, 0, 1, 3});
  const Var plain = level ? reshape(base(values), {step, batch, targets, 1}) : zeros({1, 1, 1, 1});
  if (settings_.output != "gaussian") return result + plain;
  const auto [mean, raw] = reel::split<2>(result);
  return concat({mean + plain, softplus(raw) + kSmallestDeviation}, 3);
}

Var Network::loss(const Var& output, const Var& y, const std::string& kind) const {
  if (settings_.output == "quantile") return quantile_loss(output, y, settings_.quantiles());
  if (settings_.output == "gaussian")
    return gaussian_nll(index(output, 3, 0), square(index(output, 3, 1)), y);
  const Var points = index(output, 3, 0);
  if (kind == "mae") return mae(points, y);
  if (kind == "huber") return huber(points, y);
  return mse(points, y);
}

}  // namespace forecast
