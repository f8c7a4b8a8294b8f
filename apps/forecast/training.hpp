// Training a forecasting model.
#pragma once

#include "../common/report.hpp"
#include "forecasts.hpp"

namespace forecast {

struct TrainOptions : apps::TrainingOptions {
  std::string loss = "mse";  // of point forecasts: mse, mae or huber
  std::size_t stride = 1;    // rows from one window to the next
  double weight_decay = 0;   // of AdamW

  TrainOptions() { epochs = 30, batch_size = 64, learning_rate = 3e-4, patience = 8; }
};

// Trains in place on windows in `parts.train`; the model ends as it was after the epoch with the
// least mean squared error (over the deviations' squares) in `parts.dev`. Its course goes into the
// report. Returns false if Ctrl-C ended it early.
bool train(Forecaster& forecaster, const Dataset& data, const Parts& parts,
           const TrainOptions& options, apps::Report& report);

}  // namespace forecast
