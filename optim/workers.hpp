// Threads that wait for work, so that a step need not start any.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

namespace reel {

// A fixed number of workers, of which the thread that calls run is one. What a worker keeps from
// job to job, such as its pool of memory, stays warm: job j always runs on worker j % count().
class Workers {
 public:
  // 0: as many as the machine runs at once.
  explicit Workers(std::size_t count = 0);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t count() const { return count_; }

  // Calls act(job) for each job in 0 .. jobs - 1 and waits for all of them. If some throw, the
  // others still run, and the exception of the lowest job is thrown. Neither to be called by two
  // threads at once nor from within a job: throws Error.
  template <class Act>
  void run(std::size_t jobs, Act&& act) {
    run_task({[](void* what, std::size_t job) {
                (*static_cast<std::remove_reference_t<Act>*>(what))(job);
              },
              const_cast<void*>(static_cast<const void*>(&act)), jobs});
  }

 private:
  struct Task {
    void (*call)(void* what, std::size_t job) = nullptr;
    void* what = nullptr;
    std::size_t jobs = 0;
  };
  void run_task(const Task& task);
  void stop();
  void serve(std::size_t worker);
  void wait_while(const std::atomic<std::uint32_t>& x, std::uint32_t old) const;
  void do_jobs(std::size_t worker);

  const std::size_t count_;
  const bool stay_awake_;
  // Written before started_ changes, read after.
  Task task_;
  std::vector<std::exception_ptr> errors_;  // of each job
  bool stop_ = false;
  std::atomic<bool> busy_ = false;
  alignas(64) std::atomic<std::uint32_t> started_ = 0;  // tasks so far
  alignas(64) std::atomic<std::uint32_t> working_ = 0;  // threads that are not done with the last
  std::vector<std::thread> threads_;
};

}  // namespace reel
