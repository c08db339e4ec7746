// Sample records as bytes, for the wire and for files, and as lines of JSON, for people.
//
// Bytes, little-endian: "PNDRSMPL", u32 format version, u32 CRC-32 of the payload, u64 length of the payload, payload.
// The reader takes them for hostile: lengths are checked before anything is allocated, counts against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/tokenizer/tokenizer.h"
#include "rollout/sample_record.h"

namespace rollout {

// Throws Error when the record contradicts itself (see check_record).
void append_record(const SampleRecord& record, std::string& bytes);

// Reads the record at the start of `bytes` and sets `used` to its length. Throws Error: cut off, damaged (CRC), of
// another format version, or contradicting itself.
SampleRecord read_record(const std::byte* bytes, size_t size, size_t& used);

// Trained runs ascend, do not touch one another's tokens and lie within the completion; log-probabilities and versions
// are one per trained token; kept_mass and kept too, or empty, and each token is among its kept ids; routes and
// prompt_routes equally many for each row. Throws Error.
void check_record(const SampleRecord& record);

// One object with the record's fields; with a tokenizer also "prompt" and "completion" as text. Of the kept ids it has how
// many there are for each token ("kept"), of the routes nothing; "renormalised": whether the log-probabilities are over them.
nlohmann::ordered_json record_to_json(const SampleRecord& record, const model::Tokenizer* tokenizer = nullptr);
// One line without its end. Bytes that are not UTF-8 become U+FFFD.
std::string json_line(const nlohmann::ordered_json& json);

}  // namespace rollout
