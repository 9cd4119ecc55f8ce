/* SPDX-License-Identifier: Apache-2.0 */
/* compile_verb.h -- flowc compile: which variants of a program go into a library, and the files that are written. */
#ifndef FLOWC_COMPILE_VERB_H
#define FLOWC_COMPILE_VERB_H
#include "library.h"
#include "program.h"

enum { COMPILE_MOST_VARIANTS = 4 };

typedef struct Compile {
  const Run *run;
  Program program;              /* its compilation is the first variant's */
  bool embed;
  FlowCompiled *compiled[COMPILE_MOST_VARIANTS];
  FlowBlob blob[COMPILE_MOST_VARIANTS];
  AotVariant variant[COMPILE_MOST_VARIANTS];
  AotLibrary library;
} Compile;

/* compile_write.c: the file that -o names, in the form of its suffix, and MODEL.h. */
flow_status compile_check_output(const char *path, flow_error *error);
flow_status compile_write(const Compile *compile, const char *path, flow_error *error);

#endif
