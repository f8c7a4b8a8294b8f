// Whole files, read and replaced at once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace reel {

// The bytes of a file. Throws FileError if it is missing, a folder or not readable.
std::string read_file(const std::filesystem::path& path);

// Writes a new file beside `path` and renames it into place: whoever reads `path`, also after a
// crash, finds the old bytes or the new ones, never a part. Throws FileError, leaving `path` as
// it was and no other file behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
// Throws FileError, as that would, if its folder takes no new file or `path` is a folder.
void check_writable(const std::filesystem::path& path);

}  // namespace reel
