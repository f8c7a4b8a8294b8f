#include "settings.hpp"

#include <fmt/format.h>
#include <reel/autodiff/error.hpp>

namespace apps {

void get_size(const nlohmann::json& json, const char* key, std::size_t& size, std::size_t least,
              std::size_t most) {
  const auto& value = json.at(key);
  reel::check<reel::FileError>(value.is_number_unsigned() && value >= least && value <= most,
                               "{} must lie in {} .. {}; found {}", key, least, most, value.dump());
  value.get_to(size);
}

std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace apps
