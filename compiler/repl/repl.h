/* SPDX-License-Identifier: Apache-2.0 */
/* repl.h -- the prompt: what it keeps, and what becomes of one input.
 *
 *   Repl repl;
 *   flow_status status = repl_open(&repl, run);
 *   int code = repl_input(&repl, "field u(t, x: [2]) = -x");      definitions, an expression or a command
 *   repl_close(&repl);
 *
 * Everything that computes, compiles or prints more than a line runs in a process of its own (apart.h) on the session's text. */
#ifndef FLOW_REPL_H
#define FLOW_REPL_H
#include "apart.h"
#include "run.h"
#include "session.h"

typedef struct Setting {
  OptionId option; /* one row of that name; the value goes to whichever verb has the name */
  char *value;     /* "" for a flag */
} Setting;

typedef struct Repl {
  const Run *run;
  Session session;
  Setting *setting;
  size_t settings;
  char *last;       /* the last definitions as they were typed, for a line that goes on with them */
  bool terminal;    /* a person is there */
  bool confined;    /* no processes, no files, no verbs: for fuzzing */
  bool done;        /* :quit */
} Repl;

flow_status repl_open(Repl *repl, const Run *run);
void repl_close(Repl *repl);

/* One whole input; the exit status it would have had as a command. */
int repl_input(Repl *repl, const char *text);
/* Checks definitions together with the session and says what they are; `name`: of their file, or <input>. */
int repl_check(Repl *repl, const char *text, const Pieces *pieces, const char *name);
/* The same, and takes them in where they are right. */
int repl_define(Repl *repl, const char *text, const Pieces *pieces, const char *name);

/* Runs the work in a process of its own; its exit status. */
int repl_apart(Repl *repl, ApartWork *work, void *user, int grace);

/* What :set gave to the option of this name, or NULL. */
const char *repl_setting(const Repl *repl, const char *option);
flow_status repl_set(Repl *repl, OptionId option, const char *value); /* NULL: forget it */

/* ---- evaluate.c: in a process of its own ---- */
typedef enum { SHOW_VALUE, SHOW_TYPE, SHOW_TIME } EvaluateShow;
int repl_evaluate(Repl *repl, const char *expression, EvaluateShow show);

/* ---- commands.c ---- */
int repl_command(Repl *repl, const char *line);

/* ---- load.c ---- */
int repl_load(Repl *repl, const char *path);
int repl_save(Repl *repl, const char *path);

/* ---- repl_verb.c: `flowc VERB words...` on the session's program ---- */
int repl_verb(Repl *repl, VerbId verb, char *const *words, size_t count);

#endif
