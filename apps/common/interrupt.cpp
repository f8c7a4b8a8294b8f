#include "interrupt.hpp"

#include <csignal>

namespace apps {
namespace {

volatile std::sig_atomic_t flag = 0;

void on_signal(int number) {
  flag = 1;
  std::signal(number, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}
InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}
bool interrupted() { return flag != 0; }

}  // namespace apps
