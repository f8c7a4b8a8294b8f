#include "gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/file.hpp>

#include <filesystem>

namespace apps {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / "reel-chart-XXXXXX") {
    std::string name = path_;
    reel::check<reel::Error>(::mkdtemp(name.data()) != nullptr, "{}: cannot make a folder there",
                             path_.parent_path().string());
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

// The exit code of gnuplot, its outputs in files.
int run(const std::string& script, const std::string& out, const std::string& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kNew, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kNew, 0600);
  std::string program = "gnuplot", file = script;
  char* const arguments[] = {program.data(), file.data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  reel::check<reel::Error>(failed == 0, "gnuplot: not found; charts need Debian's gnuplot-nox");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

std::string gnuplot_string(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return result + "'";
}

std::string draw(const std::string& script) {
  const TemporaryFolder folder;
  const std::string file = folder / "script", out = folder / "out", err = folder / "err";
  reel::write_file_atomically(file, "set encoding utf8\n" + script);
  const int code = run(file, out, err);
  const std::string svg = reel::read_file(out);
  const std::size_t begin = svg.find("<svg");
  reel::check<reel::Error>(code == 0 && begin != svg.npos, "gnuplot: ended with {}: {}", code,
                           reel::read_file(err));
  return svg.substr(begin);
}

}  // namespace apps
