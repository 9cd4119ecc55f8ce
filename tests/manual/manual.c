/* SPDX-License-Identifier: Apache-2.0 */
#include "manual.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char fence[] = "```";

static char *read_all(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = file ? malloc(1 << 22) : NULL;
  size_t length = text ? fread(text, 1, (1 << 22) - 1, file) : 0;
  if (text) text[length] = 0;
  if (file) fclose(file);
  return text;
}

static const char *next_line(const char *at) {
  const char *end = strchr(at, '\n');
  return end ? end + 1 : at + strlen(at);
}

static bool starts(const char *at, const char *with) { return strncmp(at, with, strlen(with)) == 0; }

/* From the line behind an opening fence to the closing one; NULL where there is none. */
static const char *fence_end(const char *at) {
  while (*at && !starts(at, fence)) at = next_line(at);
  return *at ? at : NULL;
}

static void read_codes(const char *info, char codes[64]) {
  size_t length = strcspn(info, "\n");
  while (length && *info == ' ') info++, length--;
  snprintf(codes, 64, "%.*s", (int)length, info);
}

/* The message block that follows, with blank lines between at most. */
static void read_message(Block *block, const char *behind) {
  while (*behind == '\n') behind++;
  if (!starts(behind, "```text")) return;
  block->message = next_line(behind);
  const char *end = fence_end(block->message);
  block->message_length = end ? (size_t)(end - block->message) : strlen(block->message);
}

bool manual_read(const char *path, Manual *manual) {
  *manual = (Manual){.text = read_all(path)};
  if (!manual->text) return false;
  int line = 1;
  for (const char *at = manual->text; *at; at = next_line(at), line++) {
    if (!starts(at, fence)) continue;
    const char *text = next_line(at), *end = fence_end(text);
    if (!end) return false;
    if (starts(at, "```flow") && manual->blocks < MOST_BLOCKS) {
      Block *block = &manual->block[manual->blocks++];
      *block = (Block){.line = line + 1, .text = text, .length = (size_t)(end - text)};
      read_codes(at + strlen("```flow"), block->codes);
      read_message(block, next_line(end));
    }
    for (; at != end; at = next_line(at)) line++;
  }
  return true;
}

void manual_free(Manual *manual) { free(manual->text); }

bool manual_mentions(const Manual *manual, const char *word) {
  size_t length = strlen(word);
  bool code = false, fenced = false;
  for (const char *at = manual->text; *at; at++) {
    if ((at == manual->text || at[-1] == '\n') && starts(at, fence)) {
      fenced = !fenced;
      at = next_line(at) - 1;
      continue;
    }
    if (fenced) continue;
    if (*at == '\n') code = false;
    bool opens = *at == '`' && !code;
    if (*at == '`') code = !code;
    /* a span may list several words: `exp log` */
    bool begins = code && (opens || *at == ' ');
    if (begins && starts(at + 1, word) && !isalnum((unsigned char)at[1 + length]) && at[1 + length] != '_') return true;
  }
  return false;
}
