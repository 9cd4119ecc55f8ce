/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders above the last slash, as private as the XDG rules want them. */
static void make_folders(const char *path) {
  char *copy = strdup(path);
  for (char *at = copy ? strchr(copy + 1, '/') : NULL; at; at = strchr(at + 1, '/')) {
    *at = 0;
    mkdir(copy, 0700);
    *at = '/';
  }
  free(copy);
}

char *history_path(void) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  char *path = NULL;
  int written = -1;
  if (state && state[0] == '/') written = asprintf(&path, "%s/flowc/history", state);
  else if (home && home[0] == '/') written = asprintf(&path, "%s/.local/state/flowc/history", home);
  if (written < 0) return NULL;
  make_folders(path);
  return path;
}

static FILE *open_private(const char *path, int flags, const char *mode) {
  int file = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return NULL;
  struct stat state;
  if (fstat(file, &state) != 0 || !S_ISREG(state.st_mode) || fchmod(file, 0600) != 0) {
    close(file);
    return NULL;
  }
  FILE *stream = fdopen(file, mode);
  if (!stream) close(file);
  return stream;
}

/* A ring of the last lines. */
typedef struct Ring {
  char *line[HISTORY_MOST];
  size_t read;
} Ring;

static void read_into(Ring *ring, FILE *from) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, from)) > 0) {
    if (line[length - 1] == '\n') line[--length] = 0;
    if (length == 0) continue;
    char **slot = &ring->line[ring->read++ % HISTORY_MOST];
    free(*slot);
    *slot = strdup(line);
  }
  free(line);
}

static const char *line_at(const Ring *ring, size_t i) {
  return ring->line[ring->read < HISTORY_MOST ? i : (ring->read + i) % HISTORY_MOST];
}

/* The lines that are kept, to a file beside it that takes its place. */
static void cut(const char *path, const Ring *ring, size_t count) {
  char *beside = NULL;
  if (asprintf(&beside, "%s.%ld", path, (long)getpid()) < 0) return;
  FILE *to = open_private(beside, O_WRONLY | O_CREAT | O_EXCL, "w");
  for (size_t i = 0; to && i < count; i++)
    if (line_at(ring, i)) fprintf(to, "%s\n", line_at(ring, i));
  if (to && (fclose(to) != 0 || rename(beside, path) != 0)) unlink(beside);
  free(beside);
}

void history_read(const char *path, void (*take)(const char *line)) {
  FILE *from = open_private(path, O_RDONLY, "r");
  Ring *ring = from ? calloc(1, sizeof *ring) : NULL;
  if (ring) {
    read_into(ring, from);
    size_t count = ring->read < HISTORY_MOST ? ring->read : HISTORY_MOST;
    for (size_t i = 0; i < count; i++)
      if (line_at(ring, i)) take(line_at(ring, i));
    if (ring->read > 2 * HISTORY_MOST) cut(path, ring, count);
    for (size_t i = 0; i < HISTORY_MOST; i++) free(ring->line[i]);
  }
  free(ring);
  if (from) fclose(from);
}

void history_append(const char *path, const char *line) {
  FILE *to = open_private(path, O_WRONLY | O_CREAT | O_APPEND, "a");
  if (!to) return;
  fprintf(to, "%s\n", line);
  fclose(to);
}
