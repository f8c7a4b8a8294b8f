// The forecasting model: a recurrent layer over a window less its last value, whose last output
// becomes a correction of a plain forecast.
#pragma once

#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/stack.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dataset.hpp"
#include "linear.hpp"

namespace forecast {

struct Settings {
  std::size_t input_length = 36;  // rows of a window, T
  std::size_t horizon = 12;       // rows to forecast, H
  std::size_t step = 0;           // of these at once; fewer than H: rolled out. 0: all
  std::string base = "last";      // what is corrected: the last value, the last season, or none
  std::string output = "point";   // point, quantile or gaussian
  double interval = 0.8;          // share of truths that an interval should hold
  std::string cell = "lstm";      // lstm or gru
  std::size_t layers = 1;
  std::size_t hidden_size = 64;
  std::size_t patch = 1;  // rows that are one step of the recurrent layer
  bool shared = true;     // the recurrent layer reads one target at a time, by the same
                          // weights; else all at once
  // The linear map from the window that is added to the network: fitted by ridge regression before
  // the training (fit), learned with the rest (learn), or none.
  std::string linear = "fit";
  reel::real dropout = 0.1;  // between layers and of the last output

  // Numbers for each value: itself; low, middle, high; or mean and deviation.
  std::size_t numbers() const { return output == "point" ? 1 : output == "quantile" ? 3 : 2; }
  std::vector<reel::real> quantiles() const;
  // Throws reel::Error unless the parts fit each other.
  void check(const Source& source) const;
};

class Network {
 public:
  // Of windows with F inputs, the first K of which are the targets.
  Network(const Settings& settings, std::size_t season, std::size_t width, std::size_t targets,
          reel::Random& random);

  // x [T, B, F] -> [step, B, K, numbers]; random: of dropout, while training; null: inference.
  reel::Var operator()(const reel::Var& x, reel::Random* random) const;
  // The loss of such an output for y [step, B, K]: `kind` (mse, mae, huber) of points, else the
  // quantile loss or the Gaussian log-likelihood.
  reel::Var loss(const reel::Var& output, const reel::Var& y, const std::string& kind) const;

  // Puts the weights of fit_linear into the linear map, so that at first the forecast is theirs.
  void start_linear(const std::vector<Matrix>& weights);

  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& stack) { visit("recurrent", stack); }, self.recurrent_);
    for (std::size_t k = 0; k < self.heads_.size(); ++k) {
      visit("head" + std::to_string(k), self.heads_[k]);
      if (!self.linears_.empty()) visit("linear" + std::to_string(k), self.linears_[k]);
    }
  }

 private:
  using Layers = std::variant<reel::Stack<reel::Recurrent<reel::Lstm>>,
                              reel::Stack<reel::Recurrent<reel::Gru>>>;
  static Layers make_layers(const Settings& settings, std::size_t width, reel::Random& random);
  reel::Var base(const reel::Var& values) const;
  reel::Var recurrent_inputs(const reel::Var& x) const;
  reel::Var correction(const reel::Var& x, reel::Random* random) const;

  Settings settings_;
  std::size_t season_, width_, targets_;
  Layers recurrent_;
  reel::Dropout dropout_;
  std::vector<reel::Linear> heads_, linears_;  // of each target
};

// A trained model and all that a forecast needs.
struct Forecaster {
  Source source;
  Settings settings;
  Scaling scaling;
  std::vector<double> split;  // of the data that it learned from
  std::size_t width;          // of the inputs, F
  Network network;
};

// A folder, which must be there, with settings.json and, written last, weights.safetensors. Each
// file is replaced whole; load refuses files of different models. Both throw reel::FileError.
void save(const std::filesystem::path& folder, Forecaster& forecaster);
Forecaster load(const std::filesystem::path& folder);

}  // namespace forecast
