#include "training.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include "../common/bundled.hpp"

namespace names {

using namespace reel;

namespace {

// The files that were given, or else the bundled ones.
Files files_or_bundled(Files files) {
  if (!files.empty()) return files;
  for (const auto& entry : std::filesystem::directory_iterator(apps::bundled("names/names")))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Corpus read_once(const Files& files, const std::vector<std::string>& languages) {
  Corpus corpus = read_class_files(files_or_bundled(files), languages);
  std::set<std::pair<std::int64_t, std::string>> seen;
  std::erase_if(corpus.texts, [&](const LabelledText& name) {
    return !seen.emplace(name.label, name.text).second;
  });
  return corpus;
}

Examples encode(const Corpus& corpus, const std::vector<std::size_t>& which, const Model& model) {
  Examples examples;
  for (const std::size_t i : which) {
    examples.names.push_back(model.encode(corpus.texts[i].text));
    examples.languages.push_back(corpus.texts[i].label);
  }
  return examples;
}

// What a network is asked of some names, and how it answers.
struct Question {
  Batch batch;
  Indices languages;  // [B]

  Question(const Examples& examples, std::span<const std::size_t> rows)
      : batch(make_batch(examples.names, rows)), languages(Indices::from_shape({rows.size()})) {
    for (std::size_t i = 0; i < rows.size(); ++i) languages(i) = examples.languages[rows[i]];
  }
  // Letters after each name's first edge.
  std::size_t letters() const {
    return std::accumulate(batch.lengths.begin(), batch.lengths.end(), std::size_t{0}) -
           batch.lengths.size();
  }

  // Mean over letters: each is predicted from those before it.
  Var loss(const Writer& writer, Random* random, Score*) const {
    const std::size_t steps = batch.tokens.shape()[0] - 1, rows = batch.tokens.shape()[1];
    Indices inputs(Indices::shape_type{steps, rows}, 0), targets = inputs;
    std::vector<std::size_t> lengths;
    for (std::size_t b = 0; b < rows; ++b) {
      lengths.push_back(batch.lengths[b] - 1);
      for (std::size_t t = 0; t < steps; ++t) {
        inputs(t, b) = batch.tokens(t, b);
        targets(t, b) = t < lengths[b] ? batch.tokens(t + 1, b) : Lanes::kNone;
      }
    }
    return cross_entropy(writer(inputs, lengths, languages, random), targets);
  }
  // Mean over names.
  Var loss(const Listener& listener, Random* random, Score* score) const {
    const Var logits = listener(batch.tokens, batch.lengths, random);
    if (score) {
      const Array z = logits.value();
      for (std::size_t i = 0; i < z.shape(0); ++i) {
        const real* row = &z(i, 0);
        const auto best = std::max_element(row, row + z.shape(1)) - row;
        score->accuracy += best == languages(i);
      }
    }
    return cross_entropy(logits, languages);
  }
  double count(const Writer&) const { return static_cast<double>(letters()); }
  double count(const Listener&) const { return static_cast<double>(batch.rows.size()); }
};

double log_probability(const KneserNey& model, const std::vector<std::int64_t>& name) {
  double sum = 0;
  for (std::size_t i = 1; i < name.size(); ++i)
    sum += std::log(model.probability(std::span(name).first(i), name[i]));
  return sum;
}

}  // namespace

Task prepare(const Files& files, const SplitOptions& options, const Settings& settings,
             std::uint64_t seed) {
  const Corpus corpus = read_once(files, {});
  const std::vector<std::int64_t> labels = labels_of(corpus);
  const Split outer = stratified_split(labels, options.held_out, options.seed);
  std::vector<std::int64_t> rest;
  for (const std::size_t i : outer.train) rest.push_back(labels[i]);
  Split inner = stratified_split(rest, options.dev_share, options.seed + 1);
  for (auto* part : {&inner.train, &inner.held_out})
    for (std::size_t& i : *part) i = outer.train[i];
  check<FileError>(!inner.train.empty(), "{}: there must be a name to learn from; found {} in all",
                   fmt::join(corpus.classes, ", "), labels.size());

  std::vector<std::vector<std::string>> letters;
  for (const std::size_t i : inner.train)
    letters.push_back(characters(kEdge + corpus.texts[i].text));
  Vocabulary vocabulary(letters);
  Random random(seed);
  Network network(settings, vocabulary.size(), corpus.classes.size(), random);
  Model model{settings, corpus.classes, std::move(vocabulary), std::move(network)};
  Examples train = encode(corpus, inner.train, model), dev = encode(corpus, inner.held_out, model),
           held_out = encode(corpus, outer.held_out, model);
  return {std::move(model), std::move(train), std::move(dev), std::move(held_out)};
}

Examples read(const Files& files, const Model& model) {
  const Corpus corpus = read_once(files, model.languages);
  std::vector<std::size_t> all(corpus.texts.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return encode(corpus, all, model);
}

Score evaluate(const Model& model, const Examples& examples) {
  Score sum;
  double count = 0;
  std::vector<std::size_t> lengths;
  for (const auto& name : examples.names) lengths.push_back(name.size());
  for (const auto& rows : plan_batches(lengths, 64)) {
    const Question question(examples, rows);
    std::visit(
        [&](const auto& network) {
          sum.loss += question.loss(network, nullptr, &sum).item() * question.count(network);
          count += question.count(network);
        },
        model.network.either);
  }
  return {sum.loss / count, sum.accuracy / static_cast<double>(examples.names.size())};
}

std::string tell(const Settings& settings, const Score& score) {
  if (settings.task == "generate") return fmt::format("{:.4f} nats per letter", score.loss);
  return fmt::format("accuracy {:.4f}", score.accuracy);
}

apps::HeatMap confusion(const Model& model, const Examples& examples) {
  const std::size_t languages = model.languages.size();
  std::vector<double> counts(languages * languages), totals(languages);
  for (const Batch& batch : make_batches(examples.names, 64)) {
    const Array p = model.probabilities(batch);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      const auto truth = static_cast<std::size_t>(examples.languages[batch.rows[i]]);
      const auto best = std::max_element(&p(i, 0), &p(i, 0) + languages) - &p(i, 0);
      counts[truth * languages + static_cast<std::size_t>(best)] += 1;
      totals[truth] += 1;
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] /= std::max(1.0, totals[i / languages]);
  return {"Down: the language; across: what it is taken for", model.languages, model.languages,
          counts};
}

namespace {

// Names that begin with their language instead of an edge, as counts of letters see them.
Score generating_baseline(const Model& model, const Examples& train, const Examples& examples,
                          std::size_t order) {
  const auto with_language = [&](const Examples& from, std::size_t i) {
    std::vector<std::int64_t> name = from.names[i];
    name.front() = static_cast<std::int64_t>(model.letters.size()) + from.languages[i];
    return name;
  };
  std::vector<std::int64_t> all;
  for (std::size_t i = 0; i < train.names.size(); ++i)
    for (const std::int64_t token : with_language(train, i)) all.push_back(token);
  const KneserNey together(all, model.letters.size() + model.languages.size(), order);
  double log_p = 0, count = 0;
  for (std::size_t i = 0; i < examples.names.size(); ++i) {
    log_p += log_probability(together, with_language(examples, i));
    count += static_cast<double>(examples.names[i].size() - 1);
  }
  return {-log_p / count, 0};
}

// The language that is most probable by Bayes' rule, given counts of the letters of each.
Score telling_baseline(const Model& model, const Examples& train, const Examples& examples,
                       std::size_t order) {
  const std::size_t letters = model.letters.size(), languages = model.languages.size();
  std::vector<std::vector<std::int64_t>> of_language(languages);
  for (std::size_t i = 0; i < train.names.size(); ++i) {
    auto& text = of_language[static_cast<std::size_t>(train.languages[i])];
    text.insert(text.end(), train.names[i].begin(), train.names[i].end());
  }
  std::vector<KneserNey> models;
  std::vector<double> prior(languages);
  for (const std::int64_t language : train.languages)
    prior[static_cast<std::size_t>(language)] += 1.0 / static_cast<double>(train.names.size());
  for (const auto& text : of_language)
    models.emplace_back(text.empty() ? std::vector<std::int64_t>{0} : text, letters, order);
  double right = 0;
  for (std::size_t i = 0; i < examples.names.size(); ++i) {
    std::vector<double> scores;
    for (std::size_t l = 0; l < languages; ++l)
      scores.push_back(std::log(prior[l]) + log_probability(models[l], examples.names[i]));
    right +=
        std::max_element(scores.begin(), scores.end()) - scores.begin() == examples.languages[i];
  }
  return {0, right / static_cast<double>(examples.names.size())};
}

}  // namespace

Score baseline(const Model& model, const Examples& train, const Examples& examples,
               std::size_t order) {
  const bool generates = model.settings.task == "generate";
  return (generates ? generating_baseline : telling_baseline)(model, train, examples, order);
}

double majority(const Examples& train, const Examples& examples) {
  std::map<std::int64_t, std::size_t> counts;
  for (const std::int64_t language : train.languages) ++counts[language];
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const std::int64_t most = std::max_element(counts.begin(), counts.end(), fewer)->first;
  return static_cast<double>(
             std::count(examples.languages.begin(), examples.languages.end(), most)) /
         static_cast<double>(examples.languages.size());
}

bool train(Model& model, const Examples& examples, const Examples& dev, const TrainOptions& options,
           apps::Report& report) {
  Adam optimizer(parameters(model.network), {.learning_rate = options.learning_rate});
  TrainStep step(optimizer, options.step());
  const bool generates = model.settings.task == "generate";
  std::vector<std::size_t> letters;
  for (const auto& name : examples.names) letters.push_back(name.size() - 1);

  apps::TrainingTask task;
  task.unit = "letters";
  const auto loss = [&](std::span<const std::size_t> some, Random& random) {
    const Question question(examples, some);
    return std::visit([&](const auto& network) { return question.loss(network, &random, nullptr); },
                      model.network.either);
  };
  apps::Rows names{.units = letters};
  if (!generates) names.weights.assign(letters.size(), 1);
  apps::learn_rows(task, std::move(names), options.batch_size, step, loss);
  if (!dev.names.empty()) {
    task.measure = [&, generates]() -> std::vector<apps::Measure> {
      const Score score = evaluate(model, dev);
      if (generates) return {{"dev loss", score.loss}};
      return {{"dev loss", score.loss}, {"dev accuracy", score.accuracy}};
    };
    task.best_by = generates ? "dev loss" : "dev accuracy";
    task.lower_is_better = generates;
  }
  return apps::run_training(task, optimizer, step, options, report, describe(model.network));
}

}  // namespace names
