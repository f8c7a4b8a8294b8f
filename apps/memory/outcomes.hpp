// What became of the networks of a page so far, in a file until the page is complete.
#pragma once

#include <filesystem>
#include <map>

#include "learning.hpp"

namespace memory {

class Outcomes {
 public:
  // resume: starts with what the file holds, else keeps that under another name. Throws
  // reel::FileError if it cannot be read.
  Outcomes(std::filesystem::path file, bool resume);
  // What became of this network, each being trained once: what is known, or what learn() returns
  // now, which is kept unless it was interrupted.
  Outcome of(const Start& start, const LearningOptions& options,
             const std::function<Outcome()>& learn);
  std::size_t count() const { return known_.size(); }
  void remove_file() const;

 private:
  void set_aside() const;

  std::filesystem::path file_;
  std::map<std::string, Outcome> known_;  // by all that it depends on
};

}  // namespace memory
