#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace apps {

Progress::Progress(std::size_t total, std::string unit)
    : total_(total), unit_(std::move(unit)), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::advance(std::size_t done, const std::string& text) {
  done_ += done;
  if (!terminal_ || Clock::now() - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = Clock::now();
  drawn_ = true;
  fmt::print(stderr, "\r\033[K{}  {:.0f}%  {:.0f} {}/s  left {}", text, 100 * share(), rate(),
             unit_, left());
  std::fflush(stderr);
}

void Progress::clear() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
}

double Progress::share() const {
  return total_ == 0 ? 0 : static_cast<double>(done_) / static_cast<double>(total_);
}
double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}
double Progress::rate() const {
  const double elapsed = seconds();
  return elapsed > 0 ? static_cast<double>(done_ - start_done_) / elapsed : 0;
}
std::string Progress::left() const {
  if (rate() == 0) return "?";
  const auto remaining =
      static_cast<long>(static_cast<double>(total_ - std::min(done_, total_)) / rate() + 0.5);
  return fmt::format("{}:{:02}", remaining / 60, remaining % 60);
}

}  // namespace apps
