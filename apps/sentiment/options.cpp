#include "options.hpp"

#include "../common/run.hpp"

namespace sentiment {

using apps::add_choice, apps::add_number, apps::add_share, apps::add_size;

void LearnOptions::add_options(CLI::App& command) {
  source.add_options(command);
  training.add_options(command);
  add_share(command, "--dev-share", task.dev_share,
            "of the texts to learn from: chooses the best epoch");
  command.add_option("--split-seed", task.split_seed, "of what is held out")->capture_default_str();
  command.add_flag("--best-by-f1", training.best_by_f1,
                   "the best epoch has the best macro-F1, else the best accuracy");
  command.add_flag("--baseline", baseline, "measures a bag of words as well");

  add_choice(command, "--cell", settings.cell, kCells,
             "recurrent cell; bag: a bag of words, in no order");
  command.add_flag("--bidirectional", settings.bidirectional, "reads in both directions");
  add_number(command, "--layers", settings.layers, std::size_t{1}, kMostLayers,
             "recurrent layers on top of each other");
  add_choice(command, "--pooling", settings.pooling, kPoolings,
             "what is taken of the states over time");
  add_size(command, "--hidden", settings.hidden_size,
           "width of the recurrent state, of each direction");
  auto* embedding =
      add_size(command, "--embedding", settings.embedding_size, "width of the word vectors");
  auto* vectors = command.add_option("--vectors", task.vectors,
                                     "word vectors to start from, of GloVe, word2vec or fastText");
  vectors->excludes(embedding);
  command.add_flag("--freeze", task.freeze, "leaves these as they are")->needs(vectors);

  add_size(command, "--max-length", settings.max_length, "words kept of each text");
  add_size(command, "--min-count", task.limits.min_count, "rarer words become <unk>");
  add_size(command, "--max-words", task.limits.max_size, "size of the vocabulary");
  add_share(command, "--dropout", settings.dropout,
            "of word vectors, between layers and of the text's vector");
  add_share(command, "--word-dropout", training.word_dropout,
            "share of words hidden while training");
  command.add_flag("--balance", training.balance,
                   "of more than two classes: rare ones count more while training");
}

}  // namespace sentiment
