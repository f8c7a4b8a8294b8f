// Writing text with a language model.
#pragma once

#include <cstdio>

#include "../common/decoding.hpp"
#include "model.hpp"

namespace text {

struct WritingOptions : apps::Decoding {
  std::string prompt = "\n";
  std::size_t length = 500;  // tokens
};

// The prompt and what the model writes on after it. Where there is a file, each token goes there as
// it comes (those of a beam at the end). Throws Error if the prompt has no token.
std::string write(const LanguageModel& lm, const WritingOptions& options, std::FILE* file);

// Puts tokens together as they are read: words with spaces between, but not before a comma.
class Typesetter {
 public:
  explicit Typesetter(std::string level) : words_(level == "word") {}
  std::string next(const std::string& token);

 private:
  bool words_;
  bool glued_ = true;  // nothing stands between what comes and what was
};

}  // namespace text
