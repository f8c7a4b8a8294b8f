#include "subprocess.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

namespace bench {
namespace {

void require(bool ok, int error, const std::string& what) {
  if (!ok) throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& command) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that is gone shows as a failed write
  int in[2], out[2];
  require(pipe2(in, O_CLOEXEC) == 0, errno, "pipe");
  require(pipe2(out, O_CLOEXEC) == 0, errno, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const int error = posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "wb");
  from_ = fdopen(out[0], "rb");
  if (error != 0) {
    std::fclose(to_);
    std::fclose(from_);
  }
  require(error == 0, error, command[0]);
}

Subprocess::~Subprocess() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(pid_, nullptr, 0);
}

void Subprocess::write(const void* bytes, std::size_t count) {
  if (std::fwrite(bytes, 1, count, to_) != count || std::fflush(to_) != 0)
    throw std::runtime_error("the process ended early");
}

void Subprocess::write_line(const std::string& line) {
  const std::string text = line + '\n';
  write(text.data(), text.size());
}

void Subprocess::read(void* bytes, std::size_t count) {
  if (std::fread(bytes, 1, count, from_) != count)
    throw std::runtime_error("the process ended early");
}

std::string Subprocess::read_line() {
  std::string line;
  for (int c = std::fgetc(from_); c != '\n'; c = std::fgetc(from_)) {
    if (c == EOF) throw std::runtime_error("the process ended early");
    line += static_cast<char>(c);
  }
  return line;
}

}  // namespace bench
