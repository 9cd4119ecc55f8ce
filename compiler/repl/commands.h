/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h -- commands.def as an array, and the words of :help. */
#ifndef FLOW_COMMANDS_H
#define FLOW_COMMANDS_H
#include "repl.h"

typedef enum {
#define COMMAND(name, verb, arguments, files, title, text) COMMAND_##name,
#include "commands.def"
#undef COMMAND
  COMMAND_COUNT
} CommandId;

typedef struct Command {
  const char *name, *verb, *arguments;
  bool files;
  const char *title, *text;
} Command;
extern const Command commands[COMMAND_COUNT];

/* Its verb, or VERB_COUNT.  A command whose verb this flowc does not have is not there. */
VerbId command_verb(CommandId command);
bool command_exists(CommandId command);

/* help_topic.c: false where nothing has that name. */
void help_commands(FILE *to);
bool help_topic(const Repl *repl, const char *topic);

#endif
