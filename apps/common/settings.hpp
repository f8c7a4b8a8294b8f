// What the saved models of the apps share: settings that are checked, and files that belong
// together.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace apps {

constexpr std::size_t kMostSize = std::size_t{1} << 20;

// A size in the settings: a number that is no mistake. Throws reel::FileError, nlohmann's if there
// is none.
void get_size(const nlohmann::json& json, const char* key, std::size_t& size, std::size_t least = 1,
              std::size_t most = kMostSize);

// Of settings and all else that weights depend on (FNV-1a), so that they are never used with
// others.
std::string fingerprint(std::string_view text);

}  // namespace apps
