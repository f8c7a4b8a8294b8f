#include <reel/layers/loss.hpp>

#include "model.hpp"

namespace forecast {

using namespace reel;

namespace {
constexpr real kSmallestDeviation = real(1e-3);

std::size_t patch_count(const Settings& settings) { return settings.input_length / settings.patch; }
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

Network::Network(const Settings& settings, std::size_t season, std::size_t width, std::size_t targets,
                 Random& random)
    : settings_(settings),
      season_(season),
      width_(width),
      targets_(targets),
      recurrent_(make_layers(settings, width, random)),
      dropout_(settings.dropout),
      head_(settings.hidden_size, settings.step * targets * settings.numbers(), random) {
  if (!settings.linear) return;
  const std::size_t numbers = settings.step * targets * settings.numbers();
  linear_.emplace(settings.input_length * targets, numbers, random);
  linear_->weight.value.fill(0);  // starts as the base forecast alone
}

// The plain forecast of each of the next rows [step, B, K], from the window's values [T, B, K].
Var Network::base(const Var& values) const {
  const auto length = static_cast<std::ptrdiff_t>(settings_.input_length);
  const auto season = static_cast<std::ptrdiff_t>(season_);
  std::vector<Var> rows;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(settings_.step); ++i)
    rows.push_back(
        index(values, 0, settings_.base == "season" ? length - season + i % season : length - 1));
  return stack(rows, 0);
}

// [B, step K numbers] from x [T, B, F], the first K of which are the targets.
Var Network::correction(const Var& x, Random* random) const {
  const std::size_t batch = x.size(1), steps = patch_count(settings_);
  const auto extent = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  const Var patches = reshape(
      permute(reshape(x, {extent(steps), extent(settings_.patch), extent(batch), extent(width_)}),
              {0, 2, 1, 3}),
      {extent(steps), extent(batch), -1});
  const Var last = std::visit(
      [&](const auto& layers) {
        return layers(patches, {.all_outputs = false, .random = random}).last();
      },
      recurrent_);
  const Var result = head_(dropout_(last, random));
  if (!linear_) return result;
  const Var values = slice(x, 2, 0, extent(targets_));
  return result + (*linear_)(reshape(permute(values, {1, 0, 2}), {extent(batch), -1}));
}

Var Network::operator()(const Var& x, Random* random) const {
  const auto targets = static_cast<std::ptrdiff_t>(targets_);
  const auto width = static_cast<std::ptrdiff_t>(width_);
  const Var values = slice(x, 2, 0, targets);
  const Var last = slice(values, 0, -1, static_cast<std::ptrdiff_t>(settings_.input_length));
  const bool level = settings_.base != "none";
  const Var differences = level ? Var(values - last) : values;
  const Var inputs =
      targets == width ? differences : concat({differences, slice(x, 2, targets, width)}, 2);

  const Axes extents = {static_cast<std::ptrdiff_t>(x.size(1)),
                        static_cast<std::ptrdiff_t>(settings_.step), targets,
                        static_cast<std::ptrdiff_t>(settings_.numbers())};
  const Var result = permute(reshape(correction(inputs, random), extents), {1, 0, 2, 3});
  const Var plain = level ? reshape(base(values), {extents[1], extents[0], targets, 1})
                          : zeros({1, 1, 1, 1});
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
