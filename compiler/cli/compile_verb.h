/* SPDX-License-Identifier: Apache-2.0 */
/* compile_verb.h -- flowc compile: which variants of a program go into a library, and the files that are written. */
#ifndef FLOWC_COMPILE_VERB_H
#define FLOWC_COMPILE_VERB_H
#include "given.h"
#include "library.h"
#include "program.h"

enum { COMPILE_MOST_EMBEDDED = 64 << 20 };     /* bytes of weights, or of points, that stand in a library unless it is said */

/* embed, load, embed=FILE, load=FILE. */
typedef struct CompileBinding {
  bool said, embed;
  const char *file;             /* or NULL */
} CompileBinding;

typedef struct Compile {
  const Run *run;
  Program program;              /* its compilation is the first variant's */
  CompileBinding weights, source;       /* --weights, --source */
  AotWishes wishes;             /* --probes, --vjp */
  char *points_path;            /* of a source that is a file */
  Given points;
  flow_rows rows;               /* data NULL: not in the library */
  size_t rows_bytes;
  AotDensity density;
  FlowCompiled *compiled[AOT_MOST_VARIANTS];
  FlowBlob blob[AOT_MOST_VARIANTS];
  AotVariant variant[AOT_MOST_VARIANTS];
  AotLibrary library;
} Compile;

/* compile_points.c: the points of a source that is a file, where they are to stand in the library. */
flow_status compile_points(Compile *compile, flow_error *error);
void compile_points_free(Compile *compile);

/* compile_write.c: the file that -o names, in the form of its suffix, and MODEL.h. */
flow_status compile_check_output(const char *path, flow_error *error);
flow_status compile_write(const Compile *compile, const char *path, flow_error *error);

#endif
