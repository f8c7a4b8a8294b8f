// The folder of a trained model: settings.json, what belongs to it such as vocabularies, and
// weights.safetensors.
#pragma once

#include <fmt/format.h>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/optim/weights.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apps {

constexpr std::size_t kMostSize = std::size_t{1} << 20;
constexpr const char* kSettingsFile = "settings.json";

// The files, by name, that the meaning of weights depends on beside the settings.
using Companions = std::vector<std::pair<std::string, std::string>>;

// Writes all files of the folder, which must be there; each is replaced whole, the weights last.
void save_model(const std::filesystem::path& folder, const nlohmann::ordered_json& settings,
                const Companions& companions, const std::vector<reel::Parameter*>& parameters);

// A size in the settings: a number that is no mistake. Throws reel::Error, nlohmann's if there is
// none.
void get_size(const nlohmann::json& settings, const char* key, std::size_t& size,
              std::size_t least = 1, std::size_t most = kMostSize);
// One of the names that there are; throws likewise.
void get_choice(const nlohmann::json& settings, const char* key, std::string& name,
                const std::vector<std::string>& choices);

// Returns make(settings), a model. Its reel::FileErrors name another file; its other reel::Errors
// and nlohmann's become a FileError that names this one, settings of `what` ("a tagger").
template <class Make>
auto load_model(const std::filesystem::path& folder, std::string_view what, const Make& make) {
  const std::string source = folder / kSettingsFile;
  const nlohmann::json settings = reel::parse_json(reel::read_file(source), source);
  try {
    return make(settings);
  } catch (const reel::FileError&) {
    throw;
  } catch (const reel::Error& e) {
    throw reel::FileError(fmt::format("{}: {}", source, e.what()));
  } catch (const nlohmann::json::exception& e) {
    throw reel::FileError(
        fmt::format("{}: these are no settings of {}; {}", source, what, e.what()));
  }
}

class SavedWeights {
 public:
  // To be read before a model is made, of whatever size. Throws reel::FileError unless they were
  // saved with the folder's settings and these companions.
  SavedWeights(const std::filesystem::path& folder, const Companions& companions);
  void copy_to(const std::vector<reel::Parameter*>& parameters) const {
    reel::import_weights(parameters, arrays_, path_);
  }

 private:
  std::string path_;
  reel::NamedArrays arrays_;
};

}  // namespace apps
