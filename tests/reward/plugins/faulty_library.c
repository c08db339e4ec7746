/* A reward library that breaks when a completion asks for it. Its score is the completion's length unless told otherwise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reward/plugin.h"

static int has(ponder_text text, const char* word) {
  size_t i, n = strlen(word);
  for (i = 0; i + n <= text.size; ++i)
    if (memcmp(text.data + i, word, n) == 0) return 1;
  return 0;
}

static ponder_text text_of(const char* text) {
  ponder_text out;
  out.data = text;
  out.size = strlen(text);
  return out;
}

static void* create(ponder_text config) {
  char* copy;
  if (has(config, "\"refuse\":\"yes\"")) return NULL;
  copy = malloc(config.size + 1);
  memcpy(copy, config.data, config.size);
  copy[config.size] = 0;
  return copy;
}

static void destroy(void* handle) { free(handle); }

static ponder_text last_error(void* handle) { return text_of(handle == NULL ? "told to refuse" : "told to fail"); }

static int score_batch(void* handle, const ponder_reward_batch* batch, ponder_reward_result* results) {
  size_t i;
  for (i = 0; i < batch->count; ++i) {
    const ponder_reward_item* item = &batch->items[i];
    ponder_reward_result* result = &results[i];
    if (has(item->completion, "[fail]")) return 5;
    if (has(item->completion, "[crash]")) abort();
    if (has(item->completion, "[print]")) printf("a line that is not JSON\n"), fflush(stdout);
    if (has(item->completion, "[unset]")) continue;
    result->status = PONDER_REWARD_OK;
    if (has(item->completion, "[skip]")) result->status = PONDER_REWARD_SKIP;
    if (has(item->completion, "[error]")) result->status = PONDER_REWARD_ERROR;
    result->score = has(item->completion, "[nan]") ? NAN : (double)item->completion.size;
    result->components = text_of("{\"length\": 2.5, \"word\": \"x\"}");
    result->extracted = batch->keep(batch->arena, item->truth.data, item->truth.size);
    result->detail = batch->keep(batch->arena, handle, strlen(handle));
  }
  return 0;
}

#ifndef FAULTY_ABI
#define FAULTY_ABI PONDER_REWARD_ABI
#endif

const ponder_reward_plugin* ponder_reward_plugin_v1(void) {
  static const ponder_reward_plugin plugin = {FAULTY_ABI, sizeof(ponder_reward_plugin), 0, "faulty", "7", create, score_batch,
                                              destroy, last_error};
  return &plugin;
}
