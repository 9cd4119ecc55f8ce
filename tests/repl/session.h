/* SPDX-License-Identifier: Apache-2.0 */
/* session.h -- `flowc repl` with its input from a file: what a script sees.  It runs in the folder of scratch(), where `examples`
 * leads to the project's; standard output and error come as one text, in the order in which they were written. */
#ifndef FLOW_TESTS_REPL_SESSION_H
#define FLOW_TESTS_REPL_SESSION_H
#include "user.h"

/* `arguments`: words behind `flowc repl`, or NULL.  `environment`: one more NAME=VALUE, or NULL.  Result.err is "". */
Result session_with(const char *arguments, const char *environment, const char *input);
Result session(const char *input);
/* The greatest resident memory of the last session and of what it started, in KiB. */
long session_memory(void);

#endif
