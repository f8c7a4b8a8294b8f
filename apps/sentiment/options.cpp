#include "options.hpp"

#include "../common/run.hpp"

namespace sentiment {

void LearnOptions::add_options(CLI::App& command) {
  const auto size = [&](const char* name, std::size_t& value, const char* help) {
    apps::add_number(command, name, value, std::size_t{1}, kLargestSize, help);
  };
  const auto share = [&](const char* name, auto& value, const char* help) {
    apps::add_number(command, name, value, 0.0, 0.95, help);
  };
  const auto choice = [&](const char* name, std::string& value,
                          const std::vector<std::string>& choices, const char* help) {
    command.add_option(name, value, help)->check(CLI::IsMember(choices))->capture_default_str();
  };
  source.add_options(command);
  training.add_options(command);
  share("--dev-share", task.dev_share, "of the texts to learn from: chooses the best epoch");
  command.add_option("--split-seed", task.split_seed, "of what is held out")->capture_default_str();
  command.add_flag("--best-by-f1", training.best_by_f1,
                   "the best epoch has the best macro-F1, else the best accuracy");
  command.add_flag("--baseline", baseline, "measures a bag of words as well");

  choice("--cell", settings.cell, kCells, "recurrent cell; bag: a bag of words, in no order");
  command.add_flag("--bidirectional", settings.bidirectional, "reads in both directions");
  apps::add_number(command, "--layers", settings.layers, std::size_t{1}, kMostLayers,
                   "recurrent layers on top of each other");
  choice("--pooling", settings.pooling, kPoolings, "what is taken of the states over time");
  size("--hidden", settings.hidden_size, "width of the recurrent state, of each direction");
  auto* embedding =
      command.add_option("--embedding", settings.embedding_size, "width of the word vectors");
  embedding->check(CLI::Range(std::size_t{1}, kLargestSize))->capture_default_str();
  auto* vectors = command.add_option("--vectors", task.vectors,
                                     "word vectors to start from, of GloVe, word2vec or fastText");
  vectors->excludes(embedding);
  command.add_flag("--freeze", task.freeze, "leaves these as they are")->needs(vectors);

  size("--max-length", settings.max_length, "words kept of each text");
  size("--min-count", task.limits.min_count, "rarer words become <unk>");
  size("--max-words", task.limits.max_size, "size of the vocabulary");
  share("--dropout", settings.dropout, "of word vectors, between layers and of the text's vector");
  share("--word-dropout", training.word_dropout, "share of words hidden while training");
  command.add_flag("--balance", training.balance,
                   "of more than two classes: rare ones count more while training");
}

}  // namespace sentiment
