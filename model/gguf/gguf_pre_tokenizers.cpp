// Pre-tokenizers of byte-level BPE, by the name that converters give them.
//
// A tokenizer.json holds the pattern itself; a GGUF file only a name, which llama.cpp's llama-vocab.cpp maps to patterns.
// Here each name becomes the parts that the model's own tokenizer.json has.
#include "model/gguf/gguf_tokenizer_parts.h"

namespace model {

using nlohmann::ordered_json;

namespace {

// The letters with case that DeepSeek's first tokenizer joins to words.
constexpr const char* kDeepseekLetters =
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώ"
    "ᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏"
    "𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";
constexpr const char* kDeepseekEastAsian = "[一-龥ࠀ-一가-퟿]+";

constexpr const char* kGpt2Words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

ordered_json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

ordered_json split(const std::string& pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

ordered_json digits() { return {{"type", "Digits"}, {"individual_digits", true}}; }

ordered_json sequence(std::vector<ordered_json> parts) { return {{"type", "Sequence"}, {"pretokenizers", std::move(parts)}}; }

// The pattern of Llama 3; Qwen2 has it with single digits.
ordered_json split_words(const std::string& number) {
  return split(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" + number +
               R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
}

BytePairKind gpt2() { return {byte_level(true)}; }

BytePairKind smollm() { return {sequence({digits(), byte_level(true)})}; }

BytePairKind llama3() { return {sequence({split_words(R"(\p{N}{1,3})"), byte_level(false)}), nullptr, true, true}; }

BytePairKind qwen2() { return {sequence({split_words(R"(\p{N})"), byte_level(false)}), {{"type", "NFC"}}}; }

// Mistral from Nemo on: words are cut where lower case turns to upper case.
BytePairKind tekken() {
  return {sequence({split(R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                          R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N})"
                          R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"),
                    byte_level(false)}),
          nullptr, true, true};
}

BytePairKind deepseek_llm() {
  return {sequence({split("[\r\n]"), split(std::string(R"(\s?[)") + kDeepseekLetters + "]+"),
                    split(R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)"), split(R"(\s+$)"), split(kDeepseekEastAsian), digits(),
                    byte_level(false)})};
}

BytePairKind deepseek_coder() {
  return {sequence({split("[\r\n]"), split(R"(\s?\p{L}+)"), split(R"(\s?\p{P}+)"), split(kDeepseekEastAsian), digits(),
                    byte_level(false)})};
}

BytePairKind deepseek_v3() {
  return {sequence({split(R"(\p{N}{1,3})"), split("[一-龥぀-ゟ゠-ヿ]+"),
                    split(R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
                          R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"),
                    byte_level(false)})};
}

// What llama.cpp does for files that name no pre-tokenizer.
BytePairKind unnamed() {
  return {sequence({split(R"([\p{P}\$\+<=>\^~\|]+)"), split(kGpt2Words), split(R"(\p{N}+)"), split("[0-9][0-9][0-9]"),
                    byte_level(false)})};
}

constexpr struct {
  const char* name;
  BytePairKind (*make)();
} kKinds[] = {{"default", unnamed},           {"gpt-2", gpt2},
              {"smollm", smollm},             {"llama-bpe", llama3},
              {"llama3", llama3},             {"llama-v3", llama3},
              {"qwen2", qwen2},               {"deepseek-r1-qwen", qwen2},
              {"deepseek-llm", deepseek_llm}, {"deepseek-coder", deepseek_coder},
              {"deepseek-v3", deepseek_v3},   {"tekken", tekken}};

}  // namespace

BytePairKind byte_pair_kind(const JsonFields& metadata) {
  const auto wanted = metadata.string("tokenizer.ggml.pre", "default");
  std::string names;
  for (const auto& kind : kKinds) {
    if (wanted == kind.name) return kind.make();
    names += (names.empty() ? "" : ", ") + std::string(kind.name);
  }
  metadata.wrong("tokenizer.ggml.pre", "a supported pre-tokenizer: " + names);
}

}  // namespace model
