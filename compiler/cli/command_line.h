/* SPDX-License-Identifier: Apache-2.0 */
/* command_line.h -- the words after `flowc`, understood.
 *
 *   CommandLine line;
 *   int status = command_line_parse(argc, argv, &line, &error);     0, or 2 and a sentence in error
 *   if (line.value[OPTION_seed].given) ... line.value[OPTION_seed].count
 *   command_line_free(&line);
 *
 * verbs.def and options.def say what there is.  Options stand anywhere after the verb; `--name=value`, `--name value`,
 * `-nvalue` and `-n value` are the same; `--` ends the options.  Texts are argv's own. */
#ifndef FLOWC_COMMAND_LINE_H
#define FLOWC_COMMAND_LINE_H
#include "flow/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
#define VERB(id, operands, least, most, title, text, examples) VERB_##id,
#include "verbs.def"
#undef VERB
  VERB_COUNT
} VerbId;

typedef enum {
#define OPTION(id, name, letter, kind, argument, verbs, standard, help) OPTION_##id,
#include "options.def"
#undef OPTION
  OPTION_COUNT
} OptionId;

typedef enum { KIND_FLAG, KIND_COUNT, KIND_CHOICE, KIND_RANGE, KIND_FILE, KIND_TEXT } OptionKind;

typedef struct Verb {
  const char *name, *operands;
  int least, most;
  const char *title, *text, *examples;
} Verb;
typedef struct Option {
  const char *name;
  char letter;
  OptionKind kind;
  const char *argument;
  uint32_t verbs; /* bit v: of VerbId v */
  const char *standard, *help;
} Option;
extern const Verb verbs[VERB_COUNT];
extern const Option options[OPTION_COUNT];

static inline bool option_is_of(OptionId option, VerbId verb) { return options[option].verbs >> verb & 1u; }

typedef struct OptionValue {
  bool given;
  const char *text;  /* as written; NULL where not given */
  uint64_t count;    /* COUNT */
  int choice;        /* CHOICE: number of the word in the row's list; the standard where not given */
  uint64_t from, to; /* RANGE */
} OptionValue;

typedef enum { ASK_RUN, ASK_HELP, ASK_VERSION } Ask;
typedef struct CommandLine {
  Ask ask;
  VerbId verb; /* ASK_HELP: VERB_COUNT for the list */
  OptionValue value[OPTION_COUNT];
  const char **operand;
  size_t operands;
  const char **condition; /* every --condition, in order */
  size_t conditions;
} CommandLine;

/* The whole command line, argv[0] included.  FLOW_BAD_CALL or FLOW_NO_MEMORY leave nothing to free. */
flow_status command_line_parse(int argc, char *const *argv, CommandLine *line, flow_error *error);
void command_line_free(CommandLine *line);

/* The verb of that name, or VERB_COUNT. */
VerbId verb_find(const char *name);
/* The k-th word of a list `a|b|c` and its length, or NULL past the end. */
const char *choice_word(const char *list, int k, int *length);

#endif
