// reel-forecast from the outside: what it prints, writes and refuses.
#include <reel/data/dates.hpp>

#include <cmath>
#include <numbers>
#include <sstream>
#include <vector>

#include "app_test.hpp"

namespace {

using namespace reel::test;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<double> numbers_of(const std::string& line) {  // behind the first comma
  std::vector<double> numbers;
  std::istringstream in(line.substr(line.find(',')));
  for (double x; in.ignore() && in >> x;) numbers.push_back(x);
  return numbers;
}

class Forecast : public AppTest {
 protected:
  Forecast() : AppTest(REEL_FORECAST) {}
  void SetUp() override { write("waves.csv", waves(160)); }

  static double wave(int row) { return 20 + 5 * std::sin(2 * std::numbers::pi * row / 12); }
  // Months with a wave of a year's length, another that follows it, and some gaps in a third.
  static std::string waves(int rows) {
    std::string text = "month,\"a,b\",c,d\n";
    for (int i = 0; i < rows; ++i)
      text += fmt::format("{}-{:02},{:.4f},{:.4f},{}\n", 2000 + i / 12, i % 12 + 1, wave(i),
                          100 - 2 * wave(i - 2), i % 17 == 3 ? "NA" : std::to_string(i % 12));
    return text;
  }
  Outcome train(const std::string& more, int epochs = 3) const {
    return run(fmt::format(
        "train --data waves.csv --model m --input 12 --horizon 4 --hidden 8 --epochs {} {}", epochs,
        more));
  }
  // The figure of a method in a table: 0 is the MSE over the deviation's square.
  static double figure(const std::string& out, const std::string& method) {
    const std::size_t at = out.rfind("\n" + method + " ");
    return at == out.npos ? NAN : std::stod(out.substr(at + 1 + method.size()));
  }
};

TEST_F(Forecast, LearnsSavesMeasuresAndPredicts) {
  for (const char* options : {"--cell lstm", "--cell gru --layers 2 --patch 3"}) {
    const Outcome trained =
        train(std::string("--target a,b --linear none --rate 0.01 --batch 8 ") + options, 40);
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_EQ(trained.err, "");  // progress is for terminals
    EXPECT_TRUE(contains(trained.out,
                         "160 rows, 112 to learn from, 16 to choose the epoch on, 32 "
                         "to measure on; season 12"))
        << trained.out;
    const std::string model = contains(options, "gru") ? "gru" : "lstm";
    EXPECT_LT(figure(trained.out, model), 0.05) << trained.out;
    EXPECT_GT(figure(trained.out, "repeat-last"), 0.5) << trained.out;
    EXPECT_LT(figure(trained.out, "seasonal-naive"), 1e-4) << trained.out;
    EXPECT_LT(figure(trained.out, "linear"), 1e-4) << trained.out;

    const std::string measured = run("eval --model m --data waves.csv").out;
    EXPECT_EQ(figure(measured, model), figure(trained.out, model)) << measured;

    const auto predicted = lines_of(run("predict --model m --data waves.csv --rows 6").out);
    ASSERT_EQ(predicted.size(), 7u);
    EXPECT_EQ(predicted[0], "date,\"a,b\"");
    EXPECT_EQ(predicted[1].substr(0, 11), "2013-05-01,");
    EXPECT_EQ(predicted[6].substr(0, 11), "2013-10-01,");
    for (int h = 0; h < 6; ++h)
      EXPECT_NEAR(numbers_of(predicted[static_cast<std::size_t>(h) + 1])[0], wave(160 + h), 2.5);
  }
}

TEST_F(Forecast, StartsFromTheLinearModel) {
  for (const char* base : {"last", "season", "none"}) {
    const Outcome trained = train(fmt::format("--target a,b --rate 1e-9 --base {}", base));
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_LT(figure(trained.out, "lstm"), 1e-4) << trained.out;
  }
}

TEST_F(Forecast, ForecastsSeveralSeriesFromCovariatesAndGaps) {
  for (const char* options :
       {"--target a,b c --covariates d --calendar", "--target a,b c --covariates d --joint",
        "--calendar --step 2", "--target c --log --season 6 --base season --loss huber"}) {
    SCOPED_TRACE(options);
    const Outcome trained = train(options);
    ASSERT_EQ(trained.code, 0) << trained.err;
    const auto predicted = lines_of(run("predict --model m --data waves.csv").out);
    ASSERT_EQ(predicted.size(), 5u);
    for (const double x : numbers_of(predicted[4])) EXPECT_TRUE(std::isfinite(x)) << predicted[4];
  }
}

TEST_F(Forecast, GivesIntervals) {
  for (const char* options : {"--output quantile", "--output gaussian",
                              "--output gaussian --step 1 --split 0.7,0.2,0.03"}) {
    SCOPED_TRACE(options);
    const Outcome trained =
        train(std::string("--target a,b --interval 0.9 --rate 0.01 ") + options, 6);
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_TRUE(contains(trained.out, "inside  width/s")) << trained.out;
    const auto predicted = lines_of(run("predict --model m --data waves.csv").out);
    ASSERT_EQ(predicted.size(), 5u);
    EXPECT_EQ(predicted[0], "date,\"a,b\",\"a,b low\",\"a,b high\"");
    for (std::size_t h = 1; h < 5; ++h) {
      const auto x = numbers_of(predicted[h]);
      EXPECT_TRUE(x[1] <= x[0] && x[0] <= x[2] && x[1] < x[2]) << predicted[h];
    }
  }
  ASSERT_EQ(train("--target c --output quantile").code, 0);
  expect_refusal(run("predict --model m --data waves.csv --rows 5"), "quantiles");
}

TEST_F(Forecast, RefusesOtherInputsThanItLearnedFrom) {
  ASSERT_EQ(train("--target c --calendar", 1).code, 0);
  std::string days = "month,\"a,b\",c,d\n";
  for (int i = 0; i < 160; ++i)
    days += fmt::format("{},1,{},3\n", reel::format_time(1577664000 + 86400 * i, true), i % 5);
  write("days.csv", days);
  for (const char* command : {"predict", "eval", "backtest"})
    expect_refusal(run(fmt::format("{} --model m --data days.csv", command)),
                   "days.csv: must give 3 input columns");
}

TEST_F(Forecast, TestsBackAndWritesPages) {
  ASSERT_EQ(train("--target a,b --output gaussian --report train.html").code, 0);
  const Outcome tested = run("backtest --model m --data waves.csv --report backtest.html");
  ASSERT_EQ(tested.code, 0) << tested.err;
  EXPECT_TRUE(contains(tested.out, "\n2010-09-01 ")) << tested.out;
  EXPECT_TRUE(contains(tested.out, "8 origins, 4 rows apart")) << tested.out;
  ASSERT_EQ(run("predict --model m --data waves.csv --report predict.html").code, 0);
  ASSERT_EQ(run("eval --model m --data waves.csv --report eval.html").code, 0);
  for (const char* page : {"train.html", "backtest.html", "predict.html", "eval.html"})
    EXPECT_TRUE(contains(read(page), "<svg")) << page;
}

TEST_F(Forecast, GivesTheSameBitsForTheSameSeedOnAnyNumberOfThreads) {
  const std::string first = without_rates(train("--target c --seed 7 --threads 1").out, "windows");
  const std::string weights = read("m/weights.safetensors");
  EXPECT_EQ(without_rates(train("--target c --seed 7 --threads 3").out, "windows"), first);
  EXPECT_EQ(read("m/weights.safetensors"), weights);
  train("--target c --seed 8");
  EXPECT_NE(read("m/weights.safetensors"), weights);
}

TEST_F(Forecast, TakesTheBundledSeries) {
  const Outcome trained = run("train --model m --epochs 1 --hidden 4");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.out, "co2-concentration.csv: 746 rows")) << trained.out;
  EXPECT_LT(figure(trained.out, "lstm"), figure(trained.out, "seasonal-naive"));
  EXPECT_EQ(lines_of(run("predict --model m").out)[1].substr(0, 11), "2020-05-01,");
}

TEST_F(Forecast, TellsWhatItTakesTheColumnsFor) {
  std::string workdays = "day,price,note\n", month_ends = "day,price\n";
  for (int i = 0; i < 120; ++i) {
    const reel::Time day = 1577664000 + 86400 * (i + i / 5 * 2);  // 2019-12-30, a Monday
    workdays += fmt::format("{},{},\"1,5\"\n", reel::format_time(day, true), i % 5);
    const reel::Time end =
        reel::advance(1580428800, {.months = 1, .month_day = 31}, i);  // 2020-01-31
    month_ends += fmt::format("{},{}\n", reel::format_time(end, true), i % 12);
  }
  write("workdays.csv", workdays);
  write("month_ends.csv", month_ends);
  const auto told = [&](const std::string& file) {
    const Outcome outcome =
        run("train --model m --input 6 --horizon 6 --hidden 4 --epochs 1 --data " + file);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_TRUE(contains(told("workdays.csv"),
                       "season 5\ntargets price; not numbers, so left out: "
                       "note; from 2019-12-30 00:00 on, a row each workday\n"));
  EXPECT_TRUE(contains(run("predict --model m --data workdays.csv").out, "\n2020-06-15,"));
  EXPECT_TRUE(contains(told("month_ends.csv"), "on, a row each 1 month(s)\n"));
  EXPECT_TRUE(contains(run("predict --model m --data month_ends.csv").out, "\n2030-02-28,"));
  std::string plain = "a\n";
  for (int i = 0; i < 120; ++i) plain += fmt::format("{}\n", i % 5);
  write("plain.csv", plain);
  EXPECT_TRUE(contains(told("plain.csv"), "targets a; no dates\n"));
}

TEST_F(Forecast, RefusesBadDataAndWritesNoModel) {
  write("word.csv", "a,b\n1,2\n3,x\n");
  write("short.csv", "a\n1\n2\n3\n");
  write("back.csv", "day,a\n2020-01-02,1\n2020-01-01,2\n");
  const auto refusal = [&](const std::string& options, const std::string& reason) {
    expect_refusal(run("train --model m " + options), reason);
  };
  refusal("--data none.csv", "none.csv");
  refusal("--data word.csv", "word.csv:3: column 2 (b): a number or a gap");
  refusal("--data back.csv", "back.csv:3: column 1 (day): dates must rise");
  refusal("--data waves.csv --target e", "waves.csv:1: there must be a column \"e\"");
  refusal("--data waves.csv --target d --log", "--log: values of d must be positive; found 0");
  refusal("--data waves.csv --split 100,50,50", "--split: there must be 200 rows; found 160");
  refusal("--data waves.csv --split 0.7,0.2,0.2", "--split: shares must add up to at most 1");
  refusal("--data waves.csv --input 12 --patch 5", "--patch: must divide --input");
  refusal("--data waves.csv --input 6 --base season", "--base season: --input must reach back");
  refusal("--data short.csv --calendar", "short.csv: --calendar needs a column of dates");
  refusal("--data short.csv", "there must be 12 rows without gaps to measure on");
  EXPECT_FALSE(exists("m"));
  refusal("--data short.csv --split 1,0,0", "there must be a window of 36 + 12 rows");
}

TEST_F(Forecast, RefusesAModelThatDoesNotFit) {
  expect_refusal(run("predict --model nowhere"), "nowhere/settings.json");
  ASSERT_EQ(train("--target c").code, 0);
  const std::string weights = read("m/weights.safetensors");
  expect_checked_model("predict --model m --data waves.csv");
  write("short.csv", "c\n1\n2\n3\n");
  expect_refusal(run("predict --model m --data short.csv"), "there must be 12 rows");
  write("m/weights.safetensors", weights.substr(0, weights.size() / 2));
  expect_refusal(run("predict --model m --data waves.csv"), "weights.safetensors");
  write("m/weights.safetensors", weights);
  for (const char* broken : {"{}", "[", "{\"targets\": 3}"}) {
    write("m/settings.json", broken);
    expect_refusal(run("predict --model m --data waves.csv"), "settings.json");
  }
}

TEST_F(Forecast, TellsHowItIsUsed) {
  EXPECT_EQ(run("train --model m --no-such-option 1").code, 2);
  EXPECT_EQ(run("train --model m --output words").code, 2);
  EXPECT_EQ(run("train").code, 2);
  EXPECT_EQ(run("").code, 2);
  for (const char* command : {"", "train", "eval", "backtest", "predict"})
    EXPECT_EQ(run(fmt::format("{} --help", command)).code, 0);
  EXPECT_FALSE(exists("m"));
}

TEST_F(Forecast, GoesOnAfterCtrlCAsIfNothingHadHappened) {
  const std::string command =
      "train --data waves.csv --target c --input 12 --horizon 4 --hidden 8 --patience 0 --epochs "
      "150 --model ";
  const Outcome stopped = interrupt(command + "m", "m/training.safetensors");
  EXPECT_EQ(stopped.code, 130);
  EXPECT_TRUE(contains(stopped.out, "interrupted; the same command with --resume goes on"))
      << stopped.out << stopped.err;
  EXPECT_EQ(run("predict --model m --data waves.csv").code, 0);
  EXPECT_EQ(run(command + "m --resume").code, 0);
  EXPECT_EQ(run(command + "whole").code, 0);
  EXPECT_EQ(read("m/weights.safetensors"), read("whole/weights.safetensors"));
}

}  // namespace
