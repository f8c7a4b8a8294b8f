#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/file.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace reel {
namespace {

using std::filesystem::path;

[[noreturn]] void fail(const path& file, std::string_view rule) {
  const std::string reason = std::generic_category().message(errno);
  throw FileError(fmt::format("{}: {}; found: {}", file.string(), rule, reason));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

// A new file beside its target, gone again unless it took the target's place.
class Draft {
 public:
  explicit Draft(const path& target) : target_(target), file_(create()) {
    if (!file_.valid()) fail(target_, "must be writable");
  }
  ~Draft() {
    if (file_.valid() && !published_) ::unlink(path_.c_str());
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) fail(target_, "must be writable");
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void publish() {
    if (::fsync(file_.get()) != 0) fail(target_, "must be writable");
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, "must be replaceable");
    published_ = true;
    const path folder = target_.has_parent_path() ? target_.parent_path() : path(".");
    const Descriptor entries(::open(folder.c_str(), O_RDONLY | O_CLOEXEC));
    if (entries.valid()) ::fsync(entries.get());  // the rename itself survives a power cut
  }

 private:
  // O_EXCL: never writes through a name that exists, such as one left by a killed process.
  int create() {
    static std::atomic<unsigned> count = 0;
    int number;
    do {
      path_ = target_;
      path_ += fmt::format(".tmp-{}-{}", ::getpid(), count++);
      number = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (number < 0 && errno == EEXIST);
    return number;
  }

  path target_, path_;
  Descriptor file_;
  bool published_ = false;
};

}  // namespace

std::string read_file(const path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!file.valid() || ::fstat(file.get(), &status) != 0) fail(path, "must be a readable file");
  check<FileError>(!S_ISDIR(status.st_mode), "{}: must be a readable file; found a folder",
                   path.string());
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(status.st_size));
  std::array<char, 1 << 16> part;
  for (;;) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got == 0) return bytes;
    if (got < 0 && errno != EINTR) fail(path, "must be a readable file");
    if (got > 0) bytes.append(part.data(), static_cast<std::size_t>(got));
  }
}

void check_writable(const path& path) {
  std::error_code ignored;
  check<FileError>(!std::filesystem::is_directory(path, ignored),
                   "{}: must be writable; found a folder", path.string());
  const Draft draft(path);
}

void write_file_atomically(const path& path, std::string_view bytes) {
  Draft draft(path);
  draft.write(bytes);
  draft.publish();
}

}  // namespace reel
