// reel-bench: steps of recurrent layers, beside the same steps of other libraries.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <set>

#include "command.hpp"
#include "onednn_peer.hpp"
#include "report.hpp"
#include "stream.hpp"
#include "torch_peer.hpp"

namespace {

using namespace bench;

constexpr double kSameAnswer = 1e-3;  // float sums over all rows, in another order

struct Options {
  std::vector<std::string> cells{"all"}, shapes{"S1", "S2", "S3", "S4", "S5"}, peers{"onednn"};
  std::size_t layers = 1, directions = 1, threads = 1, shards = 0, runs = 15;
  std::string mode = "train", json, python = "/usr/bin/python3";
  bool markdown = false, stream = false;
  std::vector<std::size_t> sizes{16, 32, 64, 128};
};

void add_options(CLI::App& app, Options& o) {
  std::vector<std::string> cells{"all"};
  for (const CellKind& kind : cell_kinds()) cells.push_back(kind.name);
  const auto many = [](CLI::Option* option) {
    option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return option->take_all()->capture_default_str();
  };
  const CLI::Validator only_one(
      [](std::string& text) { return text == "1" ? "" : "only 1 so far; got " + text; }, "");
  many(app.add_option("--cell", o.cells, "cell, repeatable; all: lstm, gru, rnn and linked ones"))
      ->check(CLI::IsMember(cells));
  many(app.add_option("--shape", o.shapes, "S1 .. S5 or B,T,E,H, repeatable"));
  many(app.add_option(
           "--peer", o.peers,
           "whom to run beside reel, repeatable; torch-cell: a cell in Python; builtin: "
           "reel's own cell with the same products; one-thread: reel itself, with the same "
           "shards, on one thread"))
      ->check(CLI::IsMember({"onednn", "torch", "torch-cell", "builtin", "one-thread", "none"}));
  app.add_option("--mode", o.mode, "train: forward and backward; infer: forward only")
      ->check(CLI::IsMember({"train", "infer"}))
      ->capture_default_str();
  app.add_flag("--stream", o.stream,
               "instead: one step of one sequence per call, as fast as they come");
  many(app.add_option("--size", o.sizes, "with --stream: of input and state, repeatable"))
      ->check(CLI::Range(1, 4096));
  app.add_option("--layers", o.layers, "layers on top of each other")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--directions", o.directions, "2: outputs of both, side by side")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "of reel and its peers")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--shards", o.shards, "parts of a batch that threads take; 0: one per thread")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--runs", o.runs, "turns of some 20 ms, or one step, for each contestant")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--python", o.python, "the Python that has PyTorch")->capture_default_str();
  app.add_option("--json", o.json, "file to write the results to");
  app.add_flag("--markdown", o.markdown, "print a table; the lines go to standard error");
}

std::unique_ptr<Contestant> make_peer(const std::string& name, const Problem& problem,
                                      const std::string& python) {
  if (name == "onednn") return make_onednn(problem);
  if (name == "torch") return make_torch(problem, false, python);
  if (name == "torch-cell") return make_torch(problem, true, python);
  if (name == "one-thread") {
    Problem alone = problem;
    alone.what.threads = 1;
    return make_reel(alone, problem.what.cell.name);
  }
  if (problem.what.cell.builtin.empty())
    throw Missing("has no cell with the products of " + problem.what.cell.name);
  if (problem.what.cell.builtin == problem.what.cell.name)
    throw Missing("is the same as " + problem.what.cell.name);
  return make_reel(problem, problem.what.cell.builtin);
}

CaseResult measure(const Case& what, const Options& options, std::set<std::string>& said) {
  const Problem problem = make_problem(what);
  const auto reel = make_reel(problem, what.cell.name);
  const Answer answer = reel->answer();
  CaseResult result{what, {}, {}, 0, {}};
  std::vector<std::unique_ptr<Contestant>> peers;
  for (const std::string& name : options.peers) {
    if (name == "none") continue;
    try {
      peers.push_back(make_peer(name, problem, options.python));
    } catch (const Missing& why) {
      const std::string line = fmt::format("left out: {}: {}", name, why.what());
      if (said.insert(line).second) std::cerr << line << '\n';
      continue;
    }
    result.peers.push_back({name, {}, {}, {}});
    if (what.cell.equations.empty()) continue;
    const Disagreement difference = disagreement(answer, peers.back()->answer());
    if (!(difference.size < kSameAnswer))
      throw std::runtime_error(fmt::format(
          "{} at {}: {} computes something else: its {} differs by {:.1e} of the largest number",
          what.cell.name, what.shape, name, difference.where, difference.size));
    result.peers.back().disagreement = difference.size;
  }

  std::vector<Contestant*> contestants{reel.get()};
  for (const auto& peer : peers) contestants.push_back(peer.get());
  const DuelResult duel_result = duel(contestants, options.runs);
  result.ms = duel_result.ms[0];
  result.peak_gflops = duel_result.peak_gflops;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    result.peers[i].ms = duel_result.ms[i + 1];
    result.peers[i].ratio = duel_result.ratio[i + 1];
  }
  result.cost = reel->cost();
  return result;
}

std::vector<std::string> chosen_cells(const Options& options) {
  std::vector<std::string> cells;
  for (const std::string& cell : options.cells)
    if (cell == "all") {
      for (const CellKind& kind : cell_kinds())
        if (kind.in_all) cells.push_back(kind.name);
    } else {
      cells.push_back(cell);
    }
  return cells;
}

// Before anything is measured; what the file holds stays there until then.
void check_json(const std::string& file) {
  if (!file.empty() && !std::ofstream(file, std::ios::app))
    throw std::invalid_argument("--json: cannot write " + file);
}

void bench_streams(const Options& options) {
  check_json(options.json);
  std::vector<StreamResult> results;
  for (const std::string& cell : chosen_cells(options))
    for (const std::size_t size : options.sizes) {
      results.push_back(cell_kind(cell).stream(size, options.runs));
      results.back().cell = cell;
      std::cout << line(results.back()) << std::endl;
    }
  if (!options.json.empty()) write_json(options.json, results);
}

void bench_all(const Options& options) {
  std::vector<Case> cases;
  for (const std::string& cell : chosen_cells(options))
    for (const std::string& shape : options.shapes) {
      Case what = make_case(cell, shape);
      what.layers = options.layers;
      what.directions = options.directions;
      what.train = options.mode == "train";
      what.threads = options.threads;
      what.shards = options.shards > 0 ? options.shards : options.threads;
      if (what.shards > 1 && !what.train)
        throw std::invalid_argument("--mode infer: it takes one thread and one shard");
      if (what.shards > what.batch || what.threads > what.shards)
        throw std::invalid_argument(fmt::format(
            "--threads: at {} there must be at least as many shards as threads, and a row for "
            "each shard; got {} threads, {} shards, {} rows",
            shape, what.threads, what.shards, what.batch));
      cases.push_back(what);
    }
  check_json(options.json);
  std::vector<CaseResult> results;
  std::set<std::string> said;
  for (const Case& what : cases) {
    results.push_back(measure(what, options, said));
    for (const std::string& line : lines(results.back()))
      (options.markdown ? std::cerr : std::cout) << line << std::endl;
  }
  if (!options.json.empty()) write_json(options.json, results);
  if (options.markdown) std::cout << markdown(results);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Steps of recurrent layers, beside the same steps of other libraries.",
               "reel-bench");
  Options options;
  add_options(app, options);
  return run_command(app, argc, argv,
                     [&] { options.stream ? bench_streams(options) : bench_all(options); });
}
