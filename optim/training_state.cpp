#include <reel/optim/training_state.hpp>

#include <charconv>
#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

// What stands before the names of saved things.
constexpr const char* kOurs = "training.";
constexpr const char* kValue = "training.value.";
constexpr const char* kUpdates = "training.updates.";
constexpr const char* kStep = "training.step";
constexpr const char* kRate = "training.learning_rate";
// Results depend on these too: they must be the same.
constexpr const char* kSeed = "training.seed";
constexpr const char* kShards = "training.shards";
std::string state_name(std::size_t i, const std::string& parameter) {
  return fmt::format("training.state{}.{}", i, parameter);
}

template <class Map>
auto take(Map& map, const std::string& name, const std::string& source) {
  const auto at = map.find(name);
  check<FileError>(at != map.end(), "{}: {} is missing; this is no state of such a training",
                   source, name);
  auto value = std::move(at->second);
  map.erase(at);
  return value;
}

template <class Number>
Number take_number(Safetensors& file, const std::string& name, const std::string& source) {
  const std::string text = take(file.metadata, name, source);
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  check<FileError>(error == std::errc() && end == text.data() + text.size() && number >= 0,
                   "{}: {} must be a number; found {}", source, name, text);
  return number;
}

Array take_array(Safetensors& file, const std::string& name, const Shape& shape,
                 const std::string& source) {
  Array array = take(file.arrays, name, source);
  check<FileError>(shape_of(array) == shape, "{}: {} must be {}; found {}", source, name, shape,
                   shape_of(array));
  return array;
}

}  // namespace

void save_training(const std::filesystem::path& path, const Optimizer& optimizer,
                   const TrainStep& step, Safetensors more) {
  const auto check_theirs = [](const auto& named) {
    for (const auto& [name, value] : named)
      check<Error>(!name.starts_with(kOurs),
                   "training state: a name must not begin with {}; got {}", kOurs, name);
  };
  check_theirs(more.arrays);
  check_theirs(more.metadata);
  const auto put = [&](const std::string& name, const Array& array) {
    const bool added = more.arrays.emplace(name, array).second;
    check<Error>(added, "training state: names must differ; got {} twice", name);
  };
  check<Error>(std::isfinite(optimizer.learning_rate) && optimizer.learning_rate >= 0,
               "training state: the learning rate must be finite and not negative; got {}",
               optimizer.learning_rate);
  const std::vector<Parameter*>& parameters = optimizer.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = *parameters[i];
    check<Error>(!p.name.empty(),
                 "training state: parameter {} has no name; call parameters(model)", i);
    check<Error>(!p.has_grad(),
                 "training state: gradients are not saved, so they must have been used or cleared; "
                 "{} has one",
                 p.name);
    put(kValue + p.name, p.value());
    const Optimizer::Slot& slot = optimizer.slots()[i];
    for (std::size_t s = 0; s < slot.state.size(); ++s) put(state_name(s, p.name), slot.state[s]);
    more.metadata[kUpdates + p.name] = std::to_string(slot.steps);
  }
  more.metadata[kStep] = std::to_string(step.step_number);
  more.metadata[kSeed] = std::to_string(step.seed());
  more.metadata[kShards] = std::to_string(step.shards());
  more.metadata[kRate] = fmt::format("{}", optimizer.learning_rate);
  save_safetensors(path, more);
}

Safetensors load_training(const std::filesystem::path& path, Optimizer& optimizer,
                          TrainStep& step) {
  const std::string source = path;
  Safetensors file = load_safetensors(path);
  std::vector<Array> values;
  std::vector<Optimizer::Slot> slots;
  for (const Parameter* p : optimizer.parameters()) {
    values.push_back(take_array(file, kValue + p->name, p->shape(), source));
    Optimizer::Slot& slot = slots.emplace_back();
    slot.steps = take_number<std::size_t>(file, kUpdates + p->name, source);
    for (std::size_t s = 0; file.arrays.contains(state_name(s, p->name)); ++s)
      slot.state.push_back(take_array(file, state_name(s, p->name), p->shape(), source));
  }
  const auto step_number = take_number<std::size_t>(file, kStep, source);
  const auto rate = take_number<double>(file, kRate, source);
  const auto check_same = [&](const char* name, std::uint64_t here) {
    const auto there = take_number<std::uint64_t>(file, name, source);
    check<FileError>(there == here, "{}: {} must be this training's {}; found {}", source, name,
                     here, there);
  };
  check_same(kSeed, step.seed());
  check_same(kShards, step.shards());
  for (const auto& [name, array] : file.arrays)
    check<FileError>(!name.starts_with(kOurs), "{}: {} belongs to no parameter of this training",
                     source, name);
  try {
    optimizer.set_slots(std::move(slots));
  } catch (const Error& e) {
    throw FileError(source + ": " + e.what());
  }
  step.step_number = step_number;
  optimizer.learning_rate = rate;
  optimizer.zero_grad();
  for (std::size_t i = 0; i < values.size(); ++i)
    optimizer.parameters()[i]->mutable_value() = std::move(values[i]);
  return file;
}

}  // namespace reel::inline REEL_PRECISION
