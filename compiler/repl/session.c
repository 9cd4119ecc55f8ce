/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_entry(Entry *entry) {
  free(entry->name);
  free(entry->text);
  free(entry->beside);
}

flow_status session_open(Session *session) {
  *session = (Session){.path = strdup("<session>")};
  return session->path ? FLOW_OK : FLOW_NO_MEMORY;
}

void session_free(Session *session) {
  session_forget(session, NULL);
  for (size_t i = 0; i < session->files; i++) free(session->file[i]);
  free(session->file);
  free(session->entry);
  free(session->path);
  *session = (Session){0};
}

const Entry *session_find(const Session *session, const char *name) {
  for (size_t i = 0; i < session->count; i++)
    if (strcmp(session->entry[i].name, name) == 0) return &session->entry[i];
  return NULL;
}

bool session_forget(Session *session, const char *name) {
  size_t kept = 0, before = session->count;
  for (size_t i = 0; i < before; i++) {
    if (!name || strcmp(session->entry[i].name, name) == 0)
      free_entry(&session->entry[i]);
    else
      session->entry[kept++] = session->entry[i];
  }
  session->count = kept;
  return kept < before;
}

/* ---- replacing ------------------------------------------------------------------------------------------------------ */

static bool same_text(const char *a, const char *text, const Piece *piece) {
  size_t length = piece->to - piece->from;
  return strlen(a) == length && strncmp(a, text + piece->from, length) == 0;
}

/* A definition by its name, a check by its text. */
static bool replaces(const Piece *piece, const char *text, const Entry *entry) {
  if ((piece->kind == AST_CHECK) != (entry->kind == AST_CHECK)) return false;
  if (piece->kind == AST_CHECK) return same_text(entry->text, text, piece);
  /* a flow may have the name of a field */
  return strcmp(piece->name, entry->name) == 0 && (piece->kind == AST_FLOW) == (entry->kind == AST_FLOW);
}

static bool is_replaced(const Entry *entry, const Pieces *pieces, const char *text) {
  for (size_t i = 0; pieces && i < pieces->count; i++)
    if (replaces(&pieces->piece[i], text, entry)) return true;
  return false;
}

char *session_text(const Session *session, const Pieces *pieces, const char *text) {
  char *whole = NULL;
  size_t length;
  FILE *to = open_memstream(&whole, &length);
  if (!to) return NULL;
  for (size_t i = 0; i < session->count; i++)
    if (!is_replaced(&session->entry[i], pieces, text)) fprintf(to, "%s\n", session->entry[i].text);
  if (fclose(to) != 0) {
    free(whole);
    return NULL;
  }
  return whole;
}

static char *path_beside(const char *file) {
  const char *slash = strrchr(file, '/');
  int folder = slash ? (int)(slash - file) + 1 : 0;
  char *path = NULL;
  return asprintf(&path, "%.*s<session>", folder, file) < 0 ? NULL : path;
}

static bool take_piece(Session *session, const Piece *piece, const char *text, const char *file) {
  Entry fresh = {piece->kind, strdup(piece->name), strndup(text + piece->from, piece->to - piece->from), file ? path_beside(file) : strdup(session->path)};
  size_t at = 0;
  while (at < session->count && !replaces(piece, text, &session->entry[at])) at++;
  if (at == session->count && fresh.name && fresh.text && fresh.beside) {
    Entry *more = realloc(session->entry, (session->count + 1) * sizeof *more);
    if (more) session->entry = more;
    if (more) session->entry[session->count++] = (Entry){0};
  }
  if (!fresh.name || !fresh.text || !fresh.beside || at == session->count) {
    free_entry(&fresh);
    return false;
  }
  free_entry(&session->entry[at]);
  session->entry[at] = fresh;
  return true;
}

flow_status session_take(Session *session, const Pieces *pieces, const char *text, const char *file) {
  for (size_t i = 0; i < pieces->count; i++)
    if (!take_piece(session, &pieces->piece[i], text, file)) return FLOW_NO_MEMORY;
  return FLOW_OK;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static const char *beside(const void *of, const char *flow) {
  const Session *session = of;
  for (size_t i = 0; i < session->count; i++)
    if (session->entry[i].kind == AST_FLOW && strcmp(session->entry[i].name, flow) == 0) return session->entry[i].beside;
  return session->path;
}

ProgramText session_program(const Session *session, const char *text) { return (ProgramText){session->path, text, {beside, session}}; }

flow_status session_note_file(Session *session, const char *file) {
  char *path = path_beside(file), *copy = strdup(file);
  char **more = realloc(session->file, (session->files + 1) * sizeof *more);
  if (more) session->file = more;
  if (!path || !copy || !more) {
    free(path);
    free(copy);
    return FLOW_NO_MEMORY;
  }
  free(session->path);
  session->path = path;
  for (size_t i = 0; i < session->files; i++) {
    if (strcmp(session->file[i], file) != 0) continue;
    free(copy);
    return FLOW_OK;
  }
  session->file[session->files++] = copy;
  return FLOW_OK;
}
