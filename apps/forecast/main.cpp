// reel-forecast: learns from series of numbers what comes next.
#include "../common/run.hpp"
#include "commands.hpp"

namespace {

using namespace forecast;
using apps::add_choice, apps::add_number, apps::add_share, apps::add_size;

void add_source(CLI::App& command, TrainRequest& request) {
  Source& source = request.source;
  command.add_option("--data", request.data, "CSV file; none: the bundled CO2 at Mauna Loa");
  command.add_option("--target", source.targets, "columns to forecast; none: all of numbers");
  command.add_option("--covariates", source.covariates, "columns that are inputs only");
  command.add_option("--date", source.date,
                     "column of dates, or several with year, month, ..; none: the first, if it has "
                     "dates");
  command.add_flag("--calendar", source.calendar, "inputs: place in the day, week and year");
  command.add_flag("--log", source.logarithm, "learn the logarithms of the targets");
  add_size(command, "--season", source.season,
           "rows in a season; 0: a day, a week or a year, as the dates suggest", 0);
  command
      .add_option("--split", request.split,
                  "rows, or shares, to learn from, to choose the epoch on, to measure on")
      ->expected(3)
      ->delimiter(',')
      ->capture_default_str();
}

void add_settings(CLI::App& command, Settings& settings, TrainOptions& options) {
  add_size(command, "--input", settings.input_length,
           "rows of the past that a forecast is made from");
  add_size(command, "--horizon", settings.horizon, "rows to forecast");
  add_size(command, "--step", settings.step,
           "rows forecast at once; fewer than the horizon: rolled out; 0: all", 0);
  add_choice(command, "--base", settings.base, {"last", "season", "none"},
             "what the network corrects: the last value (windows are taken less it), the last "
             "season, or nothing");
  add_choice(command, "--output", settings.output, {"point", "quantile", "gaussian"},
             "what is forecast");
  add_number(command, "--interval", settings.interval, 0.01, 0.99,
             "share of truths that an interval is to hold");
  add_choice(command, "--cell", settings.cell, {"lstm", "gru"}, "recurrent cell");
  add_size(command, "--layers", settings.layers, "recurrent layers");
  add_size(command, "--hidden", settings.hidden_size, "width of the recurrent state");
  add_size(command, "--patch", settings.patch, "rows that are one step of the recurrent layer");
  command.add_flag("!--joint", settings.shared,
                   "the recurrent layer reads all targets at once, not each by itself");
  add_choice(command, "--linear", settings.linear, {"fit", "learn", "none"},
             "linear map of the window, added to the network: fitted before the training, learned "
             "with it, none");
  add_share(command, "--dropout", settings.dropout, "between layers and of the last state");
  add_choice(command, "--loss", options.loss, {"mse", "mae", "huber"}, "of point forecasts");
  add_size(command, "--stride", options.stride, "rows from one window to learn from to the next");
  add_number(command, "--decay", options.weight_decay, 0.0, 1e3, "weight decay (AdamW)");
}

// What eval, predict and backtest share.
void add_model(CLI::App& command, UseRequest& request) {
  command.add_option("--model", request.model, "folder of the model")->required();
  command.add_option("--data", request.data, "CSV file; none: the bundled CO2 at Mauna Loa");
}
void add_measuring(CLI::App& command, UseRequest& request) {
  add_model(command, request);
  command.add_option("--report", request.report, "page to write: figures and forecasts");
  command.add_option("--split", request.split, "rows or shares; none: as in training")
      ->expected(3)
      ->delimiter(',');
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Forecasts series of numbers with a recurrent network.", "reel-forecast");
  app.require_subcommand(1);
  int result = 0;

  TrainRequest training;
  CLI::App* const train = app.add_subcommand("train", "learn from a table, save the model");
  training.options.add_options(*train);
  add_source(*train, training);
  add_settings(*train, training.settings, training.options);
  train->callback([&] { result = run_train(training, *train); });

  UseRequest use;
  CLI::App* command = app.add_subcommand("eval", "measure a model, with plain rules beside it");
  add_measuring(*command, use);
  command->callback([&] { result = run_eval(use); });

  command = app.add_subcommand("backtest", "forecast from one origin after another, and measure");
  add_measuring(*command, use);
  add_size(*command, "--every", use.every, "rows from one origin to the next; 0: the horizon", 0);
  command->callback([&] { result = run_backtest(use); });

  command = app.add_subcommand("predict", "print what comes after a table's last row, as CSV");
  add_model(*command, use);
  command->add_option("--report", use.report, "page to write: history and forecast");
  add_size(*command, "--rows", use.rows,
           "rows to forecast; more than the model's at once: rolled out; 0: its horizon", 0);
  command->callback([&] { result = run_predict(use); });

  return apps::run(app, argc, argv, result);
}
