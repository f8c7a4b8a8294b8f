// Progress of long work: a line that is redrawn on a terminal, and nothing where there is none.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace apps {

// Counts units of work and tells rate and time left.
class Progress {
 public:
  explicit Progress(std::size_t total, std::string unit = "tokens");

  void start_at(std::size_t done) { start_done_ = done_ = done; }  // units done before

  // `done` more units; shows `text` with share, rate and time left, at most ten times a second.
  void advance(std::size_t done, const std::string& text);
  void clear();  // wipes the line, before something else is printed

  double share() const;  // of the work that is done
  double seconds() const;
  double rate() const;       // units per second so far
  std::string left() const;  // time left, as 1:05

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now(), shown_{};
  std::size_t total_, start_done_ = 0, done_ = 0;
  std::string unit_;
  bool terminal_, drawn_ = false;
};

}  // namespace apps
