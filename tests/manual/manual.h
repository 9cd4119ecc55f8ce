/* SPDX-License-Identifier: Apache-2.0 */
/* manual.h -- the manual of the language as a test sees it.
 *
 *   ```flow                    a program without errors and warnings
 *   ```flow E0302 W0201        one with just these, in the order of the text
 *   ```text                    right behind it: everything that is said of it, word for word */
#ifndef FLOW_TESTS_MANUAL_H
#define FLOW_TESTS_MANUAL_H
#include <stdbool.h>
#include <stddef.h>

enum { MOST_BLOCKS = 256 };
typedef struct Block {
  int line;                     /* of its first line in the manual */
  char codes[64];               /* "E0302 W0201"; "" where nothing is wrong */
  const char *text;
  size_t length;
  const char *message;          /* NULL: not printed */
  size_t message_length;
} Block;

typedef struct Manual {
  char *text;
  int blocks;
  Block block[MOST_BLOCKS];
} Manual;

bool manual_read(const char *path, Manual *manual);     /* false: there is no such file, or a fence does not end */
void manual_free(Manual *manual);

/* Does code type outside of the programs begin with this word: `word`, `word(...)`, `word ...`? */
bool manual_mentions(const Manual *manual, const char *word);

#endif
