// A child process that is talked to over its standard input and output.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace bench {

class Subprocess {
 public:
  explicit Subprocess(const std::vector<std::string>& command);  // throws std::system_error
  ~Subprocess();  // closes its input and waits for its end
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  // Throw std::runtime_error when the child is gone.
  void write(const void* bytes, std::size_t count);
  void write_line(const std::string& line);
  void read(void* bytes, std::size_t count);
  std::string read_line();

 private:
  int pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace bench
