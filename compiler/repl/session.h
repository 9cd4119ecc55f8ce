/* SPDX-License-Identifier: Apache-2.0 */
/* session.h -- what has been defined: source text by name, and nothing that was compiled from it.
 *
 * A name that is defined again replaces the old text; the caller checks the program that would come of it first (study.h) and
 * keeps the old session where that fails.  Since only text is kept, there is nothing of a replaced definition to release. */
#ifndef FLOW_SESSION_H
#define FLOW_SESSION_H
#include "flow/status.h"
#include "pieces.h"
#include "run.h"

typedef struct Entry {
  AstKind kind;
  char *name; /* "" for a check: these are told apart by their text */
  char *text;
  char *beside; /* FOLDER/<session>: the files that it names are beside that */
} Entry;

typedef struct Session {
  Entry *entry;
  size_t count;
  char **file; /* loaded, in order */
  size_t files;
  char *path;  /* what messages go by, and the files that are named in what is typed: FOLDER/<session>, the last file's folder */
} Session;

flow_status session_open(Session *session);
void session_free(Session *session);

/* The program without what `pieces` of `text` define again (pieces may be NULL: all of it); freed by the caller. */
char *session_text(const Session *session, const Pieces *pieces, const char *text);
/* Takes the pieces in, each in the place of an older one of its name.  `file`: they are of this file; NULL: they were typed. */
flow_status session_take(Session *session, const Pieces *pieces, const char *text, const char *file);
/* Forgets `name`, or everything for NULL; false: there is no such definition. */
bool session_forget(Session *session, const char *name);
const Entry *session_find(const Session *session, const char *name);

/* As a program in memory, each flow with its own folder; `text` is session_text's, both borrowed. */
ProgramText session_program(const Session *session, const char *text);

/* Notes a file as loaded; its folder is that of what is typed from now on. */
flow_status session_note_file(Session *session, const char *file);

#endif
