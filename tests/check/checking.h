/* SPDX-License-Identifier: Apache-2.0 */
/* checking.h -- a program through the front end; the last one stays until the next. */
#ifndef CHECKING_H
#define CHECKING_H
#include <check.h>
#include "check_program.h"

typedef struct Checking {
  jmp_buf no_memory;
  Arena arena;
  SourceMap map;
  Diagnostics diagnostics;
  TypedProgram *program;        /* NULL where the syntax was wrong */
} Checking;
extern Checking run;

void check_bytes(const char *name, const char *text, size_t length);
void check_text(const char *text);              /* "t.flow" */
const char *said(void);                         /* everything that was reported, as a user sees it without colours */

void expect_clean(const char *text);            /* neither errors nor warnings */
void expect_errors(const char *text, const char *codes);        /* "E0201 E0302": in the order of the text, no others */
void expect_said(const char *text, const char *message);

/* The files of a folder that end in .flow, sorted; each is read, handed over and freed. */
typedef void FileVisit(const char *name, const char *text, size_t length);
int for_each_program(const char *folder, FileVisit *visit);
char *read_text(const char *path, size_t *length);

/* test_*.c */
void add_bad_tests(TCase *tcase);
void add_name_tests(TCase *tcase);
void add_typed_tests(TCase *tcase);
void add_flow_tests(TCase *tcase);
void add_claim_tests(TCase *tcase);
void add_typo_tests(TCase *tcase);

#endif
