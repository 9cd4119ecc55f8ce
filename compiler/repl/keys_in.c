/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_in.h"
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "interrupt.h"

/* A mark comes in one piece; of a paste there may be a part to wait for, but not for ever where its end is lost. */
enum { NO_HURRY = -1, MARK_MS = 50, PASTE_MS = 2000, MOST_PASTED = 1 << 20, REPLACEMENT = 0xFFFD };

static const char mark_begin[] = "\033[200~", mark_end[] = "\033[201~";

/* ---- bytes ------------------------------------------------------------------------------------------------------------ */

static int take_ahead(KeysIn *keys) {
  int byte = keys->ahead[0];
  memmove(keys->ahead, keys->ahead + 1, --keys->kept);
  return byte;
}

static int next_byte(KeysIn *keys, int patience) {
  unsigned char byte;
  struct pollfd waiting = {.fd = keys->file, .events = POLLIN};
  if (keys->kept) return take_ahead(keys);
  for (;;) {
    int ready = poll(&waiting, 1, patience);
    if (ready == 0) return KEYS_END;
    ssize_t got = ready > 0 ? read(keys->file, &byte, 1) : -1;
    if (got == 1) return byte;
    bool again = got < 0 && (errno == EINTR || errno == EAGAIN);
    if (!again || interrupt_waiting()) return KEYS_END;
  }
}

/* ---- a paste ------------------------------------------------------------------------------------------------------------ */

/* After its first byte: does the mark stand here?  What is not it is read again. */
static bool is_mark(KeysIn *keys, const char *mark) {
  unsigned char seen[KEYS_AHEAD];
  size_t count = 0, length = strlen(mark) - 1;
  while (count < length) {
    int byte = next_byte(keys, MARK_MS);
    if (byte == KEYS_END) break;
    seen[count++] = (unsigned char)byte;
    if (byte != (unsigned char)mark[count]) break;
  }
  if (count == length && seen[count - 1] == (unsigned char)mark[length]) return true;
  memmove(keys->ahead + count, keys->ahead, keys->kept);
  memcpy(keys->ahead, seen, count);
  keys->kept += count;
  return false;
}

static bool is_kept(int byte) { return byte == '\n' || byte == '\t' || (byte >= ' ' && byte != 127); }

static char *read_paste(KeysIn *keys) {
  char *text = malloc(MOST_PASTED + 1);
  size_t length = 0;
  int before = 0;
  for (int byte; text && (byte = next_byte(keys, PASTE_MS)) != KEYS_END; before = byte) {
    if (byte == 033 && is_mark(keys, mark_end)) break;
    if (byte == '\n' && before == '\r') continue;
    int kept = byte == '\r' ? '\n' : byte;
    if (is_kept(kept) && length < MOST_PASTED) text[length++] = (char)kept;
  }
  while (length && text[length - 1] == '\n') length--;
  if (text) text[length] = 0;
  if (!interrupt_waiting()) return text;
  free(text);
  return NULL;
}

/* ---- a key ---------------------------------------------------------------------------------------------------------------- */

/* A character of several bytes, after its first. */
static int rest_of_character(KeysIn *keys, int first) {
  int more = first >= 0xF0 && first < 0xF8 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0, code = first & (0x3F >> more);
  if (!more || first >= 0xF8) return REPLACEMENT;
  for (int i = 0; i < more; i++) {
    int byte = next_byte(keys, MARK_MS);
    if (byte == KEYS_END || (byte & 0xC0) != 0x80) return REPLACEMENT;
    code = code << 6 | (byte & 0x3F);
  }
  return code;
}

int keys_next(KeysIn *keys, char **pasted) {
  *pasted = NULL;
  int byte = next_byte(keys, NO_HURRY);
  if (byte >= 0x80) return rest_of_character(keys, byte);
  if (byte != 033 || !is_mark(keys, mark_begin)) return byte;
  *pasted = read_paste(keys);
  return *pasted ? byte : KEYS_END;
}
