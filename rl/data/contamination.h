// How much of a training set stands in a test set.
//
//   exact        the same bytes
//   normalised   the same letters and digits (letters_and_digits); exact ones included
//   overlap      further rows that share 13 words in a row (Brown et al., arXiv:2005.14165, appendix C). Runs of 13 words that
//                stand in more than 10 rows of either set are boilerplate ("where m and n are relatively prime ...") and
//                do not count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rl {

struct TextRow {
  int64_t line = 0;
  std::string text;
};
struct TextFile {
  std::string name;
  std::string key;  // of the text in its rows
  std::vector<TextRow> rows;
};

// The texts under `key`, a string or a list of messages (asked.h); with an empty key, under the first of question, problem,
// prompt, text, instruction and messages that the first row has. Throws UsageError.
TextFile read_texts(const std::string& file, const std::string& key);

enum class Match { none, overlap, normalised, exact };
const char* name_of(Match match);

// A row of the training set that stands in the test set: its strongest match, and of those the first.
struct Hit {
  Match match = Match::none;
  int64_t train_line = 0, test_line = 0;
  bool certain = false;  // exact, or normalised with the same numbers and signs (same_numbers)
  std::string text;      // of the training row: for an overlap the 13 words, else its beginning
};

struct Contamination {
  struct Counts {
    int64_t rows = 0, exact = 0, normalised = 0, overlap = 0;
  };
  std::string train_name, test_name;
  Counts train, test;         // rows of each set that the other holds
  int64_t uncertain = 0;      // training rows whose normalised matches all have other numbers or signs
  int64_t boilerplate = 0;    // shared runs of 13 words that were left out
  std::vector<Hit> hits;      // the strongest first, and then in the order of the training set
};

// `with_overlap` false: exact and normalised only.
Contamination compare_texts(const TextFile& train, const TextFile& test, bool with_overlap = true);

}  // namespace rl
