// Sentences out of plain text, and tagged ones on their way out.
#pragma once

#include <reel/data/conllu.hpp>

namespace tag {

// The words of a line as English treebanks cut them: at white space and around punctuation; n't,
// 's, 're, 've, 'll, 'd and 'm are words of their own; a run of one mark (...), a number with its
// points and commas, initials (U.S.) and what has an @ or :// in it stay whole. Throws reel::Error
// unless UTF-8.
std::vector<std::string> split_words(std::string_view line);

// What stands between white space.
std::vector<std::string> split_at_spaces(std::string_view line);

// Lines of each word, a tab and what stands in the column; and a blank line.
std::string words_and_tags(const reel::ConlluSentence& sentence, reel::ConlluColumn column);

}  // namespace tag
