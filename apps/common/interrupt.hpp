// Ctrl-C asks a program to finish what it is at, save, and stop.
#pragma once

namespace apps {

// While it lives, the first SIGINT or SIGTERM sets a flag; a second one ends the program.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};
bool interrupted();

}  // namespace apps
