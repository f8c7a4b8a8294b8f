#include <reel/autodiff/error.hpp>
#include <reel/optim/workers.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace reel {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kAwake(500);

std::size_t core_count() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace

Workers::Workers(std::size_t count)
    : count_(count > 0 ? count : core_count()), stay_awake_(count_ <= core_count()) {
  try {
    threads_.reserve(count_ - 1);
    for (std::size_t worker = 1; worker < count_; ++worker)
      threads_.emplace_back([this, worker] { serve(worker); });
  } catch (...) {
    stop();
    throw;
  }
}
Workers::~Workers() { stop(); }

void Workers::stop() {
  stop_ = true;
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// Waits while x == old: awake for a while, in which most work of a step comes, then asleep. Where
// cores are short, asleep at once.
void Workers::wait_while(const std::atomic<std::uint32_t>& x, std::uint32_t old) const {
  if (stay_awake_)
    for (const auto end = Clock::now() + kAwake; Clock::now() < end;)
      for (int turn = 0; turn < 16; ++turn) {
        if (x.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
      }
  x.wait(old, std::memory_order_acquire);
}

void Workers::serve(std::size_t worker) {
  for (std::uint32_t seen = 0;; ++seen) {
    wait_while(started_, seen);
    if (stop_) return;
    do_jobs(worker);
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
  }
}

void Workers::do_jobs(std::size_t worker) {
  for (std::size_t job = worker; job < task_.jobs; job += count_) {
    try {
      task_.call(task_.what, job);
    } catch (...) {
      errors_[job] = std::current_exception();
    }
  }
}

void Workers::run_task(const Task& task) {
  check<Error>(!busy_.exchange(true), "workers: run must not be called while another run lasts");
  const struct Release {
    std::atomic<bool>& busy;
    ~Release() { busy = false; }
  } release{busy_};
  task_ = task;
  errors_.assign(task.jobs, nullptr);
  const bool alone = threads_.empty() || task.jobs <= 1;
  if (!alone) {
    working_.store(static_cast<std::uint32_t>(threads_.size()), std::memory_order_relaxed);
    started_.fetch_add(1, std::memory_order_release);
    started_.notify_all();
  }
  do_jobs(0);
  if (!alone)
    for (std::uint32_t left; (left = working_.load(std::memory_order_acquire)) != 0;)
      wait_while(working_, left);
  const auto first = std::find_if(errors_.begin(), errors_.end(),
                                  [](const std::exception_ptr& error) { return error != nullptr; });
  if (first != errors_.end()) std::rethrow_exception(std::exchange(*first, nullptr));
}

}  // namespace reel
