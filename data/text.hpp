// UTF-8 text: validity, and words out of it.
#pragma once

#include <fmt/core.h>
#include <reel/autodiff/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

// Offset of the first byte that does not begin a well-formed UTF-8 sequence (Unicode 3.9: neither
// overlong forms nor surrogates); npos if there is none.
std::size_t find_invalid_utf8(std::string_view text);

// Throws E, naming `where` and the offset, unless the text is UTF-8.
template <class E = Error>
void check_utf8(std::string_view text, std::string_view where) {
  if (const std::size_t at = find_invalid_utf8(text); at != text.npos)
    throw E(fmt::format("{}: text must be UTF-8; found byte {:#04x} at offset {}", where,
                        static_cast<unsigned char>(text[at]), at));
}

struct TokenizeOptions {
  bool fold_case = true;  // false: letters stay as they are
};
// The words of a text in any language: NFC, fully case-folded, without ignorable code points
// (soft hyphens, joiners, byte order marks), split
//   - at white space and control characters,
//   - around every punctuation mark and symbol, which is a token of its own, save an apostrophe
//     (' U+2018 U+2019 U+02BC, all written ') between two letters or digits: it's, l'amour;
//   - around every letter of a script that puts no spaces between words (Han, Hiragana, Thai,
//     Lao, Myanmar, Khmer).
// Combining marks stay with what they follow. Joined by spaces, the tokens give themselves again.
// Throws Error unless the text is UTF-8.
std::vector<std::string> tokenize(std::string_view utf8, const TokenizeOptions& options = {});

// The text in NFC, fully case-folded, without ignorable code points. Throws Error unless UTF-8.
std::string fold_case(std::string_view utf8);

// What a word looks like, whatever its letters are: A for upper and title case, a for lower case,
// o for other letters, 0 for digits, * for all else, runs written once: McCoy is AaAa, it's is
// a*a (Collobert et al. 2011 use a coarser form). Throws Error unless the text is UTF-8.
std::string word_shape(std::string_view utf8);

// The words of a text whose line ends are tokens too, "\n", as a word language model reads it.
// Throws Error unless the text is UTF-8.
std::vector<std::string> tokenize_lines(std::string_view utf8);

// The code points of a text, each a string, as they are: nothing is folded. Joined, they are the
// text. Throws Error unless the text is UTF-8.
std::vector<std::string> characters(std::string_view utf8);

}  // namespace reel
