// Sentences out of plain text, and tagged ones on their way out.
#pragma once

#include <string_view>

#include "model.hpp"

namespace tag {

// The words of a line as English treebanks cut them: at white space and around punctuation; n't,
// 's, 're, 've, 'll, 'd and 'm are words of their own; a run of one mark (...), a number with its
// points and commas, and what has an @ or :// in it stay whole. Throws reel::Error unless UTF-8.
std::vector<std::string> split_words(std::string_view line);

// What stands between white space.
std::vector<std::string> split_at_spaces(std::string_view line);

// Puts the tagger's tags in their column.
void tag_words(const Tagger& tagger, reel::ConlluSentence& sentence);
// Lines word<TAB>tag, and a blank one.
std::string words_and_tags(const Tagger& tagger, const reel::ConlluSentence& sentence);

}  // namespace tag
