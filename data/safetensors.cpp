#include <reel/autodiff/error.hpp>
#include <reel/data/dtype.hpp>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/data/safetensors.hpp>
#include <reel/data/text.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace reel::inline REEL_PRECISION {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;               // of the header's length, before it
constexpr std::size_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
constexpr std::string_view kMetadata = "__metadata__";

// Where an array lies in the bytes after the header.
struct Entry {
  std::string name;
  const Dtype* dtype;
  Shape shape;
  std::size_t begin, end;
};

std::string_view header_of(std::string_view bytes, std::string_view source) {
  check<FileError>(bytes.size() >= kLengthBytes,
                   "{}: file must begin with the 8 bytes of the header's length; found {} bytes",
                   source, bytes.size());
  std::uint64_t length;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  const std::size_t limit = std::min(bytes.size() - kLengthBytes, kMaxHeaderBytes);
  check<FileError>(length <= limit,
                   "{}: header's length must be at most {} in a safetensors file of {} bytes; "
                   "found {}{}",
                   source, limit, bytes.size(), length,
                   bytes.starts_with("PK") ? " (a zip archive, as torch.save writes it)" : "");
  return bytes.substr(kLengthBytes, length);
}

bool is_list_of_sizes(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& element) {
           return element.is_number_unsigned();
         });
}

// Bytes of an array; nothing if its strides would not fit an index.
std::optional<std::size_t> byte_count(const Shape& shape, std::size_t element_bytes) {
  std::size_t span = element_bytes;
  for (std::size_t extent : shape) {
    if (extent > std::numeric_limits<std::ptrdiff_t>::max() / span) return std::nullopt;
    span *= std::max<std::size_t>(extent, 1);
  }
  return element_bytes * element_count(shape);
}

Entry parse_entry(const std::string& name, const json& value, std::string_view source) {
  const auto require = [&](bool holds, std::string_view rule, const json& found) {
    if (!holds)
      throw FileError(
          fmt::format("{}: array {:?}: {}; found {:.80}", source, name, rule, found.dump()));
  };
  for (const char* key : {"dtype", "shape", "data_offsets"})
    require(value.is_object() && value.contains(key),
            "must be an object with dtype, shape and data_offsets", value);
  const json& dtype = value["dtype"];
  const json& shape = value["shape"];
  const json& offsets = value["data_offsets"];
  const auto* known = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                   [&](const Dtype& type) { return dtype == type.name; });
  require(known != std::end(kDtypes), "dtype must be F64, F32, F16 or BF16", dtype);
  require(is_list_of_sizes(shape) && shape.size() <= Shape::kCapacity,
          "shape must be a list of at most 8 whole numbers", shape);
  require(is_list_of_sizes(offsets) && offsets.size() == 2 && offsets[0] <= offsets[1],
          "data_offsets must be two whole numbers in order", offsets);

  Entry entry{name, known, Shape(shape.begin(), shape.end()), offsets[0], offsets[1]};
  require(byte_count(entry.shape, known->bytes) == entry.end - entry.begin,
          fmt::format("data_offsets must hold shape {} of {}", shape.dump(), known->name), offsets);
  return entry;
}

// The bytes must belong to one array each.
void check_layout(std::vector<Entry>& entries, std::size_t bytes, std::string_view source) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::size_t end = 0;
  for (const Entry& entry : entries) {
    check<FileError>(entry.begin == end,
                     "{}: array {:?}: must begin where the one before it ends, at {}; found {}",
                     source, entry.name, end, entry.begin);
    end = entry.end;
  }
  check<FileError>(end == bytes, "{}: arrays must fill the {} bytes after the header; found {}",
                   source, bytes, end);
}

}  // namespace

Safetensors parse_safetensors(std::string_view bytes, std::string_view source) {
  const std::string_view header_text = header_of(bytes, source);
  const std::string_view data = bytes.substr(kLengthBytes + header_text.size());
  const json header = parse_json(header_text, fmt::format("{}: header", source));
  check<FileError>(header.is_object(), "{}: header must be a JSON object; found {}", source,
                   header.type_name());
  Safetensors content;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) {
      entries.push_back(parse_entry(name, value, source));
      continue;
    }
    check<FileError>(value.is_object(), "{}: metadata must be a JSON object; found {}", source,
                     value.type_name());
    for (const auto& [key, text] : value.items()) {
      check<FileError>(text.is_string(), "{}: metadata {:?} must be a string; found {}", source,
                       key, text.type_name());
      content.metadata.emplace(key, text.template get<std::string>());
    }
  }
  check_layout(entries, data.size(), source);
  for (const Entry& entry : entries) {
    Array array = empty_array(entry.shape);
    entry.dtype->read(data.substr(entry.begin, entry.end - entry.begin),
                      {array.data(), array.size()});
    content.arrays.emplace(entry.name, std::move(array));
  }
  return content;
}

std::string serialize_safetensors(const Safetensors& content) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, text] : content.metadata) {
    check_utf8(key, "safetensors: metadata key");
    check_utf8(text, "safetensors: metadata");
    header[std::string(kMetadata)][key] = text;
  }
  std::size_t end = 0;
  for (const auto& [name, array] : content.arrays) {
    check<Error>(name != kMetadata, "safetensors: an array must not be called {}", kMetadata);
    check_utf8(name, "safetensors: array name");
    const std::size_t begin = end;
    end += array.size() * sizeof(real);
    header[name] = {{"dtype", kRealDtype},
                    {"shape", std::vector(array.shape().begin(), array.shape().end())},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();

  std::string bytes;
  bytes.reserve(kLengthBytes + text.size() + end);
  bytes.append(reinterpret_cast<const char*>(&length), kLengthBytes).append(text);
  for (const auto& [name, array] : content.arrays)
    bytes.append(reinterpret_cast<const char*>(array.data()), array.size() * sizeof(real));
  return bytes;
}

Safetensors load_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path), path.string());
}

void save_safetensors(const std::filesystem::path& path, const Safetensors& content) {
  write_file_atomically(path, serialize_safetensors(content));
}

}  // namespace reel::inline REEL_PRECISION
