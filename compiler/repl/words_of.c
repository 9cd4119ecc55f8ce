/* SPDX-License-Identifier: Apache-2.0 */
#include "words_of.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool words_of(const char *line, Words *words) {
  size_t length = strlen(line);
  *words = (Words){.word = calloc(length / 2 + 2, sizeof(char *)), .memory = malloc(length + 1)};
  char *to = words->memory, quote = 0;
  if (!words->word || !to) return words_free(words), false;
  while (*line) {
    while (is_blank(*line)) line++;
    if (!*line) break;
    words->word[words->count++] = to;
    for (; *line && (quote || !is_blank(*line)); line++) {
      if (!quote && (*line == '"' || *line == '\'')) quote = *line;
      else if (quote == *line) quote = 0;
      else *to++ = *line;
    }
    *to++ = 0;
    if (!*line) break;
    line++;
  }
  if (!quote) return true;
  free(words->word);
  words->word = NULL;
  words->count = 0;
  return false;
}

void words_free(Words *words) {
  free(words->word);
  free(words->memory);
  *words = (Words){0};
}
