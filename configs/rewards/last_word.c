/* A reward as a shared library: 1 if the last word of the completion is the last word of the gold.
 *
 *   cc -O2 -shared -fPIC -I. -o last_word.so configs/rewards/last_word.c
 *
 *   [[reward]]
 *   name = "last_word"
 *   kind = "library"
 *   file = "last_word.so"
 *   isolate = "process"      # a crash then costs a few completions and not the run
 */
#include <string.h>

#include "reward/plugin.h"

static int is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static ponder_text last_word(ponder_text text) {
  size_t end = text.size, begin;
  ponder_text word;
  while (end > 0 && is_space(text.data[end - 1])) --end;
  begin = end;
  while (begin > 0 && !is_space(text.data[begin - 1])) --begin;
  word.data = text.data + begin;
  word.size = end - begin;
  return word;
}

static void* create(ponder_text config) {
  static int nothing_to_remember;
  (void)config;
  return &nothing_to_remember;
}

static void destroy(void* handle) { (void)handle; }

static int score_batch(void* handle, const ponder_reward_batch* batch, ponder_reward_result* results) {
  size_t i;
  (void)handle;
  for (i = 0; i < batch->count; ++i) {
    const ponder_text got = last_word(batch->items[i].completion), gold = last_word(batch->items[i].truth);
    results[i].score = got.size > 0 && got.size == gold.size && memcmp(got.data, gold.data, got.size) == 0;
    results[i].status = PONDER_REWARD_OK;
    results[i].extracted = batch->keep(batch->arena, got.data, got.size);
  }
  return 0;
}

const ponder_reward_plugin* ponder_reward_plugin_v1(void) {
  static const ponder_reward_plugin plugin = {
      PONDER_REWARD_ABI, sizeof(ponder_reward_plugin), PONDER_REWARD_THREAD_SAFE, "last_word", "1",
      create, score_batch, destroy, NULL};
  return &plugin;
}
