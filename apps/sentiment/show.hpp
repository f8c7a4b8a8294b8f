// How results are printed.
#pragma once

#include "training.hpp"

namespace sentiment {

// One line: texts, loss, accuracy and macro-F1.
std::string summary(const Score& score);
// A line for each class: precision, recall, F1, and how many of its texts were told to be of each.
std::string table(const Score& score, const std::vector<std::string>& classes);
// The words of a text, each with what it adds to the log odds of the label.
using WeighedWords = std::vector<std::pair<std::string, double>>;
WeighedWords weigh_words(const Classifier& classifier, const std::vector<std::int64_t>& sequence,
                         std::size_t label);
std::string plain(const WeighedWords& words);     // with the numbers
std::string coloured(const WeighedWords& words);  // for a terminal: green above zero, red below

// How some of the examples are labelled, and which of their words weigh most.
void add_examples(apps::Report& report, const Classifier& classifier, const Examples& examples);

}  // namespace sentiment
