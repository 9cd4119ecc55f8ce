/* SPDX-License-Identifier: Apache-2.0 */
/* named_file.h -- a program may name a file, but only one below its own folder: reading a program from a stranger must not become
 * reading one's own files. */
#ifndef FLOWC_NAMED_FILE_H
#define FLOWC_NAMED_FILE_H
#include "run.h"
#include "source.h"
#include "typed.h"

typedef enum { NAMED_WEIGHTS, NAMED_SOURCE, NAMED_DATA } NamedFile;

/* What messages need; borrowed. */
typedef struct Naming {
  const Run *run;            /* NULL: an expression at the prompt */
  const ProgramText *memory; /* the prompt's program, if it is that; else NULL */
  const char *path;          /* of the program */
  const SourceMap *sources;
} Naming;

/* The file of this kind that the flow names: its path must be relative, free of `..` and, links followed, below the folder of the
 * flow's own .flow file.  *resolved is freed with free. */
flow_status named_file(const Naming *by, NamedFile kind, const TypedFlow *flow, char **resolved, flow_error *error);
/* The same without a flow at hand: of a program at `beside`; `place` begins messages. */
flow_status named_file_below(const char *beside, const char *place, NamedFile kind, const char *written, const char *option, char **resolved,
                             flow_error *error);

/* The folder of a file, which need not be there yet, as an absolute path without links; freed with free.  NULL: there is none. */
char *folder_of(const char *file);
/* What of an absolute path comes behind a folder that it is below; else NULL. */
const char *path_behind(const char *path, const char *folder);

#endif
