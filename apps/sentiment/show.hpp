// How results are printed.
#pragma once

#include "training.hpp"

namespace sentiment {

// One line: texts, loss, accuracy and macro-F1.
std::string summary(const Score& score);
// A line for each class: precision, recall, F1, and how many of its texts were told to be of each.
std::string table(const Score& score, const std::vector<std::string>& classes);
// The words of a text, each with what it adds to the log odds of the label; on a terminal green
// where that is much, red where it is much below zero.
std::string weighed(const Classifier& classifier, const std::string& text, std::size_t label,
                    bool terminal);

}  // namespace sentiment
