// Named arrays in the safetensors format (https://github.com/huggingface/safetensors).
#pragma once

#include <reel/autodiff/array.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace reel::inline REEL_PRECISION {

struct Safetensors {
  std::map<std::string, Array, std::less<>> arrays;
  std::map<std::string, std::string, std::less<>> metadata;
};

// Reads arrays of F64, F32, F16 or BF16, converted to real. Allocates in proportion to the file.
// Throws FileError, naming the path and the rule, for whatever breaks the format: a truncated or
// foreign file, a header that is not JSON of the right form, a shape that does not match its
// bytes, bytes that belong to no array or to two.
Safetensors load_safetensors(const std::filesystem::path& path);

// Writes the arrays as F32 or F64, whichever real is, in order of their names: equal content gives
// equal bytes. Replaces the file as a whole (see write_file_atomically). Throws Error for an array
// called __metadata__ and for names and metadata that are not UTF-8.
void save_safetensors(const std::filesystem::path& path, const Safetensors& content);

// The same in memory; `source` names the bytes in errors.
Safetensors parse_safetensors(std::string_view bytes, std::string_view source);
std::string serialize_safetensors(const Safetensors& content);

}  // namespace reel::inline REEL_PRECISION
