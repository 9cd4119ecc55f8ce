/* SPDX-License-Identifier: Apache-2.0 */
/* run.h -- a verb at work: one function for each row of verbs.def, which returns the exit status. */
#ifndef FLOWC_RUN_H
#define FLOWC_RUN_H
#include "command_line.h"
#include "terminal.h"
#include "whose_weights.h"

/* A program that is in memory (the prompt's session): verbs take it where they would read the file of that path. */
typedef struct ProgramText {
  const char *path, *text;
  FlowFolders folders;
} ProgramText;

typedef struct Run {
  const CommandLine *line;
  Terminal terminal;
  const ProgramText *program; /* NULL: programs are files */
} Run;

#define VERB(id, operands, least, most, title, text, examples) int verb_##id(const Run *run);
#include "verbs.def"
#undef VERB

static inline const OptionValue *option_of(const Run *run, OptionId id) { return &run->line->value[id]; }
static inline bool has(const Run *run, OptionId id) { return run->line->value[id].given; }
static inline const char *text_of(const Run *run, OptionId id) { return run->line->value[id].text; }
static inline uint64_t count_of(const Run *run, OptionId id, uint64_t standard) {
  return has(run, id) ? run->line->value[id].count : standard;
}

/* *to stays where the option is not given.  BAD_CALL: it is no number. */
flow_status number_given(const Run *run, OptionId option, double *to, flow_error *error);

/* Prints what went wrong; the exit status that belongs to it. */
int failed(const Run *run, flow_status status, const flow_error *error);
/* Flushes standard output: 0, or 4 and a message where the text did not all get out. */
int finish_output(const Run *run);

#endif
