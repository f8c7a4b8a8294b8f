#include <utf8proc.h>
#include <reel/data/bleu.hpp>
#include <reel/data/text.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace reel {
namespace {

using Words = std::vector<std::string>;
constexpr std::size_t kOrders = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }
// ASCII save letters, digits, controls and ' , - . (the space counts, and does no harm)
bool is_symbol(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(from, begin)) != text.npos; begin = at + from.size())
    out.append(text, begin, at - begin).append(to);
  text = out.append(text, begin);
}

// Writes `before` between two neighbours a b that match, and `after` behind b; matches do not
// overlap.
template <class First, class Second>
std::string separate(const std::string& text, First&& first, Second&& second,
                     std::string_view ahead, std::string_view between, std::string_view after) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    out.append(ahead) += text[i];
    out.append(between) += text[++i];
    out.append(after);
  }
  return out;
}

bool is_space(utf8proc_int32_t point) {
  if ((point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x1f) || point == 0x85)
    return true;
  const utf8proc_category_t category = utf8proc_category(point);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

Words split_at_spaces(const std::string& text) {
  Words words;
  bool open = false;
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t point;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
    const auto size = static_cast<std::size_t>(
        utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &point));
    const bool space = is_space(point);
    if (!space && !open) words.emplace_back();
    if (!space) words.back().append(text, at, size);
    open = !space;
    at += size;
  }
  return words;
}

// How often each n-gram occurs, as its words joined by spaces.
using Counts = std::map<std::string, std::size_t>;
std::array<Counts, kOrders> ngrams(const Words& words) {
  std::array<Counts, kOrders> counts;
  for (std::size_t begin = 0; begin < words.size(); ++begin) {
    std::string gram;
    for (std::size_t n = 0; n < kOrders && begin + n < words.size(); ++n) {
      gram += words[begin + n] + ' ';
      ++counts[n][gram];
    }
  }
  return counts;
}

struct Sums {
  std::array<std::size_t, kOrders> matches{}, totals{};
  std::size_t hypothesis_words = 0, reference_words = 0;

  void add(const std::string& hypothesis, const std::vector<std::string>& references) {
    const Words words = tokenize_13a(hypothesis);
    const auto counts = ngrams(words);
    std::array<Counts, kOrders> most;
    std::size_t nearest = 0, distance = std::string::npos;
    for (const std::string& text : references) {
      const Words reference = tokenize_13a(text);
      const std::size_t length = reference.size();
      const std::size_t apart =
          length > words.size() ? length - words.size() : words.size() - length;
      if (apart < distance || (apart == distance && length < nearest))
        nearest = length, distance = apart;
      const auto grams = ngrams(reference);
      for (std::size_t n = 0; n < kOrders; ++n)
        for (const auto& [gram, count] : grams[n]) most[n][gram] = std::max(most[n][gram], count);
    }
    for (std::size_t n = 0; n < kOrders; ++n)
      for (const auto& [gram, count] : counts[n]) {
        totals[n] += count;
        const auto found = most[n].find(gram);
        if (found != most[n].end()) matches[n] += std::min(count, found->second);
      }
    hypothesis_words += words.size();
    reference_words += nearest;
  }
};

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view line) {
  check_utf8(line, "tokenize_13a");
  std::string text(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string apart = " ";
  for (const char c : text) {
    if (is_symbol(c)) apart += ' ';
    apart += c;
    if (is_symbol(c)) apart += ' ';
  }
  apart += ' ';
  const auto no_digit = [](char c) { return !is_digit(c); };
  const auto is_dash = [](char c) { return c == '-'; };
  apart = separate(apart, no_digit, is_point, "", " ", " ");
  apart = separate(apart, is_point, no_digit, " ", " ", "");
  apart = separate(apart, is_digit, is_dash, "", " ", " ");
  return split_at_spaces(apart);
}

Bleu corpus_bleu(std::span<const std::string> hypotheses,
                 std::span<const std::vector<std::string>> references) {
  check<Error>(!hypotheses.empty() && hypotheses.size() == references.size(),
               "corpus_bleu: there must be references for each hypothesis; got {} and {}",
               references.size(), hypotheses.size());
  Sums sums;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    check<Error>(!references[i].empty(), "corpus_bleu: hypothesis {} must have a reference", i);
    sums.add(hypotheses[i], references[i]);
  }
  Bleu bleu{.hypothesis_words = sums.hypothesis_words, .reference_words = sums.reference_words};
  const auto words = static_cast<double>(sums.hypothesis_words);
  const auto wanted = static_cast<double>(sums.reference_words);
  bleu.brevity_penalty = words >= wanted ? 1 : words > 0 ? std::exp(1 - wanted / words) : 0;
  if (sums.matches == decltype(sums.matches){}) return bleu;
  double log_sum = 0, smoothing = 1;
  for (std::size_t n = 0; n < kOrders; ++n) {
    const auto matches = static_cast<double>(sums.matches[n]);
    const auto total = static_cast<double>(sums.totals[n]);
    if (total == 0) return bleu;  // no hypothesis is as long as this: the score is 0
    if (matches == 0) smoothing *= 2;
    bleu.precisions[n] = matches > 0 ? 100 * matches / total : 100 / (smoothing * total);
    log_sum += std::log(bleu.precisions[n]);
  }
  bleu.score = bleu.brevity_penalty * std::exp(log_sum / kOrders);
  return bleu;
}

}  // namespace reel
