/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h -- lines to inputs, until they end or :quit. */
#ifndef FLOW_PROMPT_H
#define FLOW_PROMPT_H
#include "lines_in.h"
#include "repl.h"

/* The exit status of the first input that failed, or 0. */
int prompt_run(Repl *repl, LinesIn *lines);

#endif
