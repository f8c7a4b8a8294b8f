#include <reel/autodiff/error.hpp>
#include <reel/data/byte_pairs.hpp>

#include <algorithm>
#include <map>
#include <queue>
#include <set>

namespace reel {
namespace {

using Token = std::int64_t;
using Pair = std::pair<Token, Token>;

struct Word {
  std::vector<Token> tokens;
  std::size_t count;
};

// Words of all texts with their pairs, counted, while pairs are joined.
class Joining {
 public:
  explicit Joining(std::vector<Word> words) : words_(std::move(words)) {
    for (std::size_t w = 0; w < words_.size(); ++w) count_pairs(w, true);
    for (const auto& [pair, uses] : pairs_) queue_.push({uses.count, pair});
  }

  // The most frequent pair, of equal ones that of the smallest indices; false if all are rarer.
  bool next(std::size_t min_count, Pair& pair) {
    for (; !queue_.empty(); queue_.pop()) {
      const Entry& top = queue_.top();
      const auto found = pairs_.find(top.pair);
      if (found == pairs_.end() || found->second.count != top.count) continue;  // out of date
      pair = top.pair;
      return top.count >= min_count;
    }
    return false;
  }

  void join(const Pair& pair, Token joined) {
    const std::set<std::size_t> in = std::move(pairs_.at(pair).words);
    changed_.clear();
    for (const std::size_t w : in) {
      count_pairs(w, false);
      std::vector<Token>& tokens = words_[w].tokens;
      std::vector<Token> next;
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        const bool both =
            i + 1 < tokens.size() && tokens[i] == pair.first && tokens[i + 1] == pair.second;
        next.push_back(both ? joined : tokens[i]);
        if (both) ++i;
      }
      tokens = std::move(next);
      count_pairs(w, true);
    }
    for (const Pair& one : changed_) {
      const auto found = pairs_.find(one);
      if (found->second.count == 0)
        pairs_.erase(found);
      else
        queue_.push({found->second.count, one});
    }
  }

 private:
  struct Uses {
    std::size_t count = 0;
    std::set<std::size_t> words;
  };
  struct Entry {
    std::size_t count;
    Pair pair;
    bool operator<(const Entry& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  // Adds, or takes away, the pairs of a word.
  void count_pairs(std::size_t w, bool add) {
    const Word& word = words_[w];
    for (std::size_t i = 0; i + 1 < word.tokens.size(); ++i) {
      const Pair pair{word.tokens[i], word.tokens[i + 1]};
      Uses& uses = pairs_[pair];
      if (add) {
        uses.count += word.count;
        uses.words.insert(w);
      } else {
        uses.count -= word.count;
        uses.words.erase(w);
      }
      changed_.insert(pair);
    }
  }

  std::vector<Word> words_;
  std::map<Pair, Uses> pairs_;
  std::set<Pair> changed_;
  std::priority_queue<Entry> queue_;
};

}  // namespace

BytePairs BytePairs::learn(std::span<const std::string> texts, const BytePairLimits& limits) {
  std::map<std::string, std::size_t> words, counts;
  for (const std::string& text : texts)
    if (!text.empty())
      for (const std::string& word : detail::byte_pair_words(text)) ++words[word];
  for (const auto& [word, count] : words)
    for (const std::string_view character : detail::characters_of(word))
      counts[std::string(character)] += count;
  std::vector<std::pair<std::string, std::size_t>> known;
  for (const auto& one : counts)
    if (one.second >= limits.min_count) known.push_back(one);
  std::stable_sort(known.begin(), known.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  BytePairs pairs;
  check<Error>(limits.size >= pairs.size(), "byte pairs: there must be room for {} tokens; got {}",
               pairs.size(), limits.size);
  known.resize(std::min(known.size(), limits.size - pairs.size()));
  std::vector<std::string> characters;
  for (const auto& [character, count] : known) characters.push_back(character);
  pairs = BytePairs(characters, {});

  // Unknown characters cut a word.
  std::vector<Word> known_words;
  for (const auto& [word, count] : words) {
    std::vector<Token> tokens;
    const auto end_word = [&, count = count] {
      if (tokens.size() > 1) known_words.push_back({tokens, count});
      tokens.clear();
    };
    for (const std::string_view character : detail::characters_of(word)) {
      const auto found = pairs.indices_.find(std::string(character));
      found == pairs.indices_.end() ? end_word() : tokens.push_back(found->second);
    }
    end_word();
  }
  Joining joining(std::move(known_words));
  for (Pair pair; pairs.size() < limits.size && joining.next(limits.min_count, pair);) {
    pairs.join(pair);
    joining.join(pair, pairs.by_pair_.at(key(pair)).token);
  }
  return pairs;
}

}  // namespace reel
