#include "settings.hpp"

#include <algorithm>

namespace apps {

using namespace reel;
namespace fs = std::filesystem;

namespace {

constexpr const char* kWeightsFile = "weights.safetensors";
constexpr const char* kFingerprint = "fingerprint";

// Of all that weights depend on (FNV-1a), so that they are never used with anything else.
std::string fingerprint(std::string text, const Companions& companions) {
  for (const auto& companion : companions) text += companion.second;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace

void save_model(const fs::path& folder, const nlohmann::ordered_json& settings,
                const Companions& companions, const std::vector<Parameter*>& parameters) {
  const std::string text = settings.dump(2) + "\n";
  write_file_atomically(folder / kSettingsFile, text);
  for (const auto& [name, bytes] : companions) write_file_atomically(folder / name, bytes);
  save_safetensors(folder / kWeightsFile,
                   {.arrays = export_weights(parameters),
                    .metadata = {{kFingerprint, fingerprint(text, companions)}}});
}

void get_size(const nlohmann::json& settings, const char* key, std::size_t& size, std::size_t least,
              std::size_t most) {
  const auto& value = settings.at(key);
  check<Error>(value.is_number_unsigned() && value >= least && value <= most,
               "{} must lie in {} .. {}; found {}", key, least, most, value.dump());
  value.get_to(size);
}

void get_choice(const nlohmann::json& settings, const char* key, std::string& name,
                const std::vector<std::string>& choices) {
  settings.at(key).get_to(name);
  check<Error>(std::find(choices.begin(), choices.end(), name) != choices.end(),
               "{} must be one of {}; found {:?}", key, fmt::join(choices, ", "), name);
}

SavedWeights::SavedWeights(const fs::path& folder, const Companions& companions)
    : path_(folder / kWeightsFile) {
  Safetensors file = load_safetensors(path_);
  const std::string expected = fingerprint(read_file(folder / kSettingsFile), companions);
  // Older files have it under other names, or, of music, not at all.
  const auto is_expected = [&](const auto& entry) { return entry.second == expected; };
  const bool fits = file.metadata.empty() || std::ranges::any_of(file.metadata, is_expected);
  std::string names = kSettingsFile;
  for (const auto& companion : companions) names += ", " + companion.first;
  check<FileError>(fits, "{}: must have been saved with {} beside it; found those of another model",
                   path_, names);
  arrays_ = std::move(file.arrays);
}

}  // namespace apps
