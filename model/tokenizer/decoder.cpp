#include "model/tokenizer/decoder.h"

#include <utility>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/byte_level.h"

namespace model {

using nlohmann::json;

namespace {

// The byte that <0x41> stands for, or -1.
int byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char letter = static_cast<char>(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
  };
  const int high = digit(token[3]), low = digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string strip(std::string_view token, const std::string& c, int64_t start, int64_t stop) {
  for (int64_t i = 0; i < start && token.starts_with(c); ++i) token.remove_prefix(c.size());
  for (int64_t i = 0; i < stop && token.ends_with(c); ++i) token.remove_suffix(c.size());
  return std::string(token);
}

std::string spaces_for(std::string_view token, const std::string& c, bool dropped) {
  std::string text;
  for (size_t at = 0; at < token.size();) {
    const bool here = token.compare(at, c.size(), c) == 0;
    if (!here) text += token[at];
    if (here && !dropped) text += ' ';
    at += here ? c.size() : 1;
  }
  return text;
}

}  // namespace

Decoder::Decoder(const json& part, const std::string& where) {
  if (!part.is_null()) read(part, where, 0);
  bool in_parts = false;
  for (Step& step : steps_) {
    step.in_parts = in_parts;
    in_parts |= step.kind == Kind::fuse || step.kind == Kind::byte_level;
  }
}

void Decoder::read(const json& part, const std::string& where, int depth) {
  const JsonFields f(part, where);
  const auto type = f.string("type");
  if (type == "Sequence")
    return read_sequence(f, "decoders", depth, [&](const json& child, const std::string& at) { read(child, at, depth + 1); });
  Step step{};
  const auto read_character = [&](const char* key) {
    step.content = f.string(key);
    if (step.content.empty() || utf8_length(step.content, 0) != step.content.size()) f.wrong(key, "one character");
  };
  if (type == "ByteLevel") {
    step.kind = Kind::byte_level;
  } else if (type == "Replace") {
    step.kind = Kind::replace;
    step.pattern = TextPattern(f);
    step.content = f.string("content");
  } else if (type == "ByteFallback") {
    step.kind = Kind::byte_fallback;
  } else if (type == "Fuse") {
    step.kind = Kind::fuse;
  } else if (type == "Strip") {
    step.kind = Kind::strip;
    read_character("content");
    step.start = f.integer("start", 0, INT32_MAX);
    step.stop = f.integer("stop", 0, INT32_MAX);
  } else if (type == "Metaspace") {
    step.kind = Kind::metaspace;
    read_character("replacement");
    step.drops_first = f.string("prepend_scheme", f.boolean("add_prefix_space", true) ? "always" : "never") != "never";
  } else {
    f.wrong("type", "a supported part: Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace");
  }
  steps_.push_back(std::move(step));
}

// Of the steps that look at one token alone.
std::string Decoder::change(const Step& step, std::string_view token, bool first) {
  switch (step.kind) {
    case Kind::replace:
      return step.pattern.replace_all(token, step.content);
    case Kind::strip:
      return strip(token, step.content, step.start, step.stop);
    case Kind::metaspace:
      return spaces_for(token, step.content, first && step.drops_first);
    case Kind::byte_level: {
      Utf8Repair repair;
      std::string text;
      repair.push(from_byte_level(token).value_or(std::string(token)), text);
      repair.finish(text);
      return text;
    }
    case Kind::byte_fallback: {
      const int byte = byte_of(token);
      return byte < 0 ? std::string(token) : byte < 0x80 ? std::string(1, static_cast<char>(byte)) : "\ufffd";
    }
    case Kind::fuse:
      break;
  }
  return std::string(token);
}

std::string Decoder::inside(std::string_view token) const {
  std::string bytes(token);
  for (size_t i = takes_bytes(); i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.in_parts) break;
    if (step.kind == Kind::byte_level) return from_byte_level(bytes).value_or(bytes);
    if (step.kind == Kind::byte_fallback) {
      if (const int byte = byte_of(bytes); byte >= 0) return std::string(1, static_cast<char>(byte));
    } else if (step.kind != Kind::strip) {
      bytes = change(step, bytes, false);
    }
  }
  return bytes;
}

void Decoder::Stream::push(std::string_view token, std::string& text) {
  if (decoder_.steps_.empty() && any_) text += ' ';
  any_ = true;
  pass(0, token, text);
}

void Decoder::Stream::pass(size_t index, std::string_view token, std::string& text) {
  if (index == decoder_.steps_.size()) {
    text += token;
    return;
  }
  const Step& step = decoder_.steps_[index];
  State& state = states_[index];
  if (step.in_parts) {
    if (step.kind == Kind::fuse) return pass(index + 1, token, text);
    if (step.kind == Kind::strip) return strip_part(index, token, text);
    state.held += token;  // nothing is certain before the last part
    return;
  }
  if (step.kind == Kind::byte_level) {
    std::string whole;
    if (index == 0)
      state.repair.push(token, whole);
    else
      state.repair.push(from_byte_level(token).value_or(std::string(token)), whole);
    return pass(index + 1, whole, text);
  }
  if (step.kind == Kind::fuse) return pass(index + 1, token, text);
  if (step.kind == Kind::byte_fallback) {
    if (const int byte = byte_of(token); byte >= 0) {
      state.bytes += static_cast<char>(byte);
      return;
    }
    end_bytes(index, text);
    return pass(index + 1, token, text);
  }
  pass(index + 1, Decoder::change(step, token, std::exchange(state.first, false)), text);
}

// A run of byte tokens is one text when all of it is UTF-8, and else one U+FFFD a byte.
void Decoder::Stream::end_bytes(size_t index, std::string& text) {
  const std::string bytes = std::exchange(states_[index].bytes, {});
  if (bytes.empty()) return;
  if (find_invalid_utf8(bytes) == std::string::npos) return pass(index + 1, bytes, text);
  for (size_t i = 0; i < bytes.size(); ++i) pass(index + 1, "\ufffd", text);
}

// The characters at the start go as they come; those that may be the end wait in `held`.
void Decoder::Stream::strip_part(size_t index, std::string_view part, std::string& text) {
  const Step& step = decoder_.steps_[index];
  State& state = states_[index];
  while (state.stripped >= 0 && !part.empty()) {
    if (state.stripped == step.start || !part.starts_with(step.content)) {
      state.stripped = -1;
    } else {
      part.remove_prefix(step.content.size());
      ++state.stripped;
    }
  }
  if (part.empty()) return;
  state.held += part;
  size_t certain = state.held.size();
  for (int64_t i = 0; i < step.stop && std::string_view(state.held).substr(0, certain).ends_with(step.content); ++i)
    certain -= step.content.size();
  if (certain == 0) return;
  const std::string ready = state.held.substr(0, certain);
  state.held.erase(0, certain);
  pass(index + 1, ready, text);
}

void Decoder::Stream::end(size_t index, std::string& text) {
  const Step& step = decoder_.steps_[index];
  State& state = states_[index];
  if (step.kind == Kind::byte_level && !step.in_parts) {
    std::string whole;
    state.repair.finish(whole);
    if (!whole.empty()) pass(index + 1, whole, text);
  } else if (step.kind == Kind::byte_fallback && !step.in_parts) {
    end_bytes(index, text);
  } else if (step.in_parts && step.kind != Kind::fuse && step.kind != Kind::strip && any_) {
    pass(index + 1, Decoder::change(step, state.held, true), text);
  }
}

void Decoder::Stream::finish(std::string& text) {
  for (size_t i = 0; i < states_.size(); ++i) end(i, text);
}

}  // namespace model
