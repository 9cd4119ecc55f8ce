/* SPDX-License-Identifier: Apache-2.0 */
/* study.h -- what the session and a new input mean together: parsed as texts of their own, so that messages point into what was
 * just typed, and checked as one program.
 *
 *   Study *study = study_new();
 *   if (setjmp(study->no_memory)) ... out of memory ...
 *   study_program(study, path, rest_of_the_session, input);   study->diagnostics.errors, study->program
 *   Value value = study_expression(study, "u(0, [1, 0])");    value.function is NULL after an error
 *   study_free(study);
 */
#ifndef FLOW_STUDY_H
#define FLOW_STUDY_H
#include <setjmp.h>
#include "check_program.h"

typedef struct Study {
  Arena arena;
  jmp_buf no_memory; /* where the arena comes back to; set it before any of the calls below */
  SourceMap sources;
  Diagnostics diagnostics;
  TypedProgram *program; /* NULL: a text could not be read */
  const AstFile *input;
} Study;

typedef struct Value {
  const TypedFunction *function; /* without parameters */
  bool truth;
  Span text; /* of what was typed */
} Value;

Study *study_new(void); /* NULL if memory is out */
void study_free(Study *study);

/* `path`: the name of the session's text in messages. */
void study_program(Study *study, const char *path, const char *session, const char *input);
/* After study_program, whose program has no errors. */
Value study_expression(Study *study, const char *text);

#endif
