// Word vectors out of text files.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/data/vocabulary.hpp>

#include <filesystem>
#include <vector>

namespace reel::inline REEL_PRECISION {

// The vectors that a file has for tokens of a vocabulary.
struct WordVectors {
  std::vector<std::int64_t> indices;  // of the tokens found, in order of the file
  Array vectors;                      // [found, width]

  std::size_t width() const { return vectors.shape(1); }
  // Overwrites the rows of the found tokens in a table [vocabulary, width], whose other rows stay
  // as they are. Throws ShapeError if the table has another width or not all the rows.
  void copy_to(Array& table) const;
};

// Lines `word number number ..`, as GloVe (Pennington et al. 2014) writes them; word2vec (Mikolov
// et al. 2013) and fastText (Bojanowski et al. 2017) put a line `words width` first, which is
// recognised. UTF-8, fields separated by spaces or tabs, with LF or CRLF. A word may hold spaces
// unless its last part is a number. Of a word that comes twice the first vector counts; <pad> is
// left out. Numbers of words that are not in the vocabulary are counted but not read.
// Throws FileError, naming file and line: no readable file, no vector in it, an empty line, text
// that is not UTF-8, lines of different widths, a number that is none or not finite, and more or
// fewer words than the first line says.
WordVectors read_word_vectors(const std::filesystem::path& path, const Vocabulary& vocabulary);

}  // namespace reel::inline REEL_PRECISION
