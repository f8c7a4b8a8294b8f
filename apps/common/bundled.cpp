#include "bundled.hpp"

#include <reel/autodiff/error.hpp>

namespace apps {

namespace fs = std::filesystem;

fs::path bundled(const std::string& folder) {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share/reel" / folder;
  if (fs::is_directory(installed)) return installed;
  const fs::path source = fs::path(REEL_APPS_DIR) / folder;
  reel::check<reel::FileError>(
      fs::is_directory(source),
      "{}: the bundled data are not there; found neither this folder nor {}", installed.string(),
      source.string());
  return source;
}

}  // namespace apps
