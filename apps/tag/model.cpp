#include "model.hpp"

#include <reel/data/batches.hpp>
#include <reel/data/text.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/loss.hpp>

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace tag {

using namespace reel;

namespace {

constexpr double kEmbeddingDeviation = 0.1;
constexpr std::size_t kWindow = 3;         // characters that a convolution's filter sees
constexpr std::size_t kPredictBatch = 64;  // sentences
constexpr std::int64_t kIgnore = -100;     // no tag: past a sentence's end

}  // namespace

Model::Model(const Settings& s, const Sizes& sizes, Random& random)
    : words_(sizes.words, s.embedding_size, random, kEmbeddingDeviation),
      shapes_(s.shape_size == 0 ? std::nullopt
                                : std::optional(Embedding(sizes.shapes, s.shape_size, random,
                                                          kEmbeddingDeviation))),
      lstm_(s.characters == "lstm" ? std::optional(CharacterLstm(sizes.characters, s.character_size,
                                                                 (s.composed_size + 1) / 2, random))
                                   : std::nullopt),
      convolution_(s.characters == "convolution"
                       ? std::optional(CharacterConvolution(sizes.characters, s.character_size,
                                                            s.composed_size, kWindow, random))
                       : std::nullopt),
      dropout_(s.dropout),
      recurrent_(make_bidirectional_stack<Lstm>(input_size(),
                                                std::vector<std::size_t>(s.layers, s.hidden_size),
                                                random, {.dropout = s.dropout})),
      head_(recurrent_.width(), sizes.tags, random),
      crf_(s.crf ? std::optional(Crf(sizes.tags)) : std::nullopt) {}

std::size_t Model::input_size() const {
  return words_.weight.shape()[1] + (shapes_ ? shapes_->weight.shape()[1] : 0) +
         (lstm_ ? lstm_->width() : 0) + (convolution_ ? convolution_->width() : 0);
}

Var Model::operator()(const Input& input, Random* random) const {
  std::vector<Var> parts{words_(input.words)};
  if (shapes_) parts.push_back((*shapes_)(input.shapes));
  const Spellings& s = input.spellings;
  if (lstm_) parts.push_back(gather((*lstm_)(s.characters, s.lengths), s.positions));
  if (convolution_) parts.push_back(gather((*convolution_)(s.characters, s.lengths), s.positions));
  const Var x = dropout_(concat(parts, -1), random);  // [T, B, input]
  const Var states = recurrent_(x, {.lengths = input.lengths, .random = random}).outputs;
  return head_(dropout_(states, random));
}

Var Model::loss(const Input& input, const Indices& tags, Random* random) const {
  const Var scores = (*this)(input, random);
  if (!crf_) return cross_entropy(scores, tags, {.ignore_index = kIgnore});
  const std::size_t words =
      std::accumulate(input.lengths.begin(), input.lengths.end(), std::size_t{0});
  return sum(crf_->negative_log_likelihood(scores, tags, input.lengths)) /
         static_cast<real>(std::max<std::size_t>(words, 1));
}

std::vector<std::vector<std::int64_t>> Model::predict(const Input& input) const {
  const Array scores = (*this)(input, nullptr).value();
  std::vector<std::vector<std::int64_t>> tags;
  // Without transitions the best path is the best tag of each word.
  const Crf free(scores.shape()[2]);
  for (Crf::Path& path : (crf_ ? &*crf_ : &free)->decode(scores, input.lengths))
    tags.push_back(std::move(path.tags));
  return tags;
}

Input Encoded::input(std::span<const std::size_t> rows) const {
  Batch batch = make_batch(words, rows);
  const Indices spelt = make_batch(forms, rows).tokens;
  Input input{std::move(batch.tokens), make_batch(shapes, rows).tokens, {}, {}};
  if (!spellings.empty()) input.spellings = spell(spelt, batch.lengths, spellings);
  input.lengths = std::move(batch.lengths);
  return input;
}

Indices Encoded::tags_of(std::span<const std::size_t> rows) const {
  const Batch batch = make_batch(tags, rows);
  Indices padded = batch.tokens;
  for (std::size_t b = 0; b < rows.size(); ++b)
    for (std::size_t t = batch.lengths[b]; t < padded.shape()[0]; ++t) padded(t, b) = kIgnore;
  return padded;
}

Encoded Tagger::encode(std::span<const TaggedSentence> sentences) const {
  Encoded encoded;
  std::unordered_map<std::string, std::int64_t> forms;
  for (const TaggedSentence& sentence : sentences) {
    auto& word_row = encoded.words.emplace_back();
    auto& shape_row = encoded.shapes.emplace_back();
    auto& form_row = encoded.forms.emplace_back();
    auto& tag_row = encoded.tags.emplace_back();
    for (const std::string& word : sentence.words) {
      word_row.push_back(words.index(fold_case(word)));
      shape_row.push_back(shapes.index(word_shape(word)));
      const auto [at, is_new] = forms.try_emplace(word, encoded.spellings.size());
      form_row.push_back(at->second);
      if (is_new) {
        encoded.spellings.push_back(characters.encode(reel::characters(word)));
        if (encoded.spellings.back().size() > settings.longest_word)
          encoded.spellings.back().resize(settings.longest_word);
      }
    }
    for (const std::string& tag : sentence.tags) {
      const auto at = std::find(tags.begin(), tags.end(), tag);
      tag_row.push_back(at == tags.end() ? -1 : at - tags.begin());
    }
    encoded.lengths.push_back(sentence.words.size());
  }
  return encoded;
}

std::vector<std::vector<std::string>> Tagger::predict(const Encoded& sentences) const {
  std::vector<std::vector<std::string>> all(sentences.lengths.size());
  for (const auto& rows : plan_batches(sentences.lengths, kPredictBatch)) {
    const auto predicted = model.predict(sentences.input(rows));
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (const std::int64_t tag : predicted[i])
        all[rows[i]].push_back(tags[static_cast<std::size_t>(tag)]);
  }
  return all;
}

void Tagger::tag(ConlluSentence& sentence) const {
  TaggedSentence one;
  for (const std::size_t row : sentence.words())
    one.words.push_back(sentence.rows[row][ConlluColumn::kForm]);
  const std::vector<std::string> found = predict(encode({&one, 1}))[0];
  for (std::size_t i = 0; const std::size_t row : sentence.words())
    sentence.rows[row][conllu_column(settings.column)] = found[i++];
}

Tagger make_tagger(const Settings& settings, std::span<const TaggedSentence> sentences,
                   std::uint64_t seed) {
  std::vector<std::vector<std::string>> words, shapes, characters;
  for (const TaggedSentence& sentence : sentences) {
    words.emplace_back();
    shapes.emplace_back();
    for (const std::string& word : sentence.words) {
      words.back().push_back(fold_case(word));
      shapes.back().push_back(word_shape(word));
      characters.push_back(reel::characters(word));
    }
  }
  Vocabulary known(words), seen(shapes), letters(characters);
  std::vector<std::string> tags = tags_of(sentences);
  Random random(seed);
  Model model(settings, {known.size(), seen.size(), letters.size(), tags.size()}, random);
  return {settings,        std::move(tags),    std::move(known),
          std::move(seen), std::move(letters), std::move(model)};
}

}  // namespace tag
