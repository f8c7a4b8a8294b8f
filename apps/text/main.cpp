// reel-text: learns to write as a text does, by characters or by words.
#include <fmt/format.h>

#include <cmath>

#include "../common/bundled.hpp"
#include "../common/run.hpp"
#include "../common/settings.hpp"
#include "training.hpp"
#include "writing.hpp"

namespace {

using namespace text;
using apps::add_choice, apps::add_number, apps::add_share, apps::add_size;

constexpr std::size_t kLanes = 8;  // side by side, to measure a text

struct TrainCommand {
  std::string data, dev_file;
  SplitOptions split;
  Settings settings;
  TrainOptions options;
  reel::VocabularyLimits limits{.min_count = 1, .max_size = apps::kMostSize};
  std::size_t order = 5;

  void add_options(CLI::App& command) {
    options.add_options(command);
    command.add_option("--data", data, "text to learn from; none: a part of tiny Shakespeare");
    command.add_option("--dev", dev_file, "text to choose the best epoch on");
    add_choice(command, "--level", settings.level, {"character", "word"}, "what a token is");
    add_choice(command, "--cell", settings.cell, {"lstm", "gru", "sru", "min-gru"},
               "recurrent cell")
        ->transform(current_cell);
    add_choice(command, "--output", settings.output, {"linear", "tied", "adaptive"},
               "a matrix, that of the embedding, or an adaptive softmax");
    command.add_option("--cutoffs", settings.cutoffs, "of the adaptive softmax");
    add_share(command, "--dev-share", split.dev_share, "without --dev: this share of the text");
    add_share(command, "--held-out", split.held_out,
              "share at the end, measured once after the training");
    add_size(command, "--embedding", settings.embedding_size, "width of what stands for a token");
    add_size(command, "--hidden", settings.hidden_size, "width of the recurrent state");
    add_size(command, "--layers", settings.layers, "recurrent layers");
    add_size(command, "--window", options.window, "steps of truncated BPTT");
    add_share(command, "--dropout", settings.dropout, "of outputs of the layers");
    add_share(command, "--input-dropout", settings.input_dropout, "of the embeddings");
    add_share(command, "--weight-dropout", settings.weight_dropout,
              "of weights from state to state");
    add_size(command, "--min-count", limits.min_count, "rarer tokens become <unk>");
    add_size(command, "--max-tokens", limits.max_size, "size of the vocabulary");
    add_size(command, "--order", order, "of the Kneser-Ney model beside it");
  }

  int run(const CLI::App& command) {
    if (data.empty()) data = apps::bundled("text/tinyshakespeare") / "part.txt";
    if (!dev_file.empty()) split.dev_share = 0;
    Parts parts = cut(read_tokens(data, settings), split, data);
    if (!dev_file.empty()) parts.dev = read_tokens(dev_file, settings);
    reel::Vocabulary vocabulary({&parts.train, 1}, limits);
    reel::Random random(options.seed);
    Model model(settings, vocabulary.size(), random);
    LanguageModel lm{settings, std::move(vocabulary), std::move(model)};
    const auto learned = lm.vocabulary.encode(parts.train), dev = lm.vocabulary.encode(parts.dev);
    fmt::print("{} tokens to learn from, {} to choose the epoch on, {} held out; {} different\n{}",
               learned.size(), dev.size(), parts.held_out.size(), lm.vocabulary.size(),
               reel::describe(lm.model));
    const reel::KneserNey baseline(learned, lm.vocabulary.size(), order);
    apps::Report report("reel-text");
    const auto compare = [&](const char* part, const std::vector<std::int64_t>& tokens) {
      const double nats = measure(lm, tokens, kLanes), kneser_ney = baseline.cross_entropy(tokens);
      const std::string line = fmt::format(
          "{}: {:.4f} nats per token, perplexity {:.2f}; Kneser-Ney {}-gram {:.4f}, {:.2f}", part,
          nats, std::exp(nats), order, kneser_ney, std::exp(kneser_ney));
      fmt::print("{}\n", line);
      report.paragraph(line);
    };

    options.prepare(command);
    const bool complete = train(lm, learned, dev, options, report);
    save(options.folder, lm);
    options.model_saved(complete);
    if (complete && !dev.empty()) compare("dev", dev);
    if (complete && !parts.held_out.empty())
      compare("held out", lm.vocabulary.encode(parts.held_out));
    if (options.report.empty()) return complete ? 0 : apps::kInterrupted;
    report.heading("What it writes");
    report.preformatted(write(lm, {}, nullptr));
    const auto& shown = dev.empty() ? learned : dev;
    report.heading("What surprises it");
    report.paragraph("The first tokens to choose the epoch on: green was expected, red was not.");
    report.words(surprises(
        lm, {shown.begin(), shown.begin() + std::min<std::ptrdiff_t>(300, std::ssize(shown))}));
    report.write(options.report);
    return complete ? 0 : apps::kInterrupted;
  }
};

int evaluate_command(const std::string& model, const std::string& data, const Adapting& adapting) {
  LanguageModel lm = load(model);
  const auto tokens = lm.vocabulary.encode(read_tokens(data, lm.settings));
  const double nats =
      adapting.rate > 0 ? measure_adapting(lm, tokens, adapting) : measure(lm, tokens, kLanes);
  fmt::print("{} tokens  {:.4f} nats per token  perplexity {:.2f}\n", tokens.size(), nats,
             std::exp(nats));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to write as a text does, with a recurrent network.", "reel-text");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* const training = app.add_subcommand("train", "learn from a text, save the model");
  train.add_options(*training);
  training->callback([&] { result = train.run(*training); });

  std::string model, data;
  CLI::App* command = app.add_subcommand("eval", "measure a model on a text");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("--data", data, "the text")->required();
  Adapting adapting;
  add_number(*command, "--adapt", adapting.rate, 0.0, 1.0,
             "rate at which it goes on learning from what it has read; 0: not at all");
  add_size(*command, "--window", adapting.window,
           "with --adapt: steps until it has learned from them");
  command->callback([&] { result = evaluate_command(model, data, adapting); });

  WritingOptions writing;
  command = app.add_subcommand("generate", "write on after a prompt");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("--prompt", writing.prompt, "what the text begins with");
  add_size(*command, "--length", writing.length, "tokens to write");
  writing.add_options(*command);
  command->callback([&] { write(load(model), writing, stdout); });

  return apps::run(app, argc, argv, result);
}
