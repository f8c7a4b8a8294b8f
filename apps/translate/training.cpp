#include "training.hpp"

#include <reel/data/batches.hpp>
#include <reel/optim/train_step.hpp>

#include <algorithm>

#include "../common/settings.hpp"

namespace translate {

using namespace reel;

Parts split(const Pairs& pairs) {
  Parts parts;
  for (const SentencePair& pair : pairs) {
    const double at = hash_share(pair.source);
    Pairs& part = at < kTestShare               ? parts.test
                  : at < kTestShare + kDevShare ? parts.dev
                                                : parts.train;
    part.push_back(pair);
  }
  return parts;
}

Translator prepare(const Pairs& train, const Settings& settings, std::uint64_t seed) {
  std::vector<std::string> sources, targets;
  for (const SentencePair& pair : train) {
    sources.push_back(pair.source);
    targets.push_back(pair.target);
  }
  const BytePairLimits limits{.size = settings.subwords};
  Random random(seed);
  return make_translator(settings, BytePairs::learn(sources, limits),
                         BytePairs::learn(targets, limits), random);
}

namespace {

struct Examples {
  std::vector<Tokens> sources, targets;

  std::size_t target_tokens(std::span<const std::size_t> rows) const {
    std::size_t count = 0;
    for (const std::size_t row : rows) count += targets[row].size();
    return count;
  }
};

Examples encode(const Translator& translator, const Pairs& pairs) {
  Examples examples;
  for (const SentencePair& pair : pairs) {
    examples.sources.push_back(translator.encode_source(pair.source));
    examples.targets.push_back(translator.encode_target(pair.target));
  }
  return examples;
}

Var loss_of(const Network& network, const Examples& examples, std::span<const std::size_t> rows,
            const Teacher& teacher, double label_smoothing, Random* random) {
  const Batch source = make_batch(examples.sources, rows);
  const Batch target = make_batch(examples.targets, rows);
  return network.loss(network.encode(source.tokens, source.lengths, random),
                      TargetSteps(target.tokens, target.lengths, BytePairs::kStart), teacher,
                      static_cast<real>(label_smoothing), random);
}

std::vector<std::string> first_of(const std::vector<std::vector<Translation>>& all) {
  std::vector<std::string> texts;
  for (const auto& best : all) texts.push_back(best.front().text);
  return texts;
}

// Sources once each, in order, with all their translations.
struct Distinct {
  std::vector<std::string> sources;
  std::vector<std::vector<std::string>> references;
  std::vector<std::size_t> of_pair;  // pair -> its source
};
Distinct distinct(const Pairs& pairs) {
  Distinct all;
  std::map<std::string, std::size_t> index;
  for (const SentencePair& pair : pairs) {
    const auto [at, is_new] = index.emplace(pair.source, all.sources.size());
    if (is_new) {
      all.sources.push_back(pair.source);
      all.references.emplace_back();
    }
    all.references[at->second].push_back(pair.target);
    all.of_pair.push_back(at->second);
  }
  return all;
}

}  // namespace

bool train(Translator& translator, const Parts& parts, const TrainOptions& options,
           apps::Report& report) {
  const Examples examples = encode(translator, parts.train), dev = encode(translator, parts.dev);
  // Sorted by the source's length, then the target's, batches have little to pad.
  apps::Rows pairs;
  for (std::size_t i = 0; i < examples.sources.size(); ++i) {
    pairs.units.push_back(examples.targets[i].size());
    pairs.lengths.push_back(examples.sources[i].size() * apps::kMostSize + pairs.units.back());
  }
  Adam optimizer(parameters(translator.network), {.learning_rate = options.learning_rate});
  TrainStep step(optimizer, options.step());

  apps::TrainingTask task;
  const auto loss = [&](std::span<const std::size_t> some, Random& random) {
    return loss_of(translator.network, examples, some, {options.forced, &random},
                   options.label_smoothing, &random);
  };
  apps::learn_rows(task, std::move(pairs), options.batch_size, step, loss);
  if (!parts.dev.empty()) {
    task.measure = [&]() -> std::vector<apps::Measure> {
      double sum = 0, count = 0;
      for (const auto& rows : plan_batches(std::vector<std::size_t>(dev.sources.size()), 64)) {
        const auto tokens = static_cast<double>(dev.target_tokens(rows));
        sum += tokens * loss_of(translator.network, dev, rows, {}, 0, nullptr).item();
        count += tokens;
      }
      const Distinct sources = distinct(parts.dev);
      const auto said = first_of(translator.translate(sources.sources, {.beam = 1}));
      return {{"dev loss", sum / count}, {"dev BLEU", corpus_bleu(said, sources.references).score}};
    };
    task.best_by = "dev BLEU";
    task.lower_is_better = false;
  }
  return apps::run_training(task, optimizer, step, options, report,
                            reel::describe(translator.network));
}

Score evaluate(const Translator& translator, const Pairs& pairs, const Search& beam) {
  const Distinct all = distinct(pairs);
  const auto greedy = first_of(translator.translate(all.sources, {.beam = 1}));
  const auto best = first_of(translator.translate(all.sources, beam));
  Score score;
  std::vector<std::vector<std::string>> references;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    score.by_greedy.push_back(greedy[all.of_pair[i]]);
    score.by_beam.push_back(best[all.of_pair[i]]);
    references.push_back({pairs[i].target});
  }
  score.greedy = corpus_bleu(score.by_greedy, references);
  score.beam = corpus_bleu(score.by_beam, references);
  score.greedy_any = corpus_bleu(greedy, all.references);
  score.beam_any = corpus_bleu(best, all.references);
  return score;
}

std::string describe(const Score& score, const Search& beam) {
  return fmt::format(
      "BLEU  greedy {:.2f}  beam of {} {:.2f}\n"
      "against all translations of a source  greedy {:.2f}  beam of {} {:.2f}\n",
      score.greedy.score, beam.beam, score.beam.score, score.greedy_any.score, beam.beam,
      score.beam_any.score);
}

}  // namespace translate
