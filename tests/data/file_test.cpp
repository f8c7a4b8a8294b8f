#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <reel/data/file.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;

TEST(FileTest, BytesComeBack) {
  const TempFolder folder;
  std::string bytes(200'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i >> 3);
  for (const std::string& content : {std::string(), std::string("one"), bytes}) {
    write_file_atomically(folder / "file", content);
    EXPECT_EQ(read_file(folder / "file"), content);
  }
  EXPECT_EQ(folder.list(), std::vector<std::string>{"file"});
}

TEST(FileTest, RelativePathWithoutFolderIsWritten) {
  const TempFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder / ".");
  write_file_atomically("bare", "x");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder / "bare"), "x");
}

TEST(FileTest, NewFileHasTheUsualPermissions) {
  const TempFolder folder;
  write_file_atomically(folder / "draft", "x");
  folder.write("plain", "x");
  EXPECT_EQ(std::filesystem::status(folder / "draft").permissions(),
            std::filesystem::status(folder / "plain").permissions());
}

TEST(FileTest, PipeIsRead) {
  const TempFolder folder;
  const auto pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string command = "printf through > '" + pipe.string() + "' &";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read_file(pipe), "through");
}

TEST(FileTest, ReadErrorsNameThePath) {
  const TempFolder folder;
  const std::string missing = folder / "missing";
  EXPECT_EQ(error_of<FileError>([&] { read_file(missing); }),
            missing + ": must be a readable file; found: No such file or directory");
  const std::string itself = folder / "";
  EXPECT_EQ(error_of<FileError>([&] { read_file(itself); }),
            itself + ": must be a readable file; found a folder");
}

TEST(FileTest, MissingFolderIsAnError) {
  const TempFolder folder;
  const std::string path = folder / "none/file";
  EXPECT_EQ(error_of<FileError>([&] { write_file_atomically(path, "x"); }),
            path + ": must be writable; found: No such file or directory");
}

TEST(FileTest, FolderIsNotReplacedAndNothingIsLeftBehind) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "target");
  const std::string path = folder / "target";
  EXPECT_EQ(error_of<FileError>([&] { write_file_atomically(path, "x"); }),
            path + ": must be replaceable; found: Is a directory");
  EXPECT_EQ(folder.list(), std::vector<std::string>{"target"});
}

// A file size limit stands for a full disk.
TEST(FileTest, FailedWriteKeepsTheOldFileAlone) {
  const TempFolder folder;
  const std::string path = folder.write("file", "old");
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{1000, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const std::string error =
      error_of<FileError>([&] { write_file_atomically(path, std::string(5000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(error, path + ": must be writable; found: File too large");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder.list(), std::vector<std::string>{"file"});
}

}  // namespace
}  // namespace reel
