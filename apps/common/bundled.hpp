// Data that come with the apps.
#pragma once

#include <filesystem>
#include <string>

namespace apps {

// The folder "tag/ewt", say: in share/reel beside an installed program's bin, or else in apps/ of
// the sources that the program was built from. Throws reel::FileError if it is in neither.
std::filesystem::path bundled(const std::string& folder);

}  // namespace apps
