/* SPDX-License-Identifier: Apache-2.0 */
/* help.h -- what the two tables say to a person and to a shell. */
#ifndef FLOWC_HELP_H
#define FLOWC_HELP_H
#include "command_line.h"
#include <stdio.h>

void help_list(FILE *to);              /* flowc help */
void help_verb(FILE *to, VerbId verb); /* flowc help VERB */
void completion_bash(FILE *to);
void completion_zsh(FILE *to);

#endif
