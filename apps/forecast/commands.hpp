// What each command does.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "training.hpp"

namespace forecast {

struct TrainRequest {
  std::filesystem::path data;  // none: the bundled one
  Source source;
  std::vector<double> split = {0.7, 0.1, 0.2};
  Settings settings;
  TrainOptions options;
};
// Each returns the exit code; `command`: that the request was read from.
int run_train(TrainRequest request, const CLI::App& command);

struct UseRequest {
  std::filesystem::path model, data;
  std::string report;
  std::vector<double> split;  // none: as in training
  std::size_t every = 0, rows = 0;
};
int run_eval(const UseRequest& request);
int run_backtest(const UseRequest& request);
int run_predict(const UseRequest& request);

}  // namespace forecast
