// The small files of the folder that a model came from.
//
// A model that is trained or exported keeps them byte for byte, so that other tools find its tokenizer, its template and
// the keys of its config.json, those too that nothing here reads.
#pragma once

#include <map>
#include <string>

namespace model {

struct SourceFiles {
  std::map<std::string, std::string> texts;  // name in the folder -> bytes; empty: the model was born here

  // The bytes, or nullptr.
  const std::string* find(const std::string& name) const {
    const auto it = texts.find(name);
    return it == texts.end() ? nullptr : &it->second;
  }
};

// Of a model folder: config.json, generation_config.json, the tokenizer's files, templates, licences and notices, those
// that are there. Throws UsageError when one cannot be read.
SourceFiles read_source_files(const std::string& directory);

}  // namespace model
