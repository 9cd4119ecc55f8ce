/* SPDX-License-Identifier: Apache-2.0 */
/* words_of.h -- a command's line as words: blanks part them, "..." and '...' keep them together. */
#ifndef FLOW_WORDS_OF_H
#define FLOW_WORDS_OF_H
#include <stddef.h>

typedef struct Words {
  char **word; /* NULL behind the last */
  size_t count;
  char *memory;
} Words;

/* false: memory is out, or a quote is not closed (then `word` is NULL and `memory` is not). */
_Bool words_of(const char *line, Words *words);
void words_free(Words *words);

#endif
