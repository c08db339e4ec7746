/* The C interface of a reward in a shared library ([[reward]] kind = "library"). Version 1.
 *
 * The library exports one function:
 *
 *   const ponder_reward_plugin* ponder_reward_plugin_v1(void);
 *
 * What it points to lives as long as the library. All texts are UTF-8 by pointer and length, not ended by a zero. The caller
 * owns what it passes in, for the time of the call. No exception may leave a function.
 * An example: configs/rewards/last_word.c.
 */
#ifndef PONDER_REWARD_PLUGIN_H
#define PONDER_REWARD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PONDER_REWARD_ABI 1

typedef struct ponder_text {
  const char* data; /* may be NULL when size is 0 */
  size_t size;      /* bytes */
} ponder_text;

/* One completion to score. */
typedef struct ponder_reward_item {
  ponder_text prompt, completion;
  ponder_text truth;         /* the gold; a list or an object as JSON text */
  ponder_text finish_reason; /* "stop" or "length" */
  ponder_text data_source;   /* which data set it is from */
  ponder_text extra;         /* other fields of the data row, as the JSON text of an object; may be empty */
  int64_t completion_tokens;
  int64_t group;             /* completions of one prompt share it */
} ponder_reward_item;

typedef enum ponder_reward_status {
  PONDER_REWARD_UNSET = 0, /* as the caller leaves it: counts as an error */
  PONDER_REWARD_OK = 1,    /* has a finite score */
  PONDER_REWARD_SKIP = 2,  /* does not apply: the completion leaves its group */
  PONDER_REWARD_ERROR = 3  /* the checker failed */
} ponder_reward_status;

/* Filled by the plug-in; the caller has set everything to zero. Texts must come from `keep`, or live as long as the library. */
typedef struct ponder_reward_result {
  double score;
  int32_t status;         /* ponder_reward_status */
  ponder_text components; /* JSON text of an object: {"accuracy": 1.0}; may be empty */
  ponder_text extracted;  /* the answer as read from the completion; may be empty */
  ponder_text detail;     /* for people; may be empty */
} ponder_reward_result;

typedef struct ponder_reward_batch {
  size_t struct_size;              /* of this struct, as the caller knows it: later versions only add at the end */
  const ponder_reward_item* items; /* with PONDER_REWARD_GROUP: whole groups, each in a row */
  size_t count;
  int64_t deadline_ns;             /* time left, in nanoseconds; a result that comes later is not used */
  ponder_text (*keep)(void* arena, const char* data, size_t size); /* copies a text to where it lives long enough */
  void* arena;                                                     /* the first argument of keep */
} ponder_reward_batch;

#define PONDER_REWARD_THREAD_SAFE 1u /* score_batch may run on several threads at once, on one handle */
#define PONDER_REWARD_GROUP 2u       /* compares completions of a prompt: a group is never split */

typedef struct ponder_reward_plugin {
  uint32_t abi_version; /* PONDER_REWARD_ABI */
  uint32_t struct_size; /* sizeof(ponder_reward_plugin) */
  uint32_t flags;
  const char* name;     /* ended by a zero */
  const char* version;  /* ended by a zero */
  /* `config`: JSON text of an object, the options of the [[reward]] entry, each value as text. NULL: it failed. */
  void* (*create)(ponder_text config);
  /* Fills results[0 .. count). 0: done; anything else: all items failed. */
  int (*score_batch)(void* handle, const ponder_reward_batch* batch, ponder_reward_result* results);
  void (*destroy)(void* handle);
  /* Why the last call failed, for people; of create with a NULL handle. Valid until the next call. May be NULL. */
  ponder_text (*last_error)(void* handle);
} ponder_reward_plugin;

typedef const ponder_reward_plugin* (*ponder_reward_plugin_v1_function)(void);

#ifdef __cplusplus
}
#endif

#endif
