// The model of tests/rl/golden/sft_model with a tokenizer of characters: a folder that a Policy reads.
#pragma once

#include <filesystem>
#include <fstream>

#include "model/chat/chat_template.h"
#include "model/tokenizer/tokenizer.h"
#include "rl/policy.h"
#include "tests/support/source_dir.h"

namespace testing {

// 32 tokens: the characters, then <pad> 30 and <eos> 31.
inline std::string small_tokenizer_json() {
  return model::character_tokenizer_json("abcdefghijklmnopqrstuvwxyz01 :", {"<pad>", "<eos>"});
}

inline std::string small_model_folder() {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "ponder_sft_model", golden = fs::path(source_dir()) / "tests/rl/golden/sft_model";
  fs::create_directories(folder);
  for (const char* file : {"config.json", "model.safetensors"})
    fs::copy_file(golden / file, folder / file, fs::copy_options::overwrite_existing);
  std::ofstream(folder / "tokenizer.json") << small_tokenizer_json();
  return folder.string();
}

inline rl::Policy small_policy() {
  rl::ModelSettings settings;
  settings.path = small_model_folder();
  settings.compute_dtype = kernels::Dtype::float32;
  return rl::Policy(settings, /*seed=*/0, /*with_training=*/true);
}

}  // namespace testing
