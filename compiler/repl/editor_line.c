/* SPDX-License-Identifier: Apache-2.0 */
#include "editor.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef FLOW_READLINE
#include <readline/history.h>
#include <readline/readline.h>
#else
#include <editline/readline.h>
#endif
#include "interrupt.h"
#include "keys_in.h"

static const Editor *the_editor; /* the library's callbacks carry no pointer of ours */

/* The library wants the common beginning first, then all of them. */
static char *common_beginning(char *const *word) {
  size_t length = strlen(word[0]);
  for (size_t i = 1; word[i]; i++) {
    size_t same = 0;
    while (same < length && word[i][same] == word[0][same]) same++;
    length = same;
  }
  while (length > 0 && ((unsigned char)word[0][length] & 0xC0) == 0x80) length--; /* no half characters */
  return strndup(word[0], length);
}

static char **complete(const char *text, int start, int end) {
  (void)text;
  rl_attempted_completion_over = 1; /* no files where we know of nothing */
  rl_completion_append_character = 0;
  char **word = the_editor->complete(the_editor->user, rl_line_buffer, (size_t)start, (size_t)end);
  if (!word || !word[0]) {
    free(word);
    return NULL;
  }
  size_t count = 0;
  while (word[count]) count++;
  char **list = calloc(count + 2, sizeof *list);
  if (list) list[0] = common_beginning(word);
  if (list && count > 1) memcpy(list + 1, word, count * sizeof *word);
  if (!list || count == 1) free(word[0]);
  free(word);
  return list;
}

#ifdef FLOW_READLINE
/* readline reads on after a signal; an end of its input ends the line. */
static int read_key(FILE *from) {
  unsigned char key;
  for (;;) {
    ssize_t got = read(fileno(from), &key, 1);
    if (got == 1) return key;
    if (got < 0 && errno == EINTR && !interrupt_waiting()) continue;
    return EOF;
  }
}

static void open_keys(void) {}
static void mark_pastes(const char *mark) { (void)mark; } /* it does so itself */
#else
static KeysIn keys;       /* of standard input; the editor asks for a key without saying for whom */
static bool marks_pastes; /* the terminal can */

/* A key that does nothing else; libedit shows the line anew. */
enum { REDISPLAY = 036 };

static int read_key(FILE *from) {
  char *pasted;
  keys.file = fileno(from);
  int key = keys_next(&keys, &pasted);
  if (!pasted) return key;
  rl_insert_text(pasted);
  free(pasted);
  return REDISPLAY;
}

static void open_keys(void) {
  const char *terminal = getenv("TERM");
  char binding[] = "bind ^^ ed-redisplay";
  rl_parse_and_bind(binding);
  marks_pastes = terminal && strcmp(terminal, "dumb") != 0;
}

static void mark_pastes(const char *mark) {
  if (!marks_pastes) return;
  fputs(mark, stdout);
  fflush(stdout);
}
#endif

void editor_open(const Editor *editor) {
  the_editor = editor;
  rl_readline_name = (char *)(uintptr_t)"flowc";
  rl_getc_function = read_key;
  rl_initialize();
  rl_attempted_completion_function = complete;
  char *breaks = (char *)(uintptr_t)" \t\n\"'()[]{},;=<>|:"; /* libedit reads the one, readline the other */
  rl_basic_word_break_characters = rl_completer_word_break_characters = breaks;
#ifdef FLOW_READLINE
  rl_completer_quote_characters = "";
  rl_catch_signals = 0;
#endif
  open_keys();
}

void editor_remember(const char *line) { add_history(line); }

char *editor_read(const char *prompt, bool *interrupted) {
  mark_pastes(KEYS_MARK_PASTES);
  char *line = readline(prompt);
  mark_pastes(KEYS_MARK_NO_PASTES);
  *interrupted = interrupt_take();
  if (!*interrupted) return line;
  free(line);
  return NULL;
}

void editor_close(void) {
  clear_history();
  the_editor = NULL;
}
