/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h -- what the files of this folder share while a library is being made. */
#ifndef FLOW_AOT_TABLES_H
#define FLOW_AOT_TABLES_H
#include "image.h"
#include "library.h"

enum { AOT_MOST_VARIANTS = 8 };
/* Each CPU has two kinds of code: tiles of samples, and one sample at a time for a few of them. */
enum { AOT_WIDTHS = 2 };
typedef struct AotBuild {
  const AotLibrary *what;
  Arena arena;
  jmp_buf out_of_memory;
  Image image;
  EmitPart *part;               /* [variants][AOT_WIDTHS][cpus] */
  flow_model *model;            /* [variants]: tables without levels */
  uint32_t blob[AOT_MOST_VARIANTS];             /* [variants]: their data */
} AotBuild;

/* Is it worth code for one sample at a time?  What a control loop asks for is. */
bool aot_is_for_few(uint32_t computes);
/* describe.c: schedules the variants, and what the library says of itself. */
flow_status aot_schedule(AotBuild *build, flow_error *error);
const char *aot_describe(AotBuild *build);
const char *aot_name(const AotLibrary *library);
/* tables.c: datum 0 is the flow_export. */
void aot_tables(AotBuild *build);

#endif
