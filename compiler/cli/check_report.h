/* SPDX-License-Identifier: Apache-2.0 */
/* check_report.h -- the lines of flowc check: what was held against what, and how it went. */
#ifndef FLOWC_CHECK_REPORT_H
#define FLOWC_CHECK_REPORT_H
#include "program.h"
#include "verify.h"

/* How many lines went how. */
typedef struct Tally { uint64_t passed, failed, skipped; } Tally;
void tally_add(Tally *tally, const Verify *verify);

/* A table under `title`; nothing where there are no lines. */
void print_checks(const Run *run, const Program *program, const char *title, const Verify *verify);
/* The same as JSON objects; *between stands before each. */
void print_checks_json(FILE *to, const char *of, const Verify *verify, const char **between);

#endif
