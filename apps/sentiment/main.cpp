// reel-sentiment: learns to tell two classes of texts apart, such as praise and blame.
#include <fmt/format.h>

#include <iostream>

#include "../common/run.hpp"
#include "../common/text_source.hpp"
#include "training.hpp"

namespace {

using namespace sentiment;

struct TrainCommand {
  apps::TextSource source;
  std::string dev_file;
  SplitOptions split;
  Settings settings;
  TrainOptions options;
  reel::VocabularyLimits limits{.min_count = 1, .max_size = kLargestSize};

  void add_options(CLI::App& command) {
    source.add_options(command);
    options.add_options(command);
    command.add_option("--dev", dev_file, "TSV to choose the best epoch on");
    command.add_option("--cell", settings.cell, "recurrent cell")
        ->check(CLI::IsMember({"rnn", "lstm", "gru"}))
        ->capture_default_str();
    const auto size = [&](const char* name, std::size_t& value, const char* help) {
      apps::add_number(command, name, value, std::size_t{1}, kLargestSize, help);
    };
    const auto share = [&](const char* name, auto& value, const char* help) {
      apps::add_number(command, name, value, 0.0, 0.95, help);
    };
    share("--dev-share", split.dev_share, "without --dev: this share of the texts");
    share("--held-out", split.held_out, "share kept aside and measured once, at the end");
    size("--embedding", settings.embedding_size, "width of the word vectors");
    size("--hidden", settings.hidden_size, "width of the recurrent state");
    size("--max-length", settings.max_length, "words kept of each text");
    size("--min-count", limits.min_count, "rarer words become <unk>");
    size("--max-words", limits.max_size, "size of the vocabulary");
    share("--dropout", settings.dropout, "of word vectors and of the last state");
    share("--word-dropout", options.word_dropout, "share of words hidden while training");
    command.add_option("--split-seed", split.seed, "of what is held out")->capture_default_str();
  }

  int run(const CLI::App& command) {
    const reel::Corpus corpus = source.read();
    reel::require_two_classes(corpus, source.name());
    const reel::Corpus dev =
        dev_file.empty() ? reel::Corpus{} : reel::read_tsv(dev_file, corpus.classes);
    if (!dev_file.empty()) split.dev_share = 0;
    Task task = prepare(corpus, split, settings, limits, options.seed);
    if (!dev_file.empty()) task.dev = encode(dev, task.classifier);
    fmt::print("{} texts to learn from, {} to choose the epoch on, {} held out; {} words\n{}",
               task.train.labels.size(), task.dev.labels.size(), task.held_out.labels.size(),
               task.classifier.vocabulary.size(), reel::describe(task.classifier.model));

    require_both_classes(task.train, source.name());
    options.prepare(command);
    apps::Report report("reel-sentiment");
    const bool complete = train(task.classifier, task.train, task.dev, options, report);
    save(options.folder, task.classifier);
    fmt::print("model saved in {}\n", options.folder.string());
    if (!task.held_out.labels.empty()) {
      const std::string line = fmt::format("held-out accuracy {:.4f}",
                                           evaluate(task.classifier, task.held_out).accuracy);
      fmt::print("{}\n", line);
      report.paragraph(line);
    }
    if (!options.report.empty()) report.write(options.report);
    return complete ? 0 : apps::kInterrupted;
  }
};

int evaluate_command(const std::string& model, const apps::TextSource& source) {
  const Classifier classifier = load(model);
  const Examples examples = encode(source.read(classifier.classes), classifier);
  const Score score = evaluate(classifier, examples);
  fmt::print("{} texts  loss {:.6f}  accuracy {:.4f}\n", examples.labels.size(), score.loss,
             score.accuracy);
  return 0;
}

int predict_command(const std::string& model, std::vector<std::string> texts) {
  const Classifier classifier = load(model);
  const auto print = [&](const std::string& text) {
    const double p = classifier.predict({classifier.encode(text)})[0];
    fmt::print("{}\t{:.4f}\t{}\n", classifier.classes[p > 0.5], p > 0.5 ? p : 1 - p, text);
  };
  for (const std::string& text : texts) {
    reel::check_utf8<reel::Error>(text, "argument");
    print(text);
  }
  if (!texts.empty()) return 0;
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
    reel::check_utf8<reel::Error>(line, fmt::format("standard input:{}", number));
    print(line);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to tell two classes of texts apart with a recurrent network.",
               "reel-sentiment");
  app.require_subcommand(1);
  int result = 0;

  TrainCommand train;
  CLI::App* const training =
      app.add_subcommand("train", "learn from labelled texts, save the model");
  train.add_options(*training);
  training->callback([&] { result = train.run(*training); });

  std::string model;
  apps::TextSource source;
  CLI::App* command = app.add_subcommand("eval", "measure a model on labelled texts");
  command->add_option("--model", model, "folder of the model")->required();
  source.add_options(*command);
  command->callback([&] { result = evaluate_command(model, source); });

  std::vector<std::string> texts;
  command = app.add_subcommand("predict", "label texts: label, its probability, text");
  command->add_option("--model", model, "folder of the model")->required();
  command->add_option("text", texts, "texts; none: lines of standard input");
  command->callback([&] { result = predict_command(model, texts); });

  return apps::run(app, argc, argv, result);
}
