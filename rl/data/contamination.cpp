#include "rl/data/contamination.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "kernels/error.h"
#include "rl/data/words.h"
#include "rl/data/asked.h"
#include "rl/data/json_rows.h"

namespace rl {
namespace {

constexpr size_t run_words = 13, most_rows_of_a_run = 10;
constexpr std::array<const char*, 6> usual_keys = {"question", "problem", "prompt", "text", "instruction", "messages"};

// Calls `take` with the hash of each run of 13 words and the bytes it spans.
template <typename Take>
void for_each_run(const std::string& text, Take take) {
  const auto words = words_of(text);
  for (size_t i = 0; i + run_words <= words.size(); ++i) {
    uint64_t hash = 0;
    for (size_t k = 0; k < run_words; ++k) hash = (hash ^ words[i + k].hash) * 0x9e3779b97f4a7c15u + (hash >> 29);
    take(hash, words[i].begin, words[i + run_words - 1].end);
  }
}

std::string beginning(const std::string& text) {
  constexpr size_t most = 120;
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // between characters
  return text.substr(0, end) + "...";
}

class Comparison {
 public:
  Comparison(const TextFile& train, const TextFile& test)
      : train_(train), test_(test), best_(test.rows.size(), Match::none) {
    out_.train_name = train.name;
    out_.test_name = test.name;
    out_.train.rows = static_cast<int64_t>(train.rows.size());
    out_.test.rows = static_cast<int64_t>(test.rows.size());
    hits_.resize(train.rows.size());
  }

  Contamination run(bool with_overlap) {
    find_same();
    if (with_overlap) find_runs();
    for (const auto& hit : hits_) {
      if (hit.match == Match::none) continue;
      count(out_.train, hit.match);
      out_.uncertain += hit.match == Match::normalised && !hit.certain;
      out_.hits.push_back(hit);
    }
    std::stable_sort(out_.hits.begin(), out_.hits.end(), [](const Hit& a, const Hit& b) { return a.match > b.match; });
    for (const Match match : best_) count(out_.test, match);
    return std::move(out_);
  }

 private:
  static void count(Contamination::Counts& counts, Match match) {
    counts.exact += match == Match::exact;
    counts.normalised += match == Match::exact || match == Match::normalised;
    counts.overlap += match == Match::overlap;
  }

  void note(size_t train_row, size_t test_row, Match match, bool certain, std::string text) {
    best_[test_row] = std::max(best_[test_row], match);
    Hit& hit = hits_[train_row];
    if (std::make_pair(hit.match, hit.certain) >= std::make_pair(match, certain)) return;
    hit = {match, train_.rows[train_row].line, test_.rows[test_row].line, certain, std::move(text)};
  }

  void find_same() {
    std::unordered_map<std::string, std::vector<size_t>> rows_by_form;
    for (size_t i = 0; i < test_.rows.size(); ++i) rows_by_form[form_of(test_.rows[i].text)].push_back(i);
    for (size_t i = 0; i < train_.rows.size(); ++i) {
      const std::string& text = train_.rows[i].text;
      const auto found = rows_by_form.find(form_of(text));
      if (found == rows_by_form.end()) continue;
      for (const size_t row : found->second) {
        const std::string& other = test_.rows[row].text;
        if (text == other)
          note(i, row, Match::exact, true, beginning(text));
        else
          note(i, row, Match::normalised, same_numbers(text, other), beginning(text));
      }
    }
  }

  // A text without a letter or digit is compared as it is.
  static std::string form_of(const std::string& text) {
    std::string form = letters_and_digits(text);
    return form.empty() ? text : form;
  }

  struct Run {
    std::vector<size_t> test_rows;  // different ones; at most one more than may be
    size_t train_rows = 0;
    size_t last_train_row = static_cast<size_t>(-1);
    bool common() const { return test_rows.size() > most_rows_of_a_run || train_rows > most_rows_of_a_run; }
  };

  void find_runs() {
    std::unordered_map<uint64_t, Run> runs;
    for (size_t i = 0; i < test_.rows.size(); ++i)
      for_each_run(test_.rows[i].text, [&](uint64_t hash, size_t, size_t) {
        auto& rows = runs[hash].test_rows;
        if ((rows.empty() || rows.back() != i) && rows.size() <= most_rows_of_a_run) rows.push_back(i);
      });
    struct Place {
      size_t row, begin, end;
      const Run* run;
    };
    std::vector<Place> places;
    for (size_t i = 0; i < train_.rows.size(); ++i)
      for_each_run(train_.rows[i].text, [&](uint64_t hash, size_t begin, size_t end) {
        const auto found = runs.find(hash);
        if (found == runs.end()) return;
        Run& run = found->second;
        run.train_rows += run.last_train_row != i;
        run.last_train_row = i;
        places.push_back({i, begin, end, &run});
      });
    for (const auto& [row, begin, end, run] : places) {
      if (run->common()) continue;
      for (const size_t test_row : run->test_rows)
        note(row, test_row, Match::overlap, false, train_.rows[row].text.substr(begin, end - begin));
    }
    for (const auto& [unused, run] : runs) out_.boilerplate += run.train_rows > 0 && run.common();
  }

  const TextFile& train_;
  const TextFile& test_;
  std::vector<Match> best_;  // of each test row
  std::vector<Hit> hits_;    // of each training row
  Contamination out_;
};

std::string usual_key(const nlohmann::ordered_json& row) {
  for (const char* key : usual_keys)
    if (const auto found = row.find(key); found != row.end() && !asked_text(*found).empty()) return key;
  return "";
}

}  // namespace

const char* name_of(Match match) {
  switch (match) {
    case Match::none: return "none";
    case Match::overlap: return "overlap";
    case Match::normalised: return "normalised";
    case Match::exact: return "exact";
  }
  return "unknown";
}

TextFile read_texts(const std::string& file, const std::string& key) {
  TextFile out{file, key, {}};
  for_each_row(file, [&](int64_t line, const nlohmann::ordered_json& row) {
    if (out.key.empty()) out.key = usual_key(row);
    const auto found = row.find(out.key);
    const std::string text = found == row.end() ? "" : asked_text(*found);
    if (text.empty()) {
      kernels::fail_usage(
          "{}:{}: has no text under {}; its keys are: {}. Name the key of the problem's text with --train-key or --test-key.",
          file, line, out.key.empty() ? "question, problem, prompt, text, instruction or messages" : "\"" + out.key + "\"", keys_of(row));
    }
    out.rows.push_back({line, text});
    return true;
  });
  return out;
}

Contamination compare_texts(const TextFile& train, const TextFile& test, bool with_overlap) {
  return Comparison(train, test).run(with_overlap);
}

}  // namespace rl
